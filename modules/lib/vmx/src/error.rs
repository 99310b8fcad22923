//! Errors about a .vmx file's format, content and edits, worded for the VM's administrator.

/// Why a .vmx file cannot be read or edited. Nothing has been changed when one of these comes back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not those of a .vmx file: NUL bytes, UTF-16, or neither `config.version` nor `virtualHW.version`.
    #[error("this is not a .vmx file: {reason}")]
    NotADictionary {
        /// The evidence.
        reason: &'static str,
    },
    /// `.encoding` names an encoding in which an ASCII byte may be part of another character, so that bytes do not show
    /// where lines and values end.
    #[error("line {line} declares the encoding {label}; a .vmx file in this encoding cannot be edited")]
    UnsupportedEncoding {
        /// The encoding as declared.
        label: String,
        /// The line of `.encoding`, counted from 1.
        line: usize,
    },
    /// The key is defined more than once, with values that differ: it is unclear which one counts.
    #[error(
        "{key} is defined twice with different values, in lines {first_line} and {second_line}: remove one of them"
    )]
    Duplicate {
        /// The key as first spelled in the file.
        key: String,
        /// The first line that defines it, counted from 1.
        first_line: usize,
        /// The first line that defines it differently, counted from 1.
        second_line: usize,
    },
    /// The key is empty, or has a character that cannot be part of one: blanks, `=`, `#`, `"`, control or non-ASCII.
    #[error(
        "{key:?} cannot be the name of a VMX option: blanks, =, #, quotes, control and non-ASCII characters are not allowed"
    )]
    InvalidName {
        /// The key as given.
        key: String,
    },
    /// The value has a NUL character, which ends a text for programs that read the file.
    #[error("the value of {key} has a NUL character, which a .vmx file cannot contain")]
    NulInValue {
        /// The key as given.
        key: String,
    },
    /// The value has a character that is not in the file's encoding or that cannot be written in it unambiguously, or
    /// the file declares no known encoding and the value is not ASCII.
    #[error("the value of {key} cannot be written into this file, which has {encoding}")]
    Unencodable {
        /// The key as given.
        key: String,
        /// The file's encoding, e.g. `the encoding Shift_JIS`.
        encoding: String,
    },
    /// `.encoding` says what the bytes of every line mean: to change it, the whole file would have to be rewritten.
    #[error("{key} cannot be changed: it defines the encoding of all other lines")]
    EncodingIsFixed {
        /// The key as given.
        key: String,
    },
    /// Without this entry the file would no longer be recognized as a .vmx file.
    #[error("{key} cannot be removed: without it the file is not a .vmx file")]
    Essential {
        /// The key as given.
        key: String,
    },
}
