//! Virtual time: a queue of future events, and the text form of a time.

use std::collections::BTreeMap;

type Event<W> = Box<dyn FnOnce(&mut W) + Send>;

/// Future events of a world `W`, ordered by time, then by the order in which they were added.
pub struct Queue<W> {
    events: BTreeMap<(u64, u64), Event<W>>,
    count: u64,
}

impl<W> Queue<W> {
    /// An empty queue.
    pub fn new() -> Self {
        Self { events: BTreeMap::new(), count: 0 }
    }

    /// The number of future events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Adds an event that is due at this time.
    pub fn push(&mut self, due: u64, event: impl FnOnce(&mut W) + Send + 'static) {
        self.count += 1;
        self.events.insert((due, self.count), Box::new(event));
    }

    /// The time of the next event, if there is one.
    pub fn next(&self) -> Option<u64> {
        self.events.first_key_value().map(|((due, _), _)| *due)
    }

    /// Removes the next event that is due by now, and returns it with its time.
    pub fn pop_due(&mut self, now: u64) -> Option<(u64, Event<W>)> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((due, _), event) = entry.remove_entry();
        Some((due, event))
    }
}

/// Microseconds since 1970 as `xsd:dateTime` in UTC.
pub fn format(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60,
        micros % 1_000_000
    )
}

/// Reads an `xsd:dateTime`; one without a zone is in UTC. `None` for a time before 1970, or for any other text.
pub fn parse(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())),
        None => ("", rest),
    };
    let offset = match zone.get(..1) {
        Some(sign @ ("+" | "-")) => {
            let minutes = zone.get(1..3)?.parse::<i64>().ok()? * 60 + zone.get(4..6)?.parse::<i64>().ok()?;
            if sign == "+" { minutes } else { -minutes }
        }
        _ => 0,
    };
    let micros = format!("{fraction:0<6}").get(..6)?.parse::<i64>().ok()?;
    // Years begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
    u64::try_from(seconds * 1_000_000 + micros).ok()
}

/// The date that is this many days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut left = days;
    let mut year = 1970;
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_zone() {
        let cases = [
            ("2011-07-31T19:35:02.5+02:00", Some(1_312_133_702_500_000)),
            ("2011-07-31T17:35:02", Some(1_312_133_702_000_000)),
            ("1969-12-31T23:59:59Z", None),
            ("yesterday", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_312_133_702_562_144, "2011-07-31T17:35:02.562144Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_735_689_599_999_999, "2024-12-31T23:59:59.999999Z"),
        ];
        for (micros, expected) in cases {
            assert_eq!(format(micros), expected);
            assert_eq!(parse(expected), Some(micros));
        }
    }
}
