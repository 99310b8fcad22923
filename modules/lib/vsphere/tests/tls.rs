//! Errors of certificates and handshakes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use server::tls::{SERVER_HELLO_1_0, impostor, modern_server, raw_server};
use server::{credentials, endpoint};
use vsphere::{Error, LEGACY_TLS, Scheme, Session, Thumbprint, TlsError, TlsMinimum, Trust, WireError};

async fn open(port: u16, trust: Trust) -> Result<Session, Error> {
    Session::open(endpoint(port, Scheme::Https(trust)), credentials()).await
}

#[tokio::test]
async fn an_untrusted_certificate_shows_the_thumbprints_that_would_pin_it() {
    let port = modern_server().await;
    let error = open(port, Trust::System).await.unwrap_err();
    let text = error.to_string();
    let Error::Wire(WireError::Tls(TlsError::Untrusted { reason, sha256, sha1 })) = error else {
        panic!("{text}");
    };
    assert!(reason.contains("self-signed"), "{reason}");
    assert!(text.contains(&sha256) && text.contains(&sha1), "{text}");
    for thumbprint in [sha256, sha1] {
        let pin: Thumbprint = thumbprint.parse().unwrap();
        open(port, Trust::Thumbprint(pin)).await.unwrap();
    }
    let session = open(port, Trust::Anything).await.unwrap();
    assert_eq!(session.tls(), None, "what rustls negotiated is not known");
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused() {
    let port = modern_server().await;
    let pin: Thumbprint = "AB".repeat(32).parse().unwrap();
    let error = open(port, Trust::Thumbprint(pin.clone())).await.unwrap_err();
    let Error::Wire(WireError::Tls(TlsError::ThumbprintMismatch { expected, sha256, .. })) = error else {
        panic!("{error}");
    };
    assert_eq!(expected, pin.to_string());
    let seen: Thumbprint = sha256.parse().unwrap();
    open(port, Trust::Thumbprint(seen)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_hold_the_key_of_its_certificate_is_refused() {
    for algorithm in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
        for version in rustls::ALL_VERSIONS {
            let (port, thumbprint) = impostor(algorithm, version).await;
            for trust in [Trust::Anything, Trust::Thumbprint(thumbprint.parse().unwrap())] {
                let error = open(port, trust.clone()).await.unwrap_err();
                assert!(
                    matches!(error, Error::Wire(WireError::Tls(TlsError::Unproven))),
                    "{algorithm:?} {version:?} {trust:?}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn servers_with_only_old_tls_are_recognized() {
    for (bytes, says) in [
        // The alerts protocol_version and handshake_failure in TLS 1.0 records.
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], "this client supports TLS 1.2 and 1.3, and the server refused them"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "it probably supports only older"),
        (SERVER_HELLO_1_0, "the server chose an older one"),
        (b"", "closed the connection during the handshake; it probably"),
    ] {
        let error = open(raw_server(bytes).await, Trust::Anything).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Wire(WireError::Tls(TlsError::TooOld { .. }))), "{text}");
        assert!(text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn a_plain_http_port_is_recognized() {
    let port = raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = open(port, Trust::Anything).await.unwrap_err();
    assert!(matches!(error, Error::Wire(WireError::Tls(TlsError::NotTls))), "{error}");
}

#[tokio::test]
async fn a_build_without_old_tls_says_so() {
    if LEGACY_TLS {
        return;
    }
    for (minimum, says) in [(TlsMinimum::V1_0, "TLS 1.0"), (TlsMinimum::V1_1, "TLS 1.1")] {
        let mut endpoint = endpoint(1, Scheme::Https(Trust::Anything));
        endpoint.tls_minimum = minimum;
        let error = Session::open(endpoint, credentials()).await.unwrap_err();
        assert!(matches!(error, Error::Wire(WireError::Tls(TlsError::NotBuilt { .. }))), "{error}");
        assert_eq!(error.to_string(), format!("{says} was requested, but this build supports only TLS 1.2 and newer"));
    }
}

#[tokio::test]
async fn plain_http_has_no_tls_version() {
    let server = server::Server::start(|_| None).await;
    let mut endpoint = server.endpoint();
    endpoint.tls_minimum = TlsMinimum::V1_0;
    let session = Session::open(endpoint, credentials()).await.unwrap();
    assert_eq!(session.tls(), None);
}
