use super::{Conflict, Document};
use crate::error::Error;

const MARK: &str = "virtualHW.version = \"7\"\n";

fn document(text: &str) -> Document {
    Document::parse(format!("{MARK}{text}").into_bytes()).unwrap()
}

/// Returns the text after the first line, once `edit` is done.
fn edited(text: &str, edit: impl FnOnce(&mut Document) -> Result<(), Error>) -> Result<String, Error> {
    let mut document = document(text);
    edit(&mut document)?;
    Ok(String::from_utf8(document.bytes()[MARK.len()..].to_vec()).unwrap())
}

#[test]
fn what_is_no_vmx_file_is_refused() {
    for (bytes, reason) in [
        (&b""[..], "neither"),
        (b"# Disk DescriptorFile\nversion=1\nddb.virtualHWVersion = \"4\"\n", "neither"),
        (b"<config.version = \"8\"/>\n", "neither"),
        (b"config.version\n# config.version = \"8\"\n", "neither"),
        (b"2026-11-22T10:00:00| vmx| DICT config.version = 8\n", "neither"),
        (b"config.version = \"8\"\n\0", "NUL"),
        (b"\xff\xfec\0o\0", "UTF-16"),
        (b"\xfe\xff\0c\0o", "UTF-16"),
    ] {
        let error = Document::parse(bytes.to_vec()).unwrap_err().to_string();
        assert!(error.starts_with("this is not a .vmx file: ") && error.contains(reason), "{bytes:?}: {error}");
    }
    for mark in ["CONFIG.VERSION=8", "\u{feff}virtualhw.version = \"4\"", "#!/usr/bin/vmware\r config.version = \"8\""]
    {
        assert!(Document::parse(mark.as_bytes().to_vec()).is_ok(), "{mark}");
    }
}

#[test]
fn keys_are_found_whatever_their_case() {
    let document = document("# c\n\nReplay.Supported = \"TR|55E\" # c\nb = x\n");
    let entry = document.get("replay.supported").unwrap().unwrap();
    assert_eq!((entry.name.as_str(), entry.value.as_str(), entry.line), ("Replay.Supported", "TRUE", 4));
    assert_eq!(document.get("B").unwrap().unwrap().line, 5);
    assert_eq!(document.get("c"), Ok(None));
}

#[test]
fn only_the_value_changes() {
    for (before, after) in [
        ("k = \"1\"\n", "k = \"v\"\n"),
        (" \tK=\t\"1\"  # c\r\n", " \tK=\t\"v\"  # c\r\n"),
        ("k = 1#c\n", "k = \"v\"#c\n"),
        ("k =\n", "k = \"v\"\n"),
        ("k =   \n", "k = \"v\"   \n"),
        ("k =#c\n", "k = \"v\" #c\n"),
        ("k =  # c\n", "k = \"v\"  # c\n"),
        ("k = \"\"", "k = \"v\""),
        // Equal definitions are set in every place.
        ("k = \"TRUE\"\n#\nK=true\nx = \"1\"\n", "k = \"v\"\n#\nK=\"v\"\nx = \"1\"\n"),
        // No quotes are given to what is right already.
        ("k =  v # c\n", "k =  v # c\n"),
        ("k = |76", "k = |76"),
    ] {
        assert_eq!(edited(before, |document| document.set("k", "v")), Ok(after.to_owned()), "{before}");
    }
}

#[test]
fn a_new_key_goes_to_the_end_with_the_line_end_of_most_lines() {
    for (before, after) in [
        ("", "k = \"v\"\n"),
        ("a = \"1\"", "a = \"1\"\nk = \"v\""),
        ("a = \"1\"\r\nb = \"2\"\r\n", "a = \"1\"\r\nb = \"2\"\r\nk = \"v\"\r\n"),
        ("a\r\nb\r\nc", "a\r\nb\r\nc\r\nk = \"v\""),
        ("a\rb\r# c\n", "a\rb\r# c\nk = \"v\"\n"),
        ("a\rb\r", "a\rb\rk = \"v\"\r"),
        // Commented out, or broken, it is not there.
        ("# k = \"1\"\nk = \"1\nk\n", "# k = \"1\"\nk = \"1\nk\nk = \"v\"\n"),
    ] {
        assert_eq!(edited(before, |document| document.set("k", "v")), Ok(after.to_owned()), "{before}");
    }
    let mut bare = Document::parse(b"config.version=8".to_vec()).unwrap();
    bare.set("k", "v").unwrap();
    assert_eq!(bare.bytes(), b"config.version=8\nk = \"v\"");
    bare.set("config.version", "9").unwrap();
    assert_eq!(bare.get("k").unwrap().unwrap().line, 2);
    assert_eq!(bare.bytes(), b"config.version=\"9\"\nk = \"v\"");
}

