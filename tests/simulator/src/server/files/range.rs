//! The header `Range`. Only a single range is supported, as on many simple servers.

/// The part of a file that a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole file
    Whole,
    /// From the first to the last byte, inclusive
    Bytes(usize, usize),
    /// A range outside the file
    Nothing,
}

/// The part that the header asks for, of a file of this length. A header that cannot be parsed is ignored.
pub fn part(header: Option<&str>, length: usize) -> Part {
    let range = header.and_then(|header| header.strip_prefix("bytes=")).and_then(|range| range.split_once('-'));
    let Some((first, last)) = range else {
        return Part::Whole;
    };
    let end = length.saturating_sub(1);
    match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first > last => Part::Whole,
        (Ok(first), _) if first >= length => Part::Nothing,
        (Ok(first), Ok(last)) => Part::Bytes(first, last.min(end)),
        (Ok(first), Err(_)) if last.trim().is_empty() => Part::Bytes(first, end),
        (Err(_), Ok(count)) if first.trim().is_empty() => {
            if count == 0 || length == 0 {
                Part::Nothing
            } else {
                Part::Bytes(length.saturating_sub(count), end)
            }
        }
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_from_either_end() {
        let cases = [
            (None, 10, Part::Whole),
            (Some("bytes=-3"), 10, Part::Bytes(7, 9)),
            (Some("bytes=-30"), 10, Part::Bytes(0, 9)),
            (Some("bytes=-0"), 10, Part::Nothing),
            (Some("bytes=-3"), 0, Part::Nothing),
            (Some("bytes=2-4"), 10, Part::Bytes(2, 4)),
            (Some("bytes=2-"), 10, Part::Bytes(2, 9)),
            (Some("bytes=2-400"), 10, Part::Bytes(2, 9)),
            (Some("bytes=0-0"), 10, Part::Bytes(0, 0)),
            (Some("bytes=10-"), 10, Part::Nothing),
            (Some("bytes=10-12"), 10, Part::Nothing),
            (Some("bytes=4-2"), 10, Part::Whole),
            (Some("bytes=0-1,4-5"), 10, Part::Whole),
            (Some("bytes=-"), 10, Part::Whole),
            (Some("lines=1-2"), 10, Part::Whole),
        ];
        for (header, length, expected) in cases {
            assert_eq!(part(header, length), expected, "{header:?} of {length}");
        }
    }
}
