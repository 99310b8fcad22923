//! Text as XML holds it.

/// True if XML 1.0 allows this character. It has no place for the others, not even as character references.
pub(crate) fn is_xml_char(char: char) -> bool {
    !matches!(char, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// Escapes everything that has a meaning in XML, for text and for attributes.
///
/// Control characters become character references, because parsers normalize some of them. Characters that XML does not
/// allow are replaced; arguments that contain them were refused before.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            char if !is_xml_char(char) => out.push(char::REPLACEMENT_CHARACTER),
            char if char.is_control() => {
                out.push_str("&#");
                out.push_str(&u32::from(char).to_string());
                out.push(';');
            }
            char => out.push(char),
        }
    }
    out
}
