//! Texts of a server, cut and joined for messages. Every room may use this.

/// Returns the text, or its first `most` bytes and "…".
pub(crate) fn brief(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at));
    format!("{}…", &text[..end.unwrap_or_default()])
}

/// Returns the text in one line, and of a long one its first `most` bytes and "…".
pub(crate) fn one_line(text: &str, most: usize) -> String {
    let breaks = |char: char| char.is_control() || "\u{2028}\u{2029}".contains(char);
    let lines = text.split(breaks).map(str::trim).filter(|line| !line.is_empty());
    brief(&lines.collect::<Vec<_>>().join(" "), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, most, shown) in [("", 0, ""), ("ab", 2, "ab"), ("abc", 2, "ab…"), ("aéb", 2, "a…"), ("é", 0, "…")]
        {
            assert_eq!(brief(text, most), shown);
        }
    }

    #[test]
    fn lines_become_one() {
        for text in ["a b", " a\r\n\tb\n", "a\u{b}b", "a \0 \u{85}b", "a\u{2028}b", "a b c"] {
            assert_eq!(one_line(text, 3).trim_end_matches('…'), "a b", "{text:?}");
        }
    }
}
