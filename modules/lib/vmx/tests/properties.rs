//! What holds for every file that can be generated, and every edit of it.

mod invariants;

use proptest::prelude::*;
use proptest::sample::select;
use vmx::{Document, Error, diff};

/// Few enough that generated files define them twice.
const KEYS: [&str; 6] = ["replay.supported", "REPLAY.Supported", "displayName", "guestinfo.a", "vnc.password", "x"];

/// Line ends; the weights of one file make most of its lines alike.
fn line_end() -> impl Strategy<Value = &'static [u8]> {
    select(vec![&b"\n"[..], b"\n", b"\r\n", b"\r"])
}

/// Values as bytes: with escapes, and with characters of Shift_JIS and GBK whose second byte is `|` or `\`.
fn raw_value() -> impl Strategy<Value = Vec<u8>> {
    let pieces =
        [&b"TRUE"[..], b"true", b"a", b"41", b"|22", b"|7C", b"|", b"\x83\x7c", b"\x83\x5c", b"\xe9", b"\xc3\xa9"];
    prop::collection::vec(select(pieces.to_vec()), 0..4).prop_map(|pieces| pieces.concat())
}

fn blanks() -> impl Strategy<Value = &'static [u8]> {
    select(vec![&b""[..], b" ", b"\t", b"  "])
}

fn entry() -> impl Strategy<Value = Vec<u8>> {
    let value = (any::<bool>(), raw_value()).prop_map(|(quoted, value)| {
        let quote = if quoted { &b"\""[..] } else { b"" };
        [quote, &value, quote].concat()
    });
    let comment = select(vec![&b""[..], b"", b"# c", b"#=\"x\""]);
    (blanks(), select(&KEYS[..]), blanks(), blanks(), value, blanks(), comment).prop_map(
        |(before, key, left, right, value, after, comment)| {
            [before, key.as_bytes(), left, b"=", right, &value, after, comment].concat()
        },
    )
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let other = [
        "",
        "  \t",
        "# replay.supported = \"x\"",
        "#!/usr/bin/vmware",
        "replay.supported",
        "x = \"a",
        "x = a b",
        "= 1",
    ];
    prop_oneof![
        4 => entry(),
        1 => select(other.to_vec()).prop_map(|line| line.as_bytes().to_vec()),
        1 => prop::collection::vec(1u8.., 0..12),
    ]
}

/// Files with a byte order mark or without, an encoding or none, and any line end after any line.
fn file() -> impl Strategy<Value = Vec<u8>> {
    let encoding = select(vec!["", "UTF-8", "Shift_JIS", "GBK", "windows-1252", "klingon"]);
    let lines = prop::collection::vec((line(), line_end()), 0..12);
    (any::<bool>(), encoding, lines, line_end(), any::<bool>(), any::<prop::sample::Index>()).prop_map(
        |(mark, encoding, mut lines, end, unterminated, place)| {
            let place = place.index(lines.len() + 1);
            lines.insert(place, (b"config.version = \"8\"".to_vec(), end));
            if !encoding.is_empty() {
                lines.insert(0, (format!(".encoding = \"{encoding}\"").into_bytes(), end));
            }
            if let Some((_, last)) = lines.last_mut()
                && unterminated
            {
                *last = b"";
            }
            let mut file = if mark { b"\xef\xbb\xbf".to_vec() } else { Vec::new() };
            for (line, end) in lines {
                file.extend([line.as_slice(), end].concat());
            }
            file
        },
    )
}

/// Values that people ask for, some of them not to be had in every encoding.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["", "TRUE", "a b", "|22", "say \"x\" # y = |", "ü", "ポソ表", "a\u{1}\n\r\tb", "¥", "\u{7f}"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&KEYS[..]).prop_map(str::to_owned), 1 => "[!$-<>-~]{1,12}", 1 => Just("config.version".to_owned())]
}

fn document() -> impl Strategy<Value = Document> {
    file().prop_filter_map("a .vmx file", |file| invariants::parse(&file))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn edits_touch_their_own_entries_only(mut document in document(), edits in prop::collection::vec((any::<bool>(), key(), value()), 1..4)) {
        for (is_set, key, value) in edits {
            let result = if is_set {
                invariants::set(&mut document, &key, &value)
            } else {
                invariants::remove(&mut document, &key).map(drop)
            };
            let expected = matches!(
                result,
                Ok(()) | Err(Error::Duplicate { .. } | Error::Unencodable { .. } | Error::NulInValue { .. } | Error::Essential { .. })
            );
            prop_assert!(expected, "{key}: {result:?}");
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(file in prop::collection::vec(any::<u8>(), 0..200)) {
        invariants::parse(&file);
        invariants::parse(&[b"config.version=8\n", file.as_slice()].concat());
    }

    #[test]
    fn every_utf8_value_can_be_written_and_read_back(value in "[^\0]*") {
        let mut document = Document::parse(b".encoding = \"UTF-8\"\nconfig.version = \"8\"\n".to_vec())?;
        prop_assert_eq!(invariants::set(&mut document, "displayName", &value), Ok(()));
    }

    #[test]
    fn secrets_stay_out_of_the_diff(before in document(), secret in "[A-Z]{5}[0-9]{5}") {
        let mut after = before.clone();
        for key in ["vnc.password", "guestinfo.dataFileKey.1"] {
            if after.set(key, &secret).is_ok() {
                let shown = diff(&before, &after, "before", "after");
                prop_assert!(shown.contains("+++ after"));
                prop_assert!(!shown.contains(&secret));
            }
        }
    }
}

#[test]
fn the_corpus_of_the_fuzzer_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/vmx_edit");
    for file in std::fs::read_dir(folder).unwrap() {
        invariants::input(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
