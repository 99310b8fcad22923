//! What holds for every file and every edit, told by a reader of its own. The property tests and the fuzzer share it.

use vmx::{Document, Error, diff};

/// An entry as this reader finds it: the line's bytes around the value.
struct Found<'a> {
    name: &'a [u8],
    /// Up to and including the `=`.
    head: &'a [u8],
    /// Behind the value, with the line end.
    tail: &'a [u8],
}

/// The lines of a file with their line ends. A byte order mark is a line of its own.
fn lines(file: &[u8]) -> Vec<&[u8]> {
    let (mark, mut rest) = file.split_at(if file.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 });
    let mut lines = vec![mark];
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| b"\r\n".contains(byte));
        let length = end.map_or(rest.len(), |at| at + if rest[at..].starts_with(b"\r\n") { 2 } else { 1 });
        let (line, others) = rest.split_at(length);
        lines.push(line);
        rest = others;
    }
    lines
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn found(line: &[u8]) -> Option<Found<'_>> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let name = trimmed(&line[..equals]);
    if name.is_empty() || name.iter().any(|byte| b" \t#\r\n".contains(byte)) {
        return None;
    }
    let (head, rest) = line.split_at(equals + 1);
    let value = rest.iter().position(|byte| !b" \t".contains(byte)).map_or(&b""[..], |at| &rest[at..]);
    let tail = match value {
        [b'"', inside @ ..] => &inside[inside.iter().position(|byte| b"\"\r\n".contains(byte))?..],
        _ => &value[value.iter().position(|byte| b" \t#\r\n".contains(byte)).unwrap_or(value.len())..],
    };
    let tail = match (value.first(), tail) {
        (Some(b'"'), [b'"', tail @ ..]) => tail,
        (Some(b'"'), _) => return None,
        (_, tail) => tail,
    };
    let behind = tail.iter().find(|byte| !b" \t".contains(byte));
    behind.is_none_or(|byte| b"#\r\n".contains(byte)).then_some(Found { name, head, tail })
}

fn is_entry_of(line: &[u8], key: &str) -> bool {
    found(line).is_some_and(|found| found.name.eq_ignore_ascii_case(key.as_bytes()))
}

/// A file comes back as it was, and a second reading finds the same.
pub fn parse(file: &[u8]) -> Option<Document> {
    let document = Document::parse(file.to_vec()).ok()?;
    assert_eq!(document.bytes(), file, "parsing changed the file");
    assert_eq!(diff(&document, &document, "a", "b"), "");
    let _ = (document.text(), document.conflicts());
    Some(document)
}

/// Reading the bytes after an edit finds the edited state, and a failed edit changes nothing.
fn edit<T>(document: &mut Document, edit: impl FnOnce(&mut Document) -> Result<T, Error>) -> Result<T, Error> {
    let before = document.clone();
    let result = edit(document);
    match &result {
        Ok(_) => assert_eq!(Document::parse(document.bytes().to_vec()).as_ref(), Ok(&*document), "the books are wrong"),
        Err(_) => assert_eq!(*document, before, "a failed edit changed something"),
    }
    result
}

/// Sets `key`, and checks that nothing else changed and that it can be read back.
pub fn set(document: &mut Document, key: &str, value: &str) -> Result<(), Error> {
    let before = document.clone();
    let was = before.get(key)?;
    edit(document, |document| document.set(key, value))?;
    let now = document.get(key)?.map(|entry| entry.value);
    assert_eq!(now.as_deref(), Some(value), "what was set is not what is read");

    let once = document.clone();
    edit(document, |document| document.set(key, value))?;
    assert_eq!(document.bytes(), once.bytes(), "setting it again changed something");

    if was.is_some() {
        check_replaced(&before, document, key);
    } else {
        check_added(&before, document, key);
    }
    if before.bytes().is_ascii() && document.bytes() != before.bytes() {
        assert_ne!(diff(&before, document, "a", "b"), "", "the diff does not show it");
    }
    Ok(())
}

fn check_replaced(before: &Document, after: &Document, key: &str) {
    let (old, new) = (lines(before.bytes()), lines(after.bytes()));
    assert_eq!(old.len(), new.len(), "lines came or went");
    for (old, new) in old.into_iter().zip(new) {
        if old == new {
            continue;
        }
        let parts = found(old).filter(|found| found.name.eq_ignore_ascii_case(key.as_bytes()));
        let parts = parts.unwrap_or_else(|| panic!("another line changed: {:?}", old.escape_ascii().to_string()));
        let middle = new.strip_prefix(parts.head).and_then(|rest| rest.strip_suffix(parts.tail));
        let middle = middle.map(trimmed);
        let quoted =
            middle.is_some_and(|middle| middle.starts_with(b"\"") && middle.ends_with(b"\"") && middle.len() > 1);
        assert!(quoted, "more than the value changed: {}", new.escape_ascii());
    }
}

fn check_added(before: &Document, after: &Document, key: &str) {
    let added = after.bytes().strip_prefix(before.bytes());
    let added = added.unwrap_or_else(|| panic!("something before the new line changed"));
    let terminated = before.bytes().ends_with(b"\n") || before.bytes().ends_with(b"\r");
    let ends_line = |bytes: &[u8]| bytes.ends_with(b"\n") || bytes.ends_with(b"\r");
    assert_eq!(ends_line(added), terminated, "the last line ends otherwise than before");
    assert_eq!(lines(after.bytes()).len(), lines(before.bytes()).len() + 1);

    let mut back = after.clone();
    assert_eq!(edit(&mut back, |document| document.remove(key)), Ok(true));
    if terminated {
        assert_eq!(back.bytes(), before.bytes(), "adding and removing does not give back the file");
    } else {
        let end = back.bytes().strip_prefix(before.bytes());
        assert!(end.is_some_and(|end| [&b"\n"[..], b"\r\n", b"\r"].contains(&end)));
    }
}

/// Removes `key`, and checks that its own lines are gone and all others are there.
pub fn remove(document: &mut Document, key: &str) -> Result<bool, Error> {
    let before = document.clone();
    let was = before.get(key)?.is_some();
    let removed = edit(document, |document| document.remove(key))?;
    assert_eq!(removed, was);
    let others: Vec<&[u8]> = lines(before.bytes()).into_iter().filter(|line| !is_entry_of(line, key)).collect();
    assert_eq!(document.bytes(), others.concat(), "other lines changed");
    Ok(removed)
}

/// Checks a file, a NUL, and edits, one a line: `s` with `key=value` sets, `r` with a key removes.
pub fn input(input: &[u8]) {
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let Some(mut document) = parse(parts.next().unwrap_or_default()) else {
        return;
    };
    let edits = String::from_utf8_lossy(parts.next().unwrap_or_default());
    for line in edits.split('\n').take(8) {
        // Errors are answers; what must hold with them is checked inside.
        if let Some(edit) = line.strip_prefix('s') {
            let (key, value) = edit.split_once('=').unwrap_or((edit, ""));
            let _ = set(&mut document, key, value);
        } else if let Some(key) = line.strip_prefix('r') {
            let _ = remove(&mut document, key);
        }
    }
}
