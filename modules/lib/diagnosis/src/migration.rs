//! Migration ids, which the VMkernel and the VMX both log: `[ac1e0050:1312133702562144]`.

use std::net::Ipv4Addr;

use crate::time::Timestamp;

/// An IPv4 address of the vMotion network.
pub type Peer = Ipv4Addr;

/// The migration that a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// Its id: the microsecond at which it began, by the clock of the system that started it.
    pub id: u64,
    /// The vMotion endpoint that stands before the id, where one does.
    pub peer: Option<Peer>,
}

/// Ids of the years 2001 to 2286 have this many digits.
const DIGITS: std::ops::RangeInclusive<usize> = 15..=16;

impl Migration {
    /// The migration that a line names: `[address:id]`, or an id alone before the side that logs it (`… S: …`, `… D: …`).
    pub fn find(line: &str) -> Option<Self> {
        bracketed(line).or_else(|| alone(line))
    }

    /// Returns the time at which it began, by the clock of the system that started it.
    pub fn started(&self) -> Timestamp {
        Timestamp::from_micros(i64::try_from(self.id).unwrap_or(i64::MAX))
    }
}

fn id(text: &str) -> Option<u64> {
    let number =
        DIGITS.contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| text.parse().ok())?
}

fn bracketed(line: &str) -> Option<Migration> {
    line.split('[').skip(1).find_map(|rest| {
        let (address, rest) = rest.split_once(':')?;
        let end = rest.find(|character: char| !character.is_ascii_digit())?;
        let known = rest[end..].starts_with(']');
        Some(Migration { id: id(&rest[..end]).filter(|_| known)?, peer: Some(peer(address)?) })
    })
}

fn alone(line: &str) -> Option<Migration> {
    let mut words = line.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        let side = words.peek().is_some_and(|next| matches!(*next, "S:" | "D:"));
        if let Some(id) = id(word).filter(|_| side) {
            return Some(Migration { id, peer: None });
        }
    }
    None
}

/// An address in network order: in hexadecimal, or as older builds print it, as a signed decimal number.
fn peer(text: &str) -> Option<Peer> {
    // Nine digits and more are no hexadecimal number of 32 bits.
    let decimal = text.starts_with('-') || text.len() > 8;
    let bits = if decimal {
        let number: i64 = text.parse().ok()?;
        i32::try_from(number).map(i32::cast_unsigned).or_else(|_| u32::try_from(number)).ok()?
    } else {
        u32::from_str_radix(text, 16).ok()?
    };
    Some(Peer::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_found_in_lines_of_every_era() {
        let id = 1_312_133_702_562_144;
        let cases = [
            ("vMotion migration [ac1e0050:1312133702562144] failed to read", Some((id, Some("172.30.0.80")))),
            ("[] vMotion migration [ac1e0050:1312133702562144] failed", Some((id, Some("172.30.0.80")))),
            ("[msg.x] migration [-1407319984:1312133702562144] failed", Some((id, Some("172.30.0.80")))),
            ("migration [167772161:1312133702562144]", Some((id, Some("10.0.0.1")))),
            ("migration [2887647312:1312133702562144]", Some((id, Some("172.30.0.80")))),
            ("migration [a000001:1312133702562144]", Some((id, Some("10.0.0.1")))),
            ("WARNING: VMotion: 3680: 1312133702562144 S: failed to read", Some((id, None))),
            ("VMotion: 3680: 1312133702562144 D: failed to read", Some((id, None))),
            ("VMotion: 3680: 1312133702562144 X: failed to read", None),
            ("VMotion: 3680: 131213370256214 S: failed to read", Some((131_213_370_256_214, None))),
            ("VMotion: 3680: 13121337025621 S: failed to read", None),
            ("VMotion: 3680: 13121337025621440 S: failed to read", None),
            ("migration [ac1e0050:131213370256214400000]", None),
            ("migration [ac1e0050:0000000703731750]", None),
            ("VMotion: 3680: 0000000703731750 S: failed to read", None),
            ("migration [nonsense:1312133702562144]", None),
            ("migration [:1312133702562144]", None),
            ("migration [ac1e0050:1312133702562144", None),
            ("Migration to host <> failed", None),
        ];
        for (line, expected) in cases {
            let found = Migration::find(line).map(|it| (it.id, it.peer.map(|peer| peer.to_string())));
            assert_eq!(found.as_ref().map(|(id, peer)| (*id, peer.as_deref())), expected, "{line}");
        }
    }

    #[test]
    fn an_id_says_when_its_migration_began() {
        let migration = Migration::find("[ac1e0050:1312133702562144]").unwrap();
        assert_eq!(migration.started().to_string(), "2011-07-31T17:35:02.562Z");
    }
}
