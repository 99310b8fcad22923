use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use contract::{Change as _, Error, Kind, Plan, Scalar};
use vmx::Document;
use vmx::store::{LIMIT, Meta, Stored};

use super::{Hostd, Observed, plan};
use crate::args::State;
use crate::options::{Change, Found};

const FILE: &str = "virtualHW.version = \"8\"\nreplay.allowFT = \"FALSE\"\nreplay.filename = \"\"\n";

fn observed(text: &str, asked: &[&str]) -> Observed {
    let document = Document::parse(text.as_bytes().to_vec()).unwrap();
    let options = asked.iter().map(|asked| match document.get(asked).unwrap() {
        Some(entry) => Found { asked: (*asked).to_owned(), key: entry.name, value: Some(entry.value) },
        None => Found { asked: (*asked).to_owned(), key: (*asked).to_owned(), value: None },
    });
    let path = PathBuf::from("/vmfs/volumes/ds/inner/inner.vmx");
    let meta = Meta { dev: 1, ino: 1, len: 1, mtime: (0, 0), mode: 0o600, uid: 0, gid: 0 };
    Observed {
        options: options.collect(),
        asked: path.clone(),
        stored: Rc::new(Stored { document: document.clone(), link: None, path, meta }),
        document: Rc::new(document),
        in_use: Vec::new(),
        hostd: Hostd::NotAsked,
        backup: None,
        reloaded: false,
    }
}

fn planned(observed: &Observed, state: State, follow: bool) -> Result<Plan<Change>, Error> {
    let value = |found: &Found| (found.asked.clone(), Scalar::Text("true".to_owned()));
    let options: BTreeMap<String, Scalar> = observed.options.iter().map(value).collect();
    plan(&options, state, follow, observed)
}

#[test]
fn the_edited_file_holds_what_was_asked_for_and_a_second_plan_is_empty() {
    let cases = [
        (State::Present, "virtualHW.version = \"8\"\nreplay.allowFT = \"true\"\nreplay.filename = \"true\"\n"),
        // In a file an empty value is an entry; `absent` means no entry.
        (State::Absent, "virtualHW.version = \"8\"\n"),
    ];
    for (state, expected) in cases {
        let seen = observed(FILE, &["replay.allowft", "replay.filename"]);
        let change = planned(&seen, state, false).unwrap().change;
        let edited = change.edited.unwrap();
        assert_eq!(edited.text(), expected);
        let again = observed(&edited.text(), &["replay.allowft", "replay.filename"]);
        let change = planned(&again, state, false).unwrap().change;
        assert!(change.is_empty());
        assert_eq!(change.edited.unwrap().bytes(), edited.bytes());
    }
}

#[test]
fn a_machine_in_use_stands_in_the_way_of_a_change_and_of_nothing_else() {
    let sign = "/vm/inner.vmx.lck says that the .vmx file is locked".to_owned();
    let to_do = Observed { in_use: vec![sign.clone()], ..observed(FILE, &["replay.allowFT"]) };
    let plan = planned(&to_do, State::Present, false).unwrap();
    assert_eq!(plan.blockers.iter().map(|blocker| &blocker.1).collect::<Vec<_>>(), [&sign]);
    let done = Observed { in_use: vec![sign], ..observed(&FILE.replace("FALSE", "TRUE"), &["replay.allowFT"]) };
    assert_eq!(planned(&done, State::Present, false).unwrap().blockers.len(), 0);
}

#[test]
fn a_link_is_followed_only_when_that_is_asked_for() {
    let file = observed(FILE, &["replay.allowFT"]);
    let mut stored = Stored::clone(&file.stored);
    stored.link = Some(PathBuf::from("../elsewhere.vmx"));
    let link = Observed { stored: Rc::new(stored), ..file };
    let error = planned(&link, State::Present, false).unwrap_err();
    assert!(error.kind == Kind::Conflict && error.message().contains("../elsewhere.vmx"), "{}", error.message());
    assert!(!planned(&link, State::Present, true).unwrap().change.is_empty());
}