#[test]
fn removing_takes_the_line_and_nothing_else() {
    for (before, after) in [
        ("k = \"1\"\nb = \"2\"\n", "b = \"2\"\n"),
        ("a = \"1\"\r\n K=1 # c\r\n\r\n", "a = \"1\"\r\n\r\n"),
        ("a = \"1\"\nk = \"1\"", "a = \"1\"\n"),
        ("k = TRUE\na = \"1\"\nk = \"true\"\nb = \"2\"\n", "a = \"1\"\nb = \"2\"\n"),
        ("# k = \"1\"\nk\n", "# k = \"1\"\nk\n"),
        // The CR and the LF that were line ends of their own come together.
        ("a = \"1\"\rk = \"1\"\n\nb = \"2\"\n", "a = \"1\"\r\nb = \"2\"\n"),
    ] {
        let mut removed = None;
        let left = edited(before, |document| document.remove("k").map(|gone| removed = Some(gone)));
        assert_eq!(left, Ok(after.to_owned()), "{before}");
        assert_eq!(removed, Some(before != after), "{before}");
    }
}

#[test]
fn lines_are_counted_anew_after_an_edit() {
    let mut document = document("k = \"1\"\rk = \"1\"\n\nb = \"2\"\n");
    assert_eq!(document.get("b").unwrap().unwrap().line, 5);
    document.remove("k").unwrap();
    assert_eq!(document.get("b").unwrap().unwrap().line, 3);
    document.set("c", "1").unwrap();
    assert_eq!(document.get("c").unwrap().unwrap().line, 4);
    // One line goes, and two line ends become one.
    let mut document = self::document("a = \"1\"\rk = \"1\"\n\nb = \"2\"\n");
    document.remove("k").unwrap();
    assert_eq!(document.get("b").unwrap().unwrap().line, 3);
}

#[test]
fn a_byte_order_mark_stays_first() {
    let mut document = Document::parse("\u{feff}k = \"é\"\nconfig.version = \"8\"".into()).unwrap();
    document.set("k", "ü").unwrap();
    assert_eq!(document.bytes(), "\u{feff}k = \"ü\"\nconfig.version = \"8\"".as_bytes());
    document.remove("k").unwrap();
    assert_eq!(document.bytes(), "\u{feff}config.version = \"8\"".as_bytes());
    assert_eq!(document.text(), "config.version = \"8\"");
}

#[test]
fn a_mark_that_comes_first_becomes_a_byte_order_mark() {
    let mut document = Document::parse("k = \"1\"\n\u{feff}b = \"2\"\nconfig.version = \"8\"\n".into()).unwrap();
    assert_eq!(document.get("b"), Ok(None));
    document.remove("k").unwrap();
    assert_eq!(document.get("b").unwrap().unwrap().line, 1);
}

#[test]
fn what_differs_is_not_guessed() {
    let duplicate = Error::Duplicate { key: "K".to_owned(), first_line: 2, second_line: 5 };
    let text = "K = \"a\"\n#\nk = a\nk = \"A\"\nk = \"b\"\nx = \"1\"\nX = 2\n";
    assert_eq!(document(text).get("k"), Err(duplicate.clone()));
    assert_eq!(edited(text, |document| document.set("k", "a")), Err(duplicate.clone()));
    assert_eq!(edited(text, |document| document.remove("k").map(drop)), Err(duplicate.clone()));
    assert_eq!(duplicate.to_string(), "K is defined twice with different values, in lines 2 and 5: remove one of them");
    let conflict = |key: &str, first_line, second_line| Conflict { key: key.to_owned(), first_line, second_line };
    assert_eq!(document(text).conflicts(), [conflict("K", 2, 5), conflict("x", 7, 8)]);
}

