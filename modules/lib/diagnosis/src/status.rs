//! VMkernel status codes, as logs and vCenter Server write them.

/// The codes that the VMkernel has of its own.
const CODES: std::ops::RangeInclusive<u32> = 0x0bad_0000..=0x0bad_ffff;

/// A VMkernel status code, such as `0xbad003f`. Logs write it in hexadecimal, some without `0x` (Broadcom KB 308477);
/// vCenter Server writes it in decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(u32);

impl Status {
    /// Reads `0xbad003f`, `bad003f` or `195887167`; `None` for anything that is no code of the VMkernel's own.
    pub fn parse(text: &str) -> Option<Self> {
        let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let bare = || text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("bad")).then_some(text);
        let code = match prefixed.or_else(bare) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => text.parse().ok()?,
        };
        CODES.contains(&code).then_some(Self(code))
    }

    /// The first code in `text`, in any notation.
    pub fn first_in(text: &str) -> Option<Self> {
        text.split(|character: char| !character.is_ascii_alphanumeric()).find_map(Self::parse)
    }

    /// Returns the form of most logs: `0xbad003f`.
    pub fn hex(self) -> String {
        format!("{:#x}", self.0)
    }

    /// Returns the form used by vCenter Server: 195887167.
    pub fn decimal(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_every_notation_and_nothing_else_is_one() {
        let cases = [
            ("0xbad003f", Some("0xbad003f")),
            ("0XBAD003F", Some("0xbad003f")),
            ("195887167", Some("0xbad003f")),
            ("195887369", Some("0xbad0109")),
            ("195887104", Some("0xbad0000")),
            ("195887103", None),
            ("0xbadffff", Some("0xbadffff")),
            ("0xbae0000", None),
            ("0xbad003f0", None),
            ("0xbad", None),
            ("bad003f", Some("0xbad003f")),
            ("BAD0006", Some("0xbad0006")),
            ("bad003f0", None),
            ("badge", None),
            ("bad", None),
            ("é", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Status::parse(text).map(Status::hex).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_code_is_found_in_a_line() {
        let found = |text| Status::first_in(text).map(Status::decimal);
        assert_eq!(found("due to timeout (0xbad003f)."), Some(195_887_167));
        assert_eq!(found("failed: 195887371, gave up"), Some(195_887_371));
        assert_eq!(found("Failed waiting for data. Error bad0006. Limit exceeded."), Some(195_887_110));
        assert_eq!(found("id 1958873710 at 0xbad00e01"), None);
    }
}
