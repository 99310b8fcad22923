//! Hints never suggest what the caller has already set.

use vsphere::TlsMinimum::{V1_0, V1_2};
use vsphere::{LEGACY_TLS, TlsError, WireError};

#[test]
fn hints_after_tls_failures_name_what_is_left_to_try() {
    let too_old = |minimum| TlsError::TooOld { minimum, detail: String::new() };
    let (sha256, sha1, reason) = ("AA".to_owned(), "BB".to_owned(), "it has expired".to_owned());
    for (error, says, never) in [
        (too_old(V1_2), "tls_minimum: \"1.0\"", if LEGACY_TLS { "a build of" } else { "" }),
        (too_old(V1_0), "connection: shell", "tls_minimum"),
        (TlsError::Unproven, "`hostname`", "thumbprint"),
        (TlsError::Unproven, "`port`", "validate_certs"),
        (TlsError::Untrusted { reason, sha256: sha256.clone(), sha1: sha1.clone() }, "thumbprint: AA", ""),
        (TlsError::ThumbprintMismatch { expected: "CC".to_owned(), sha256, sha1 }, "changed", "validate_certs"),
    ] {
        let hint = vsphere_module::failure(WireError::from(error.clone()).into()).hint.unwrap_or_default();
        assert!(hint.contains(says), "{error}: {hint}");
        assert!(never.is_empty() || !hint.contains(never), "{error}: {hint}");
    }
}
