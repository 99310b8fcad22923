use super::{entry, lines, unquote};

#[test]
fn entries_are_what_vmware_reads_as_such() {
    for (line, expected) in [
        ("name = \"value\"", Some(("name", "value"))),
        ("name=\"value\"", Some(("name", "value"))),
        (" \tname\t = \t\"a b # = c\" \t", Some(("name", "a b # = c"))),
        ("name = \"value\"# comment", Some(("name", "value"))),
        ("name = \"value\" # \"comment\" = 1", Some(("name", "value"))),
        (".encoding = UTF-8", Some((".encoding", "UTF-8"))),
        ("name = value # comment", Some(("name", "value"))),
        ("name = value#comment", Some(("name", "value"))),
        ("name = a=b\"c", Some(("name", "a=b\"c"))),
        ("\"name\" = 1", Some(("\"name\"", "1"))),
        ("name =", Some(("name", ""))),
        ("name =  # comment", Some(("name", ""))),
        ("name = \"\"", Some(("name", ""))),
        ("name == 1", None),
        ("", None),
        (" \t", None),
        ("# name = \"value\"", None),
        ("#!/usr/bin/vmware", None),
        ("name", None),
        ("name # = 1", None),
        ("two names = 1", None),
        ("= 1", None),
        ("name = two values", None),
        ("name = \"open", None),
        ("name = \"value\" more", None),
        ("name = \"value\"more", None),
        ("name = \"", None),
    ] {
        let found = entry(line.as_bytes()).map(|parts| {
            let [name, token] = [&line[parts.name], &line[parts.token]];
            (name, std::str::from_utf8(unquote(token.as_bytes())).unwrap())
        });
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn a_value_of_one_quote_is_no_quoted_value() {
    assert_eq!(unquote(b"\""), b"\"");
    assert_eq!(unquote(b"\"\""), b"");
}

#[test]
fn lines_end_in_three_ways() {
    let file = b"\xef\xbb\xbfa\nb\r\nc\r\r\n\n\rd";
    let found: Vec<(usize, &[u8], &[u8])> =
        lines(file).map(|line| (line.start, line.content, line.end.bytes())).collect();
    let expected: [(usize, &[u8], &[u8]); 7] = [
        (3, b"a", b"\n"),
        (5, b"b", b"\r\n"),
        (8, b"c", b"\r"),
        (10, b"", b"\r\n"),
        (12, b"", b"\n"),
        (13, b"", b"\r"),
        (14, b"d", b""),
    ];
    assert_eq!(found, expected);
}