#[test]
fn a_reload_needs_its_tool_before_anything_is_written_and_a_machine_only_after_a_change() {
    let seen = |hostd, text: &str| Observed { hostd, ..observed(text, &["replay.allowFT"]) };
    let done = FILE.replace("FALSE", "TRUE");
    assert_eq!(planned(&seen(Hostd::NoTool, FILE), State::Present, false).unwrap_err().kind, Kind::Unsupported);
    for (hostd, text, warned) in
        [(Hostd::NotRegistered, FILE, true), (Hostd::NotRegistered, &done, false), (Hostd::NotAsked, FILE, false)]
    {
        let plan = planned(&seen(hostd.clone(), text), State::Present, false).unwrap();
        assert_eq!((!plan.warnings.is_empty(), plan.change.reload), (warned, None), "{hostd:?}: {:?}", plan.warnings);
    }
}

/// The host's options, the file's content, the wanted state, and whether the host must read the file again.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, State, bool);

#[test]
fn the_host_reads_the_file_again_when_it_is_written_or_when_what_it_knows_is_old() {
    let done = FILE.replace("FALSE", "TRUE");
    let cases: [Case; 9] = [
        (&[], FILE, State::Present, true),
        (&[], &done, State::Present, false),
        (&[("replay.allowFT", "true")], &done, State::Present, false),
        (&[("Replay.AllowFT", "FALSE")], &done, State::Present, true),
        (&[("nvram", "inner.nvram")], &done, State::Present, true),
        (&[("nvram", "inner.nvram")], "virtualHW.version = \"8\"\n", State::Absent, false),
        (&[("replay.allowFT", "TRUE")], "virtualHW.version = \"8\"\n", State::Absent, true),
        (&[("replay.allowFT", "")], "virtualHW.version = \"8\"\n", State::Absent, false),
        (&[("replay.allowFT", "TRUE")], FILE, State::Absent, true),
    ];
    for (known, text, state, expected) in cases {
        let known = known.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let hostd = Hostd::Registered { vmid: 7, known: Rc::new(known) };
        let change = planned(&Observed { hostd: hostd.clone(), ..observed(text, &["replay.allowFT"]) }, state, false);
        let change = change.unwrap().change;
        assert_eq!(
            (change.reload, change.is_empty()),
            (expected.then_some(7), !expected),
            "{hostd:?}, {text}, {state:?}"
        );
    }
}

#[test]
fn what_the_file_says_beside_the_options_is_told() {
    let cases = [
        (format!("{FILE}a = \"1\"\nA = \"2\"\n"), "lines 4 and 5"),
        (FILE.replace("\"8\"", "\"13\""), "has no effect"),
    ];
    for (text, expected) in cases {
        let warnings = planned(&observed(&text, &["replay.allowFT"]), State::Present, false).unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(expected), "{warnings:?}");
    }
    let warnings = planned(&observed(FILE, &["replay.allowFT"]), State::Present, false).unwrap().warnings;
    assert_eq!(warnings, Vec::<String>::new());
}

/// A larger file could not be read again.
#[test]
fn a_file_that_would_get_too_large_is_refused() {
    let limit = usize::try_from(LIMIT).unwrap();
    for (length, fits) in [(limit, true), (limit + 1, false)] {
        // FALSE becomes true, a byte less.
        let text = format!("{FILE}#{}\n", "x".repeat(length + 1 - FILE.len() - 2));
        let planned = planned(&observed(&text, &["replay.allowFT"]), State::Present, false);
        assert_eq!(
            planned.map(drop).map_err(|error| error.kind),
            if fits { Ok(()) } else { Err(Kind::InvalidArguments) }
        );
    }
}

#[test]
fn a_value_that_the_file_cannot_hold_is_refused_before_anything_is_written() {
    let seen = observed(FILE, &["replay.allowFT"]);
    let options = [("replay.allowFT".to_owned(), Scalar::Text("日本".to_owned()))].into();
    let error = plan(&options, State::Present, false, &seen).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidArguments);
    assert!(error.detail.contains("replay.allowFT") && error.detail.contains("inner.vmx"), "{}", error.detail);
}
