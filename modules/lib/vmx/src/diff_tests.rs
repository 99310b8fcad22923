use super::diff;
use crate::document::Document;

fn document(text: &str) -> Document {
    Document::parse(format!("config.version = \"8\"\n{text}").into_bytes()).unwrap()
}

fn between(before: &str, after: &str) -> String {
    diff(&document(before), &document(after), "x.vmx", "x.vmx (after)")
}

#[test]
fn three_lines_around_a_change_are_shown() {
    let before = "a = \"1\"\nb = \"1\"\nc = \"1\"\nk = \"1\"\nd = \"1\"\ne = \"1\"\nf = \"1\"\ng = \"1\"\n";
    let expected = "--- x.vmx\n+++ x.vmx (after)\n@@ -2,7 +2,7 @@\n a = \"1\"\n b = \"1\"\n c = \"1\"\n-k = \"1\"\n+k = \"2\"\n d = \"1\"\n e = \"1\"\n f = \"1\"\n";
    assert_eq!(between(before, &before.replace("k = \"1\"", "k = \"2\"")), expected);
    assert_eq!(between(before, before), "");
}

/// Lines that differ, and the heads of the hunks that show it.
#[test]
fn hunks_name_their_lines() {
    for (changed, expected) in [
        (vec![1], vec!["@@ -1,5 +1,5 @@"]),
        (vec![6], vec!["@@ -4,7 +4,7 @@"]),
        (vec![19], vec!["@@ -17,4 +17,4 @@"]),
        // Six lines between them are shown, seven are not.
        (vec![5, 12], vec!["@@ -3,14 +3,14 @@"]),
        (vec![5, 13], vec!["@@ -3,7 +3,7 @@", "@@ -11,7 +11,7 @@"]),
    ] {
        let line = |line: usize, changed: &[usize]| format!("k{line} = \"{}\"\n", changed.contains(&line));
        let text = |changed: &[usize]| (1..20).map(|number| line(number, changed)).collect::<Vec<_>>().concat();
        let shown = between(&text(&[]), &text(&changed));
        assert_eq!(shown.lines().filter(|line| line.starts_with("@@")).collect::<Vec<_>>(), expected, "{changed:?}");
    }
    let added = between("a = \"1\"\nb = \"1\"\n", "a = \"1\"\nx = \"1\"\ny = \"1\"\nb = \"1\"\n");
    assert!(added.contains("@@ -1,3 +1,5 @@\n"), "{added}");
}

#[test]
fn line_ends_are_shown_alike_and_a_missing_one_is_told() {
    let shown = between("a = \"1\"\r\nb = \"1\"\r", "a = \"1\"\r\nb = \"2\"");
    let expected =
        "@@ -1,3 +1,3 @@\n config.version = \"8\"\n a = \"1\"\n-b = \"1\"\n+b = \"2\"\n\\ No newline at end of file\n";
    assert_eq!(shown.split_once("(after)\n").unwrap().1, expected);
}

#[test]
fn secrets_are_not_shown() {
    for name in [
        "RemoteDisplay.vnc.password",
        "remotedisplay.VNC.key",
        "my.passphrase",
        "dataFileKey",
        "encryption.keySafe",
        "encryption.data",
        "guestinfo.adminPassword",
    ] {
        let line = |value: &str| format!("{name} = \"{value}\" # {value}\n");
        let shown = between(&line("hunter2"), &line("hunter3"));
        assert!(shown.contains(&format!("-{name} = \"********\"\n+{name} = \"********\" (changed)\n")), "{shown}");
        assert!(!shown.contains("hunter"), "{shown}");
    }
}

