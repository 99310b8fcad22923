use std::io::{self, Read};
use std::rc::Rc;

use proptest::prelude::*;

use super::{BLOCK, HISTORY, REACH, Scanner, Sizes};
use crate::catalogue::Catalogue;

const NEEDLE: &str = "failed to read stream keepalive";
const REAL: Sizes = Sizes { block: BLOCK, history: HISTORY, reach: REACH };

fn catalogue() -> Rc<Catalogue> {
    let json = format!(
        r#"[{{"id": "a", "title": "A", "severity": "error", "cause": "c", "patterns": ["{NEEDLE}"], "codes": ["0xbad003f"],
            "logs": [], "source": "s", "remedies": []}}]"#
    );
    Rc::new(Catalogue::parse(&json).unwrap())
}

/// A reader that gives a limited number of bytes at a time.
struct Sips<'a>(&'a [u8], usize);

impl Read for Sips<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.1);
        self.0.read(&mut buffer[..most])
    }
}

/// A reader whose every second call a signal interrupts.
struct Interrupted<'a>(&'a [u8], bool);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 { Err(io::ErrorKind::Interrupted.into()) } else { self.0.read(buffer) }
    }
}

#[test]
fn an_interrupted_read_is_repeated() {
    let text = format!("a\n{NEEDLE}\n");
    let mut scanner = Scanner::of(&catalogue(), REAL);
    let (mut found, mut reader) = (Vec::new(), Interrupted(text.as_bytes(), false));
    while scanner.step(&mut reader, &mut |hit| found.push(hit.number)).unwrap() {}
    assert_eq!((found, scanner.lines()), scan(text.as_bytes(), REAL, usize::MAX));
}

#[test]
fn a_hit_shows_a_limited_part_of_a_long_line_and_its_place_in_it() {
    let text = format!("{}{NEEDLE}{}\n", "a".repeat(300), "b".repeat(300));
    let sizes = Sizes { reach: 16, ..REAL };
    let mut scanner = Scanner::of(&catalogue(), sizes);
    let mut found = Vec::new();
    let mut reader = text.as_bytes();
    while scanner
        .step(&mut reader, &mut |hit| found.push((String::from_utf8(hit.text.to_vec()).unwrap(), hit.at)))
        .unwrap()
    {}
    assert_eq!(found, [(format!("{}{NEEDLE}{}", "a".repeat(16), "b".repeat(16)), 16)]);
}

/// Returns the numbers of the matching lines, and the number of lines.
fn scan(text: &[u8], sizes: Sizes, sip: usize) -> (Vec<u64>, u64) {
    let mut scanner = Scanner::of(&catalogue(), sizes);
    let (mut found, mut reader) = (Vec::new(), Sips(text, sip));
    while scanner.step(&mut reader, &mut |hit| found.push(hit.number)).unwrap() {}
    assert_eq!(scanner.bytes(), text.len() as u64);
    (found, scanner.lines())
}

/// The same, by looking at one line after the other.
fn naively(text: &[u8]) -> (Vec<u64>, u64) {
    let catalogue = catalogue();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let bear = |line: &&[u8]| catalogue.borne_by(&line.to_ascii_lowercase()).is_some();
    let found = (1u64..).zip(&lines).filter(|(_, line)| bear(line)).map(|(number, _)| number).collect();
    // Text after the last line feed is a line only if it is not empty.
    (found, lines.len() as u64 - u64::from(lines.last().is_some_and(|last| last.is_empty())))
}

#[test]
fn a_hit_on_the_border_of_two_blocks_is_found_once_with_its_number() {
    for border in [BLOCK + HISTORY, 2 * BLOCK + HISTORY] {
        for short in [0, 1, NEEDLE.len() / 2, NEEDLE.len() - 1, NEEDLE.len()] {
            for filler in [b"x".as_slice(), b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"] {
                let mut text: Vec<u8> = filler.iter().copied().cycle().take(border - short).collect();
                text.extend_from_slice(NEEDLE.as_bytes());
                text.extend_from_slice(b" tail\nlast");
                assert_eq!(scan(&text, REAL, usize::MAX), naively(&text), "{border} - {short}");
            }
        }
    }
}

#[test]
fn whatever_a_file_holds_it_is_read_to_its_end() {
    let long = [vec![b'y'; 3_000_000], b" FAILED TO READ STREAM KEEPALIVE ".to_vec(), vec![0; 3_000_000]].concat();
    let cases: [(&[u8], Vec<u64>, u64); 6] = [
        (b"", vec![], 0),
        (b"\n", vec![], 1),
        (b"no end", vec![], 1),
        (b"a\r\nb Failed To Read Stream Keepalive\r\nc\0\xff\xfe\n", vec![2], 3),
        (b"code 195887167\n0xBAD003F,\n0xbad003f0\n", vec![1, 2], 3),
        (&long, vec![1], 1),
    ];
    for (text, found, lines) in cases {
        assert_eq!(scan(text, REAL, usize::MAX), (found, lines));
    }
}

#[test]
fn a_line_full_of_hits_takes_no_longer_than_another() {
    // A hundred thousand hits in one line: looking at its 64 KiB for each of them would take minutes.
    let text = NEEDLE.repeat(300_000);
    assert_eq!(scan(text.as_bytes(), REAL, usize::MAX), (vec![1], 1));
}

#[test]
fn a_reader_that_fails_has_its_lines_told_before() {
    struct Broken<'a>(&'a [u8]);
    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                other => other,
            }
        }
    }
    let text = format!("one\n{NEEDLE}\nthr");
    let mut scanner = Scanner::new(&catalogue());
    let mut found = Vec::new();
    let error = scanner.step(&mut Broken(text.as_bytes()), &mut |hit| found.push(hit.number)).unwrap_err();
    assert_eq!((error.kind(), found), (io::ErrorKind::UnexpectedEof, vec![2]));
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(NEEDLE.to_owned()),
        Just(NEEDLE.to_uppercase()),
        Just(" 0xbad003f ".to_owned()),
        // The start of a hit, which may or may not go on.
        (0..NEEDLE.len()).prop_map(|length| NEEDLE[..length].to_owned()),
        "[a-z \n]{0,60}",
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
    ]
}

proptest! {
    #[test]
    fn every_hit_is_found_whatever_the_blocks(
        pieces in prop::collection::vec(piece(), 0..60),
        block in 64usize..300,
        history in 40usize..200,
        sip in 1usize..400,
    ) {
        let text = pieces.concat().into_bytes();
        let sizes = Sizes { block, history, reach: 80 };
        prop_assert_eq!(scan(&text, sizes, sip), naively(&text));
    }
}
