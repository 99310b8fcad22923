//! Properties of every log. The property tests and the fuzzer share them.

use std::io::{self, Read};
use std::rc::Rc;

use crate::catalogue::Catalogue;
use crate::inquiry::{Incident, Inquiry, Line};
use crate::line;
use crate::migration::Migration;
use crate::release::Release;
use crate::scan::Scanner;
use crate::status::Status;
use crate::time::Timestamp;

/// Size of a part of a log that is read at once, in bytes.
const SIP: usize = 100;

/// Reads a log in small parts.
struct Sips<'a>(&'a [u8]);

impl Read for Sips<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(SIP);
        self.0.read(&mut buffer[..most])
    }
}

/// Returns the signatures that `ft_diagnose` looks for.
///
/// # Panics
/// If they cannot be read.
pub fn catalogue() -> Rc<Catalogue> {
    Rc::new(Catalogue::known().expect("the signatures are valid"))
}

/// Checks a log that `catalogue` is looked for in.
///
/// # Panics
/// If a property does not hold.
pub fn log(catalogue: &Rc<Catalogue>, text: &[u8]) {
    let (mut inquiry, mut scanner, mut numbers) = (Inquiry::new(catalogue), Scanner::new(catalogue), Vec::new());
    inquiry.begin("vmware.log", 0);
    let mut tell = |hit: &crate::scan::Hit<'_>| {
        numbers.push(hit.number);
        inquiry.take(hit);
    };
    while scanner.step(&mut Sips(text), &mut tell).expect("a reader that does not fail") {}
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let ended = lines.last().is_some_and(|last| last.is_empty());
    assert_eq!((scanner.bytes(), scanner.lines()), (text.len() as u64, (lines.len() - usize::from(ended)) as u64));
    // A longer line is searched in parts.
    if lines.iter().all(|line| line.len() < 32 * 1024) {
        let bear = |line: &&[u8]| catalogue.borne_by(&line.to_ascii_lowercase()).is_some();
        let borne: Vec<u64> = (1u64..).zip(&lines).filter(|(_, line)| bear(line)).map(|(number, _)| number).collect();
        assert_eq!(numbers, borne, "the scanner finds other lines than a search of each");
    }
    assert!(inquiry.found_nothing() || !numbers.is_empty());
    let dropped = inquiry.dropped();
    let incidents = inquiry.conclude();
    assert!(incidents.len() <= 50, "{} incidents", incidents.len());
    assert!(dropped > 0 || incidents.iter().map(|it| it.count).sum::<u64>() == numbers.len() as u64);
    for it in &incidents {
        incident(catalogue, it, scanner.lines());
    }
    for text in lines.iter().take(100).map(|line| String::from_utf8_lossy(line)) {
        words(&text);
    }
}

fn incident(catalogue: &Catalogue, incident: &Incident, lines: u64) {
    let signature = &catalogue.signatures()[incident.signature];
    assert!((1..=20).contains(&incident.lines.len()) && incident.lines.len() as u64 <= incident.count);
    assert!(incident.before.len() <= signature.context);
    for line in incident.lines.iter().chain(&incident.before).chain([&incident.told_by]) {
        shown(line, lines);
    }
    assert!(incident.first_time() <= incident.last_time());
    incident.status.into_iter().for_each(status);
    incident.migration.iter().for_each(migration);
}

fn shown(line: &Line, lines: u64) {
    assert!((1..=lines).contains(&line.number), "line {} of {lines}", line.number);
    assert!(line.text.chars().count() <= 500 && !line.text.contains('\n'), "{:?}", line.text);
    line.time.into_iter().for_each(time);
}

/// Checks everything that can be read from a line.
fn words(text: &str) {
    if let Some((instant, end)) = Timestamp::parse_prefix(text) {
        assert!(text.is_char_boundary(end), "a time that ends inside a character");
        time(instant);
    }
    line::time(text).into_iter().for_each(time);
    Status::first_in(text).into_iter().for_each(status);
    Migration::find(text).iter().for_each(migration);
    if let Ok(release) = text.parse::<Release>() {
        assert_eq!(release.to_string().parse(), Ok(release), "a release does not come back");
    }
    for at in [0, text.len() / 2, text.len()] {
        assert!(line::shown(text.as_bytes(), at).chars().count() <= 500);
    }
    let last = line::last_lines(text.as_bytes(), 3);
    assert!(last.len() <= 3 && last.is_sorted_by(|one, next| one.0 == next.0 + 1));
}

fn time(instant: Timestamp) {
    let text = instant.to_string();
    let back = Timestamp::parse_prefix(&text);
    // The text has milliseconds.
    let back = back.filter(|(back, end)| *end == text.len() && back.to_string() == text);
    assert!(back.is_some_and(|(back, _)| instant.seconds_after(back) == 0), "{text} does not come back");
}

fn status(status: Status) {
    for text in [status.hex(), status.decimal().to_string()] {
        assert_eq!(Status::parse(&text), Some(status), "{text} does not come back");
    }
}

fn migration(migration: &Migration) {
    let text = match migration.peer {
        Some(peer) => format!("[{:x}:{}]", peer.to_bits(), migration.id),
        None => format!("{} S: ", migration.id),
    };
    assert_eq!(Migration::find(&text).as_ref(), Some(migration), "{text} does not come back");
    time(migration.started());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::{catalogue, log};

    const PIECES: [&str; 28] = [
        "2011-07-31T17:31:39.314Z| vcpu-0| ",
        "2014-11-08T03:11:10.313Z cpu5:3343193)WARNING: ",
        "<181>2023-04-05T06:07:08.123+14:00 esxi01 vmkernel: ",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:60-99:99 ",
        "[ac1e0050:1312133702562144]",
        "[-1407319984:1312133702562144]",
        "VMotion: 3680: 1312133702562144 S: ",
        " D: ",
        "0xbad003f",
        "195887167",
        "0xbad0109 ",
        "failed to read stream keepalive",
        "FAILED TO READ STREAM KEEPALIVE",
        "Insufficient ",
        " bandwidth",
        "[msg.",
        "[",
        ":",
        "]",
        "\0",
        "\r",
        "7.0 U3c",
        "8.0.3",
        "u",
        "é",
        " ",
        "0123456789012345",
    ];

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let catalogue = catalogue();
        let known = catalogue
            .signatures()
            .iter()
            .flat_map(|it| it.patterns.iter().chain(&it.codes).cloned())
            .collect::<Vec<_>>();
        let piece = prop_oneof![
            6 => select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
            3 => select(known).prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 0..20),
            1 => (0usize..700).prop_map(|count| vec![b'x'; count]),
        ];
        let line = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
        prop::collection::vec(line, 0..80).prop_map(|lines| lines.join(&b'\n'))
    }

    proptest! {
        #[test]
        fn all_logs_hold(text in text()) {
            log(&catalogue(), &text);
        }
    }

    #[test]
    fn the_corpus_of_the_fuzzer_holds() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/log_lines");
        for file in std::fs::read_dir(folder).unwrap() {
            log(&catalogue(), &std::fs::read(file.unwrap().path()).unwrap());
        }
    }
}