#[test]
fn values_agree_by_what_they_say() {
    for (one, other, agree) in [
        ("\"x\"", "x", true),
        ("|78", "x", true),
        ("TRUE", "\"true\"", true),
        ("False", "FALSE", true),
        ("x", "X", false),
        ("", "\"\"", true),
        ("", "0", false),
    ] {
        let conflicts = document(&format!("k = {one}\nk = {other}\n")).conflicts();
        assert_eq!(conflicts.is_empty(), agree, "{one} and {other}");
    }
    // These two only look alike: a byte that is no text, and its picture.
    let bytes = [MARK.as_bytes(), b"k = \"\xe9\"\nk = \"\\xE9\"\n"].concat();
    assert_eq!(Document::parse(bytes).unwrap().conflicts().len(), 1);
}

#[test]
fn a_picture_of_bytes_is_not_taken_for_them() {
    let mut document = Document::parse([MARK.as_bytes(), b"k = \"\xe9\"\n"].concat()).unwrap();
    assert_eq!(document.get("k").unwrap().unwrap().value, "\\xE9");
    document.set("k", "\\xE9").unwrap();
    assert!(document.bytes().ends_with(b"k = \"\\xE9\"\n"));
}

#[test]
fn a_value_that_cannot_be_written_may_stay() {
    // No encoding is declared, so `é` is a guess; it is already there and need not be written.
    assert_eq!(edited("k = \"é\"\n", |document| document.set("k", "é")), Ok("k = \"é\"\n".to_owned()));
    let refused = edited("k = \"é\"\n", |document| document.set("k", "è"));
    assert!(matches!(refused, Err(Error::Unencodable { .. })), "{refused:?}");
}

#[test]
fn lines_in_other_encodings_stay_as_they_are() {
    let lines: [&[u8]; 4] = [
        b".encoding = \"Shift_JIS\"\r\nconfig.version = \"8\"\r\n",
        b"displayName = \"\x83\x7c22\x95\x5c\"\r\n",
        b"\x83\r\n",
        b"k = \"1\"\r\n",
    ];
    let mut document = Document::parse(lines.concat()).unwrap();
    assert_eq!(document.encoding().label(), Some("Shift_JIS"));
    assert_eq!(document.get("displayname").unwrap().unwrap().value, "ポ22表");
    document.set("k", "示").unwrap();
    assert_eq!(document.bytes(), [lines[0], lines[1], lines[2], b"k = \"\x8e\xa6\"\r\n"].concat());
}

#[test]
fn names_that_no_entry_can_have_are_refused() {
    for key in ["", "a b", "a\tb", "a=b", "a#b", "\"a\"", "a\nb", "ä", "a\0"] {
        let invalid = Error::InvalidName { key: key.to_owned() };
        let mut document = document("");
        assert_eq!(document.get(key), Err(invalid.clone()), "{key}");
        assert_eq!(document.set(key, "1"), Err(invalid.clone()), "{key}");
        assert_eq!(document.remove(key), Err(invalid), "{key}");
    }
}

#[test]
fn what_the_whole_file_hangs_on_stays() {
    let fixed = Error::EncodingIsFixed { key: ".Encoding".to_owned() };
    let text = ".encoding = \"UTF-8\"\n";
    assert_eq!(edited(text, |document| document.set(".Encoding", "GBK")), Err(fixed.clone()));
    assert_eq!(edited(text, |document| document.remove(".Encoding").map(drop)), Err(fixed.clone()));
    assert_eq!(edited("", |document| document.set(".Encoding", "UTF-8")), Err(fixed));
    assert_eq!(edited(text, |document| document.set(".Encoding", "UTF-8")), Ok(text.to_owned()));

    let mut document = document("config.version = \"8\"\n");
    assert_eq!(document.remove("virtualHW.version"), Ok(true));
    assert_eq!(document.remove("config.version"), Err(Error::Essential { key: "config.version".to_owned() }));
    assert_eq!(document.bytes(), b"config.version = \"8\"\n");
}

#[test]
fn a_file_with_two_encodings_is_refused() {
    let text = format!("{MARK}.encoding = \"GBK\"\n.encoding = \"UTF-8\"\n");
    let refused = Document::parse(text.into_bytes());
    assert_eq!(refused, Err(Error::Duplicate { key: ".encoding".to_owned(), first_line: 2, second_line: 3 }));
}

#[test]
fn debug_output_keeps_secrets() {
    let shown = format!("{:?}", document("vnc.password = \"hunter2\"\n"));
    assert!(!shown.contains("hunter2") && shown.contains("entries: 2"), "{shown}");
}
