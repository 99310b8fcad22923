//! Hints never suggest what the caller has already set.

use vsphere::TlsMinimum::{V1_0, V1_2};
use vsphere::{Error, Fault, LEGACY_TLS, TlsError, WireError};

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

#[test]
fn hints_name_the_place_to_look_at() {
    let no_permission = |object: &str| {
        let fields = [("object", object), ("privilegeId", "Host.Config")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        Error::Fault(Fault { name: "NoPermission".to_owned(), fields, ..Fault::default() })
    };
    let (host, port, reason) = (|| "127.0.0.1".to_owned(), 9, "connection refused".to_owned());
    for (error, says, never) in [
        (WireError::NotHttp { host: host(), port }.into(), "Remove `protocol: http`", "`hostname`"),
        (WireError::Proxy { host: host(), port, reason }.into(), "`proxy_host` and `proxy_port`", "`hostname`"),
        (no_permission("host-20"), "Host.Config on each host that failed", "host-20"),
        (no_permission("vm-63"), "Host.Config on the object vm-63", "host that failed"),
    ] {
        let hint = vsphere_module::failure(error.clone()).hint.unwrap_or_default();
        assert!(hint.contains(says) && !hint.contains(never), "{error}: {hint}");
    }
}
