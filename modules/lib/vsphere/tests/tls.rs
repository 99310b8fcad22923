//! What is said about certificates and handshakes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use server::{credentials, endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vsphere::{Error, Scheme, Session, Thumbprint, TlsError, Trust};

/// A server with a self-signed certificate for 127.0.0.1.
async fn tls_server() -> u16 {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let script: Box<server::Script> = Box::new(|_| None);
                    server::serve(stream, Arc::new(Mutex::new(script)), Arc::default()).await;
                }
            });
        }
    });
    port
}

/// A server that reads the handshake's first message, answers with `bytes` and hangs up.
async fn raw_server(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    port
}

async fn open(port: u16, trust: Trust) -> Result<Session, Error> {
    Session::open(endpoint(port, Scheme::Https(trust)), credentials()).await
}

#[tokio::test]
async fn an_untrusted_certificate_shows_the_thumbprints_that_would_pin_it() {
    let port = tls_server().await;
    let error = open(port, Trust::System).await.unwrap_err();
    let text = error.to_string();
    let Error::Tls(TlsError::Untrusted { reason, sha256, sha1 }) = error else {
        panic!("{text}");
    };
    assert!(reason.contains("self-signed"), "{reason}");
    assert!(text.contains(&sha256) && text.contains(&sha1), "{text}");
    for thumbprint in [sha256, sha1] {
        let pin: Thumbprint = thumbprint.parse().unwrap();
        open(port, Trust::Thumbprint(pin)).await.unwrap();
    }
    open(port, Trust::Anything).await.unwrap();
}

#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_refused() {
    let port = tls_server().await;
    let pin: Thumbprint = "AB".repeat(32).parse().unwrap();
    let error = open(port, Trust::Thumbprint(pin.clone())).await.unwrap_err();
    let Error::Tls(TlsError::ThumbprintMismatch { expected, sha256, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(expected, pin.to_string());
    let seen: Thumbprint = sha256.parse().unwrap();
    open(port, Trust::Thumbprint(seen)).await.unwrap();
}

#[tokio::test]
async fn servers_without_modern_tls_are_recognized() {
    for (bytes, says) in [
        // Alerts protocol_version and handshake_failure in TLS 1.0 records.
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], "the server refuses both"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "probably it only has older"),
        (b"", "closed the connection during the handshake; probably"),
    ] {
        let error = open(raw_server(bytes).await, Trust::Anything).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Tls(TlsError::TooOld { .. })), "{text}");
        assert!(text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn a_plain_http_port_is_recognized() {
    let port = raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = open(port, Trust::Anything).await.unwrap_err();
    assert!(matches!(error, Error::Tls(TlsError::NotTls)), "{error}");
}
