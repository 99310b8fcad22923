use super::Encoding;
use crate::error::Error;

fn declared(label: &str) -> Encoding {
    Encoding::declared(label.to_owned(), 1).unwrap()
}

#[test]
fn values_are_read_in_the_declared_encoding() {
    for (label, bytes, expected) in [
        ("UTF-8", &b"caf\xc3\xa9"[..], "café"),
        ("utf8", b"caf\xc3\xa9", "café"),
        ("windows-1252", b"caf\xe9", "café"),
        ("GBK", b"\xd0\xe9", "虚"),
        ("Shift_JIS", b"\x95\x5c\x8e\xa6", "表示"),
        // The second byte of ポ is a `|`, and `41` is no escape.
        ("Shift_JIS", b"\x83\x7c41", "ポ41"),
        ("Shift_JIS", b"\x83\x7c|41", "ポA"),
        ("UTF-8", b"\xe9|22", "\\xE9\""),
        ("klingon", b"caf\xc3\xa9", "café"),
        ("klingon", b"caf\xe9\xff", "caf\\xE9\\xFF"),
    ] {
        assert_eq!(declared(label).value(bytes).text, expected, "{label} {bytes:?}");
    }
    assert_eq!(Encoding::undeclared(false).value(b"caf\xc3\xa9").text, "café");
    assert_eq!(Encoding::undeclared(false).value(b"caf\xe9").text, "caf\\xE9");
}

#[test]
fn escapes_below_80_are_undone_and_others_stay() {
    for (bytes, expected) in [
        ("|22x|22", "\"x\""),
        ("|7C41", "|41"),
        ("|7c", "|"),
        ("a|0Ab", "a\nb"),
        ("|", "|"),
        ("|4", "|4"),
        ("|4g", "|4g"),
        ("|+1", "|+1"),
        ("||41", "|A"),
        ("|80|FF", "|80|FF"),
        ("|é", "|é"),
    ] {
        assert_eq!(declared("UTF-8").value(bytes.as_bytes()).text, expected, "{bytes}");
    }
}

#[test]
fn values_are_written_in_the_declared_encoding_or_not_at_all() {
    for (encoding, value, expected) in [
        (declared("UTF-8"), "é \" | \n \t \u{7f} #", Some(&b"\xc3\xa9 |22 |7C |0A \t |7F #"[..])),
        (declared("windows-1252"), "é", Some(b"\xe9")),
        (declared("windows-1252"), "表", None),
        (declared("CP1252"), "€", Some(b"\x80")),
        (declared("ISO-8859-1"), "é", Some(b"\xe9")),
        // The byte of € in windows-1252 is a control character here.
        (declared("ISO-8859-1"), "€", None),
        (declared("US-ASCII"), "é", None),
        (declared("Shift_JIS"), "表", Some(b"\x95\x5c")),
        // A reader that decodes escapes first reads a second byte `|` as an escape.
        (declared("Shift_JIS"), "ポ", None),
        (declared("GBK"), "虚", Some(b"\xd0\xe9")),
        // Shift_JIS writes both as the one byte of `\`.
        (declared("Shift_JIS"), "¥", None),
        (declared("klingon"), "é", None),
        (declared("klingon"), "e", Some(b"e")),
        (Encoding::undeclared(false), "é", None),
        (Encoding::undeclared(false), "e", Some(b"e")),
        // A byte order mark says UTF-8.
        (Encoding::undeclared(true), "é", Some(b"\xc3\xa9")),
    ] {
        assert_eq!(encoding.encode("k", value).ok().as_deref(), expected, "{encoding}: {value}");
    }
}

#[test]
fn errors_name_the_key_and_the_encoding() {
    for (encoding, expected) in [
        (
            declared("windows-1252"),
            "the value of k cannot be written into this file, which has the encoding windows-1252",
        ),
        (
            declared("klingon"),
            "the value of k cannot be written into this file, which has the unknown encoding klingon",
        ),
        (
            Encoding::undeclared(false),
            "the value of k cannot be written into this file, which has no declared encoding",
        ),
    ] {
        assert_eq!(encoding.encode("k", "表").unwrap_err().to_string(), expected);
    }
    assert_eq!(declared("UTF-8").encode("k", "a\0"), Err(Error::NulInValue { key: "k".to_owned() }));
}

#[test]
fn encodings_that_reuse_ascii_bytes_are_refused() {
    for label in ["UTF-16LE", "utf-16", "ISO-2022-JP", "iso-2022-kr"] {
        let refused = Encoding::declared(label.to_owned(), 3);
        assert_eq!(refused, Err(Error::UnsupportedEncoding { label: label.to_owned(), line: 3 }));
    }
}
