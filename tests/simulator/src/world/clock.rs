//! Virtual time: what is due when, and how a time is written.

use std::collections::BTreeMap;

use super::World;

type Event = Box<dyn FnOnce(&mut World) + Send>;

/// What is still to happen, by the time at which it does.
#[derive(Default)]
pub struct Queue {
    events: BTreeMap<(u64, u64), Event>,
    count: u64,
}

impl Queue {
    /// The number of events still to come.
    pub fn len(&self) -> usize {
        self.events.len()
    }
}

impl World {
    /// Has something happen in `delay` milliseconds.
    pub fn after(&mut self, delay: u64, event: impl FnOnce(&mut Self) + Send + 'static) {
        self.queue.count += 1;
        let key = (self.now + delay, self.queue.count);
        self.queue.events.insert(key, Box::new(event));
    }

    /// Lets time pass until `now`, milliseconds since the start, and what is due happen.
    pub fn advance(&mut self, now: u64) {
        while let Some(entry) = self.queue.events.first_entry() {
            let due = entry.key().0;
            if due > now {
                break;
            }
            let event = entry.remove();
            self.now = self.now.max(due);
            event(self);
        }
        self.now = self.now.max(now);
        let limit = self.config.session_timeout_s * 1000;
        let now = self.now;
        self.sessions.retain(|_, session| now.saturating_sub(session.last_used) <= limit);
    }

    /// Milliseconds until the next thing happens, if anything will.
    pub fn next_event(&self) -> Option<u64> {
        let ((due, _), _) = self.queue.events.first_key_value()?;
        Some(due.saturating_sub(self.now))
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

/// The date that is so many days after 1970-01-01, by walking years and months.
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
    fn times_are_written_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_312_133_702_562_144, "2011-07-31T17:35:02.562144Z"),
            (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
            (1_735_689_599_999_999, "2024-12-31T23:59:59.999999Z"),
        ];
        for (micros, expected) in cases {
            assert_eq!(format(micros), expected);
        }
    }
}