/// A guest entry may hold anything, such as user data with passwords. Only the caller's own change is shown.
#[test]
fn what_the_guest_is_told_is_shown_only_where_it_changes() {
    let shown = between("guestinfo.a = \"1\"\nguestinfo.b = \"1\"\n", "guestinfo.a = \"1\"\nguestinfo.b = \"2\"\n");
    let expected = " guestinfo.a = \"********\"\n-guestinfo.b = \"1\"\n+guestinfo.b = \"2\"\n";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn a_secret_nearby_is_not_shown() {
    for (near, expected) in [
        ("vnc.password = \"hunter2\"", " vnc.password = \"********\"\n"),
        ("vnc.password =", " vnc.password = \"********\"\n"),
        ("# vnc.password = \"hunter2\"", " # vnc.password = \"********\"\n"),
        ("vnc.password = \"hunter2", " vnc.password = \"********\"\n"),
        ("# the password is hunter2", " \"********\"\n"),
        ("a = \"1\" # password hunter2", " a = \"1\" \"********\"\n"),
    ] {
        let shown = between(&format!("{near}\nk = \"1\"\n"), &format!("{near}\nk = \"2\"\n"));
        assert!(shown.contains(expected) && !shown.contains("hunter"), "{near}: {shown}");
    }
}

#[test]
fn a_new_secret_is_added_and_an_old_one_goes() {
    let shown = between("vnc.key = \"a\"\n", "encryption.data = \"b\"\n");
    assert!(shown.contains("-vnc.key = \"********\"\n+encryption.data = \"********\"\n"), "{shown}");
}

#[test]
fn the_second_of_two_alike_secrets_is_compared_with_the_second() {
    let shown = between("vnc.key = \"a\"\nvnc.key = \"a\"\n", "vnc.key = \"a\"\nvnc.key = \"b\"\n");
    assert!(
        shown.ends_with(" vnc.key = \"********\"\n-vnc.key = \"********\"\n+vnc.key = \"********\" (changed)\n"),
        "{shown}"
    );
}

#[test]
fn a_diff_is_decoded() {
    let document = |name: &[u8]| {
        let head = b".encoding = \"Shift_JIS\"\nconfig.version = \"8\"\ndisplayName = ";
        Document::parse([&head[..], name, b"\n"].concat()).unwrap()
    };
    let shown = diff(&document(b"\"\x95\x5c\""), &document(b"\"\x8e\xa6\""), "a", "b");
    assert!(shown.ends_with("-displayName = \"表\"\n+displayName = \"示\"\n"), "{shown}");
}

/// Applies `diff` to `old` as patch(1) does, and checks every line number and count of the diff.
fn patched(old: &str, diff: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let (mut new, mut at, mut hunk) = (String::new(), 0, (0, 0));
    for line in diff.lines().skip(2) {
        if let Some(ranges) = line.strip_prefix("@@ -") {
            assert_eq!(hunk, (0, 0), "the hunk before is as long as it says");
            let (before, after) = ranges.trim_end_matches(" @@").split_once(" +").unwrap();
            let [(start, removed), (to, added)] = [before, after].map(|range| {
                let (start, length) = range.split_once(',').unwrap();
                let (start, length): (usize, usize) = (start.parse().unwrap(), length.parse().unwrap());
                (start - usize::from(length > 0), length)
            });
            new.extend(old[at..start].iter().copied());
            assert_eq!(new.lines().count(), to);
            (at, hunk) = (start, (removed, added));
            continue;
        }
        if line.starts_with('\\') {
            assert_eq!(new.pop(), Some('\n'));
            continue;
        }
        let (sign, text) = line.split_at(1);
        if sign != "+" {
            assert_eq!(old[at].trim_end_matches('\n'), text);
            (at, hunk.0) = (at + 1, hunk.0 - 1);
        }
        if sign != "-" {
            new.push_str(text);
            new.push('\n');
            hunk.1 -= 1;
        }
    }
    assert_eq!(hunk, (0, 0));
    new.extend(old[at..].iter().copied());
    new
}

proptest::proptest! {
    #[test]
    fn the_diff_leads_from_the_old_text_to_the_new_one(
        there in proptest::collection::vec(0..60u32, 0..60),
        wanted in proptest::collection::btree_map(0..80u32, proptest::option::of(0..3u32), 1..8),
    ) {
        let there: std::collections::BTreeSet<u32> = there.into_iter().collect();
        let text = there.iter().map(|key| format!("key{key} = \"0\"\n")).collect::<Vec<_>>().concat();
        let before = Document::parse(format!("config.version = \"8\"\n{text}").into_bytes()).unwrap();
        let mut after = before.clone();
        for (key, value) in &wanted {
            match value {
                Some(value) => after.set(&format!("key{key}"), &value.to_string()).unwrap(),
                None => after.remove(&format!("key{key}")).map(drop).unwrap(),
            }
        }
        let told = diff(&before, &after, "x.vmx", "x.vmx");
        proptest::prop_assert_eq!(told.is_empty(), before == after);
        proptest::prop_assert_eq!(patched(&before.text(), &told), after.text());
    }
}
