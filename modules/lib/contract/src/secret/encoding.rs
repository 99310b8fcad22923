//! The forms in which a server may repeat a text.

use std::collections::BTreeSet;

/// Ends a text that was cut.
const CUT: char = '…';
/// The shortest beginning of a secret before the cut that is distinct from other text.
const BEGINNING: usize = 2;

/// Returns how many bytes at the start of `text` are `secret`, or its beginning before a cut. An escape may be read in two
/// ways, so several places in the text may be as far in the secret.
pub fn starts_with(text: &str, secret: &str) -> Option<usize> {
    let mut places = BTreeSet::from([0]);
    for (done, wanted) in secret.chars().enumerate() {
        if done >= BEGINNING
            && let Some(cut) = places.iter().find_map(|at| Some(at + cut(&text[*at..])?))
        {
            return Some(cut);
        }
        places = places
            .iter()
            .flat_map(|at| characters(&text[*at..]).map(move |(found, length)| (found, at + length)))
            .filter_map(|(found, end)| (found == wanted).then_some(end))
            .collect();
        if places.is_empty() {
            return None;
        }
    }
    places.last().copied()
}

/// Returns how many bytes come before the cut at the start of `text`, which may go through an escape.
fn cut(text: &str) -> Option<usize> {
    // No escape is longer than twelve bytes.
    let near = text.char_indices().take(13).find(|(_, char)| *char == CUT)?.0;
    (near == 0 || text.starts_with(['&', '%', '\\'])).then_some(near)
}

/// The characters that the start of `text` may stand for, with the number of bytes that do.
pub fn characters(text: &str) -> impl Iterator<Item = (char, usize)> {
    let first = text.chars().next();
    let escaped = match first {
        Some('+') => Some((' ', 1)),
        Some('&') => entity(text),
        Some('%') => percent(text),
        Some('\\') => backslash(text),
        _ => None,
    };
    escaped.into_iter().chain(first.map(|first| (first, first.len_utf8())))
}

/// `&lt;`, `&#60;` or `&#x3c;`.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let character = match &text[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        number => {
            let number = number.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((character, end + 1))
}

/// `%3C`, or as many as the character has bytes in UTF-8.
fn percent(text: &str) -> Option<(char, usize)> {
    let bytes: Vec<u8> = text
        .as_bytes()
        .chunks_exact(3)
        .take(4)
        .map_while(|part| {
            let hex = std::str::from_utf8(part).ok()?.strip_prefix('%')?;
            u8::from_str_radix(hex, 16).ok()
        })
        .collect();
    let valid = bytes.utf8_chunks().next()?.valid();
    let character = valid.chars().next()?;
    Some((character, 3 * character.len_utf8()))
}

/// `\"`, `\n`, `\u003c` or `\u{3c}`.
fn backslash(text: &str) -> Option<(char, usize)> {
    let escaped = text[1..].chars().next()?;
    let simple = match escaped {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let (hex, length) = match text[2..].strip_prefix('{') {
                Some(rest) => {
                    let hex = rest.split_once('}')?.0;
                    (hex, hex.len() + 4)
                }
                None => (text.get(2..6)?, 6),
            };
            return Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, length));
        }
        '"' | '\'' | '\\' | '/' => escaped,
        _ => return None,
    };
    Some((simple, 2))
}

/// The base64 text that `text` starts with.
pub fn token(text: &str) -> &str {
    let rest = text.trim_start_matches(|one: char| one.is_ascii_alphanumeric() || "+/-_=".contains(one));
    &text[..text.len() - rest.len()]
}

/// True if `token`, with `after` behind it, holds one of `cores`, or ends in the beginning of one before a cut.
pub fn holds(token: &str, after: &str, cores: &[String]) -> bool {
    let begun = |core: &str| (BEGINNING + 1..core.len()).any(|length| token.ends_with(&core[..length]));
    cores.iter().any(|core| token.contains(core.as_str()) || after.starts_with(CUT) && begun(core))
}

/// Returns the base64 forms of `secret`, in the usual and the URL alphabet, at every offset in a longer text, without
/// the characters that depend on the text around it. Returns nothing if the result is too short to be distinct from
/// other text.
pub fn base64_cores(secret: &str) -> Vec<String> {
    const SHORTEST: usize = 4;
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut cores = Vec::new();
    for before in 0..3 {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.bytes()).collect();
        let sextet = |at: usize| {
            let bit = at * 6;
            let pair = u16::from_be_bytes([bytes[bit / 8], bytes.get(bit / 8 + 1).copied().unwrap_or(0)]);
            usize::from(pair >> (10 - bit % 8) & 63)
        };
        let inner = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        if inner.len() < SHORTEST {
            continue;
        }
        for others in ["+/", "-_"] {
            let letter = |at| LETTERS.iter().chain(others.as_bytes()).nth(sextet(at)).map(|letter| char::from(*letter));
            let core: String = inner.clone().filter_map(letter).collect();
            if !cores.contains(&core) {
                cores.push(core);
            }
        }
    }
    cores
}
