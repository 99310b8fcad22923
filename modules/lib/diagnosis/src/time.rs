//! Points in time, as logs and migration ids have them. No time zones: what a log says is kept as it says it.

use std::fmt;
use std::str::FromStr;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

const SECOND: i64 = 1_000_000;

impl Timestamp {
    /// Returns the time `micros` microseconds after 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Reads a date and time of RFC 3339 at the start of `text`. Returns the instant, and how many bytes the text of it has.
    /// `None` without a year, a time or a zone, or if the calendar has no such day.
    pub fn parse_prefix(text: &str) -> Option<(Self, usize)> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = bytes.get(from..to)?;
            digits.iter().all(u8::is_ascii_digit).then(|| text[from..to].parse().ok())?
        };
        let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let midnight = days(year, month, day);
        if date(midnight) != (year, month, day) {
            return None;
        }
        let mut end = 19;
        let mut micros = 0;
        if is(end, b".,") {
            let digits = bytes[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let mut unit = SECOND;
            for digit in bytes.iter().skip(end + 1).take(digits.min(6)) {
                unit /= 10;
                micros += i64::from(digit - b'0') * unit;
            }
            end += 1 + digits;
        }
        let offset = if is(end, b"Zz") {
            end += 1;
            0
        } else if is(end, b"+-") && is(end + 3, b":") {
            let (hours, minutes) = (number(end + 1, end + 3)?, number(end + 4, end + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let sign = if bytes[end] == b'-' { -1 } else { 1 };
            end += 6;
            sign * (hours * 3600 + minutes * 60)
        } else {
            return None;
        };
        let seconds = midnight * 86_400 + hour * 3600 + minute * 60 + second - offset;
        // Its zone may put the instant into a year that cannot be written.
        if !(days(0, 1, 1)..days(10_000, 1, 1)).contains(&seconds.div_euclid(86_400)) {
            return None;
        }
        Some((Self(seconds * SECOND + micros), end))
    }

    /// Returns the time that many seconds earlier.
    #[must_use]
    pub fn seconds_before(self, seconds: i64) -> Self {
        Self(self.0 - seconds * SECOND)
    }

    /// By how many seconds `self` is later than `other`.
    pub fn seconds_after(self, other: Self) -> i64 {
        (self.0 - other.0) / SECOND
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whole = Self::parse_prefix(text).filter(|(_, end)| *end == text.len());
        let wrong = || format!("`{text}` is not a date and time with a zone, such as 2026-01-31T12:00:00Z");
        whole.map(|(time, _)| time).ok_or_else(wrong)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 with milliseconds, in UTC: `2011-07-31T17:35:02.562Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0.div_euclid(SECOND), self.0.rem_euclid(SECOND) / 1000);
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let time = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that the leap day is last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Returns the date `days` days after 1970-01-01: the reverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = (from_march + 2) % 12 + 1;
    let year = era * 400 + year + i64::from(month <= 2);
    (year, month, of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_of_logs_are_read_with_their_zone() {
        let cases = [
            ("2011-07-31T17:31:39.314Z| vcpu-0| ", Some("2011-07-31T17:31:39.314Z")),
            ("2011-07-31T19:31:39.314+02:00| vcpu-0| ", Some("2011-07-31T17:31:39.314Z")),
            ("2024-02-29T23:59:59Z In(05) vmx - ", Some("2024-02-29T23:59:59.000Z")),
            ("1969-12-31T23:59:59.999999Z ", Some("1969-12-31T23:59:59.999Z")),
            ("2011-07-31T17:31:39.314| vcpu-0| ", None),
            ("Jul 31 17:31:39.314: vcpu-0| ", None),
            ("2011-13-31T17:31:39Z", None),
            ("0000-01-01T00:59:59+01:00", None),
            ("0000-01-01T00:00:00Z", Some("0000-01-01T00:00:00.000Z")),
            ("9999-12-31T23:00:00-01:00", None),
            ("9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59.000Z")),
            ("2011-07-3", None),
            ("", None),
            ("２011-07-31T17:31:39Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Timestamp::parse_prefix(text).map(|(time, _)| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_time_is_read_whole_or_not_at_all() {
        let cases = [
            ("2011-07-31T12:01:39.314-05:30", Some("2011-07-31T17:31:39.314Z")),
            ("2011-07-31 17:31:39,5z", Some("2011-07-31T17:31:39.500Z")),
            ("2011-07-31t17:31:39.3141592653Z", Some("2011-07-31T17:31:39.314Z")),
            ("2011-07-31T17:31:39.0001Z", Some("2011-07-31T17:31:39.000Z")),
            ("2011-01-01T00:00:00Z", Some("2011-01-01T00:00:00.000Z")),
            ("2011-12-31T23:59:60Z", Some("2012-01-01T00:00:00.000Z")),
            ("2011-12-31T23:59:61Z", None),
            ("2011-12-31T23:60:00Z", None),
            ("2011-12-31T24:00:00Z", None),
            ("2011-12-32T00:00:00Z", None),
            ("2011-12-00T00:00:00Z", None),
            ("2026-02-30T00:00:00Z", None),
            ("2026-04-31T00:00:00Z", None),
            ("2025-02-29T00:00:00Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2026-11-27T00:00:00+25:00", None),
            ("2026-11-27T00:00:00+24:00", None),
            ("2026-11-27T00:00:00-01:60", None),
            ("2026-11-27T00:00:00+99:99", None),
            ("2026-11-27T00:00:00+14:00", Some("2026-11-26T10:00:00.000Z")),
            ("2011-00-01T00:00:00Z", None),
            ("2011/07-31T17:31:39Z", None),
            ("2011-07/31T17:31:39Z", None),
            ("2011-07-31_17:31:39Z", None),
            ("2011-07-31T17.31:39Z", None),
            ("2011-07-31T17:31.39Z", None),
            ("2011-07-31T17:31:3", None),
            ("2011-07-31T17:31:39+0200", None),
            ("2011-07-31T17:31:39+02", None),
            ("2011-07-31T17:31:39+02:x0", None),
            ("2011-07-31T17:31:39+02x00", None),
            // The last day of 400 years, and the days around a leap day that is left out.
            ("2000-02-29T12:00:00Z", Some("2000-02-29T12:00:00.000Z")),
            ("2000-03-01T12:00:00Z", Some("2000-03-01T12:00:00.000Z")),
            ("2100-02-28T12:00:00Z", Some("2100-02-28T12:00:00.000Z")),
            ("2100-03-01T12:00:00Z", Some("2100-03-01T12:00:00.000Z")),
        ];
        for (text, expected) in cases {
            let found = Timestamp::parse_prefix(&format!("{text}| a line")).map(|(time, end)| (time.to_string(), end));
            assert_eq!(found, expected.map(|time| (time.to_owned(), text.len())), "{text}");
        }
        // A fraction is exact to the microsecond.
        let (time, _) = Timestamp::parse_prefix("1970-01-01T00:00:00.123456Z").unwrap();
        assert_eq!(time, Timestamp::from_micros(123_456));
    }

    #[test]
    fn a_time_alone_is_read_whole() {
        for (text, expected) in [
            (" 2026-01-31T12:00:00Z ", true),
            ("2026-01-31 12:00:00+02:00", true),
            ("2026-01-31T12:00:00", false),
            ("2026-01-31", false),
            ("2026-01-31T12:00:00Z and more", false),
        ] {
            assert_eq!(text.parse::<Timestamp>().is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_articles_migration_is_later_than_its_log() {
        let migration = Timestamp::from_micros(1_312_133_702_562_144);
        assert_eq!(migration.to_string(), "2011-07-31T17:35:02.562Z");
        let (line, _) = Timestamp::parse_prefix("2011-07-31T17:31:39.314Z").unwrap();
        assert_eq!(migration.seconds_after(line), 203);
    }

    proptest! {
        #[test]
        fn every_time_is_read_as_it_is_written(millis in -60_000_000_000_000i64..250_000_000_000_000) {
            let time = Timestamp::from_micros(millis * 1000);
            let text = time.to_string();
            prop_assert_eq!(Timestamp::parse_prefix(&text), Some((time, text.len())));
        }

        #[test]
        fn no_text_is_too_much(text in "\\PC{0,40}|[0-9T:.+Z-]{0,30}") {
            let _ = Timestamp::parse_prefix(&text);
        }
    }
}
