//! One line of a log: its time, if it has one, and what of it is shown.

use crate::time::Timestamp;

/// The number of characters shown of a line.
const SHOWN: usize = 500;
/// The number of characters shown before the hit in a longer line.
const LEAD: usize = 100;

/// When the line was written, if it begins with a whole date and time, as those of ESXi 5 and later do. ESXi 4 leaves out the
/// year, and vmkernel lines of that time count from the start of the host.
pub fn time(line: &str) -> Option<Timestamp> {
    // syslog puts a priority or a name in front.
    let line = line.trim_start();
    let line = line.strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or(line, |(_, rest)| rest);
    Timestamp::parse_prefix(line).map(|(time, _)| time)
}

/// The line as text: damaged characters replaced, and of a long one what surrounds the byte `at`.
pub fn shown(line: &[u8], at: usize) -> String {
    let trimmed = line.trim_ascii_end();
    let trimmed = &trimmed[..trimmed.len() - trimmed.iter().rev().take_while(|byte| **byte == 0).count()];
    let text = String::from_utf8_lossy(trimmed);
    let count = text.chars().count();
    if count <= SHOWN {
        return text.into_owned();
    }
    let before = String::from_utf8_lossy(&line[..at.min(line.len())]).chars().count();
    // The start of a line has its time and its source: it is left out only where the hit is far behind it.
    let from = if before + LEAD < SHOWN { 0 } else { (before - LEAD).min(count - SHOWN) };
    let head = if from > 0 { "…" } else { "" };
    let tail = if from + SHOWN < count { "…" } else { "" };
    let room = SHOWN - head.chars().count() - tail.chars().count();
    format!("{head}{}{tail}", text.chars().skip(from + head.chars().count()).take(room).collect::<String>())
}

/// The last `count` lines of `bytes`, each with how many lines before the end it is.
pub fn last_lines(bytes: &[u8], count: usize) -> Vec<(u64, &[u8])> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<(u64, &[u8])> = (1u64..).zip(whole.rsplit(|byte| *byte == b'\n')).take(count).collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_from_prefixes_of_every_era_and_missed_from_none() {
        let cases = [
            ("2011-07-31T17:31:39.314Z| vcpu-0| text", true),
            ("2014-11-08T03:11:10.313Z| vcpu-0| I120: text", true),
            ("2014-11-08T03:11:10.313Z cpu5:3343193)WARNING: VMotion: 3680: text", true),
            ("2023-04-05T06:07:08.123Z In(05) vmx - text", true),
            ("2023-04-05T06:07:08.123Z In(182) vmkernel: cpu5:2098123)text", true),
            ("<181>2023-04-05T06:07:08.123Z esxi01 vmkernel: text", true),
            ("Jul 31 17:31:39.314: vcpu-0| text", false),
            ("Jul 31 17:31:39 esx01 vmkernel: 0:01:02:03.456 cpu1:4123)WARNING: text", false),
            ("text alone", false),
        ];
        for (line, expected) in cases {
            assert_eq!(time(line).is_some(), expected, "{line}");
        }
    }

    #[test]
    fn what_is_shown_of_a_line_is_short_and_has_the_hit_in_it() {
        assert_eq!(shown(b"plain\r", 0), "plain");
        assert_eq!(shown(b"nul\0\0", 0), "nul");
        assert_eq!(shown(b"in\xffvalid", 0), "in\u{fffd}valid");
        // Where the hit is in the line and in what is shown, in characters; whether something is cut off before and behind.
        for (at, shown_at, before, behind) in [
            (0, 0, false, true),
            (399, 399, false, true),
            (400, 100, true, true),
            (600, 100, true, true),
            (9_600, 100, true, false),
            (9_599, 100, true, true),
            (9_993, 493, true, false),
        ] {
            for filler in ["x", "\u{e9}"] {
                let (lead, tail) = (filler.repeat(at), filler.repeat(9_993 - at));
                let text = shown(format!("{lead}failure{tail}").as_bytes(), lead.len());
                let found = text.find("failure").map(|at| text[..at].chars().count());
                assert_eq!((text.chars().count(), found), (SHOWN, Some(shown_at)), "{at}: {text}");
                assert_eq!((text.starts_with('…'), text.ends_with('…')), (before, behind), "{at}: {text}");
            }
        }
        for (length, is_cut) in [(SHOWN, false), (SHOWN + 1, true)] {
            assert_eq!(shown("x".repeat(length).as_bytes(), 0).ends_with('…'), is_cut);
        }
    }

    #[test]
    fn the_last_lines_come_in_order() {
        let cases: [(&str, &[(u64, &str)]); 4] =
            [("", &[]), ("a\n", &[(1, "a")]), ("a\nb\nc\n", &[(2, "b"), (1, "c")]), ("\n\n", &[(2, ""), (1, "")])];
        for (text, expected) in cases {
            let expected: Vec<(u64, &[u8])> = expected.iter().map(|(back, line)| (*back, line.as_bytes())).collect();
            assert_eq!(last_lines(text.as_bytes(), 2), expected, "{text:?}");
        }
    }
}
