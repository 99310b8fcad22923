//! TLS versions.

use std::fmt;

/// True if this build speaks TLS 1.0 and 1.1: the Cargo feature `legacy-tls`.
pub const LEGACY_TLS: bool = cfg!(feature = "legacy-tls");

/// The oldest TLS version that a connection may have. The newest that both sides speak is used, up to TLS 1.3.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMinimum {
    /// TLS 1.0 (RFC 2246). Only where [`LEGACY_TLS`] is true.
    V1_0,
    /// TLS 1.1 (RFC 4346). Only where [`LEGACY_TLS`] is true.
    V1_1,
    /// TLS 1.2 (RFC 5246).
    #[default]
    V1_2,
}

impl TlsMinimum {
    /// Names the versions that are spoken with this minimum, for messages.
    pub(crate) fn range(self) -> &'static str {
        match self {
            Self::V1_0 => "TLS 1.0 to 1.3",
            Self::V1_1 => "TLS 1.1 to 1.3",
            Self::V1_2 => "TLS 1.2 and 1.3",
        }
    }
}

impl fmt::Display for TlsMinimum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        })
    }
}

/// The TLS version and cipher of a connection. Shown as, for instance, `TLS 1.0 with AES256-SHA`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSpoken {
    /// The TLS version: `1.0` to `1.3`.
    pub version: String,
    /// The cipher suite by its OpenSSL name.
    pub cipher: String,
}

impl TlsSpoken {
    /// True if the version is older than 1.2 and therefore deprecated (RFC 8996).
    pub fn is_outdated(&self) -> bool {
        matches!(self.version.as_str(), "1.0" | "1.1")
    }
}

impl fmt::Display for TlsSpoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLS {} with {}", self.version, self.cipher)
    }
}
