//! Failures before a session have the same messages with either TLS library.

#![cfg(feature = "legacy-tls")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use server::tls::{SERVER_HELLO_1_0, answer_head, breaking_server, modern_server, raw_server};
use server::{credentials, endpoint};
use tokio::net::TcpListener;
use vsphere::{Endpoint, Error, Proxy, Scheme, Session, Thumbprint, TlsMinimum, Trust, WireError};

async fn fails(endpoint: Endpoint) -> Error {
    Session::open(endpoint, credentials()).await.unwrap_err()
}

/// Returns the error with rustls, after checking that OpenSSL's differs only in the versions that it speaks.
async fn same_error(mut endpoint: Endpoint) -> Result<String, String> {
    let mut other = endpoint.clone();
    other.tls_minimum = TlsMinimum::V1_1;
    endpoint.tls_minimum = TlsMinimum::V1_2;
    let (rustls, openssl) = futures_util::future::join(fails(endpoint), fails(other)).await;
    let (text, theirs) = (rustls.to_string(), openssl.to_string());
    let variant = |error: &Error| match error {
        Error::Wire(error) => Some(std::mem::discriminant(error)),
        _ => None,
    };
    if variant(&rustls).is_some()
        && variant(&rustls) == variant(&openssl)
        && text == theirs.replace("TLS 1.1 to 1.3", "TLS 1.2 and 1.3")
    {
        Ok(text)
    } else {
        Err(format!("rustls: {rustls:?}; OpenSSL: {openssl:?}"))
    }
}

async fn check(endpoint: Endpoint, says: &str) {
    let same = same_error(endpoint).await;
    assert!(same.as_ref().is_ok_and(|text| text.contains(says)), "{says}: {same:?}");
}

async fn unused_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn failures_of_servers_are_explained() {
    for (bytes, says) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], "the server refused them"),
        (b"\x15\x03\x01\x00\x02\x02\x28", "refused the handshake; it probably"),
        (b"\x15\x03\x01\x00\x02\x02\x47", "refused the handshake; it probably"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "received fatal alert"),
        (SERVER_HELLO_1_0, "the server chose an older one"),
        (b"", "closed the connection during the handshake"),
        (b"\x16\x03", "closed the connection during the handshake"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not use TLS"),
        (b"SSH-2.0-OpenSSH_4.3\r\n", "does not use TLS"),
        (b"220 smtp.example ESMTP\r\n", "does not use TLS"),
    ] {
        check(endpoint(raw_server(bytes).await, Scheme::Https(Trust::Anything)), says).await;
    }
}

#[tokio::test]
async fn missing_servers_are_explained() {
    let port = unused_port().await;
    let mut endpoint = endpoint(port, Scheme::Https(Trust::Anything));
    check(endpoint.clone(), &format!("cannot connect to 127.0.0.1:{port}: connection refused")).await;
    "::1".clone_into(&mut endpoint.host);
    check(endpoint.clone(), &format!("cannot connect to [::1]:{port}: ")).await;
    "esxi.invalid".clone_into(&mut endpoint.host);
    check(endpoint, "esxi.invalid").await;
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let patient = Endpoint { deadline: None, ..endpoint(port, Scheme::Https(Trust::Anything)) };
    check(patient, "no answer within 10 s").await;
}

#[tokio::test]
async fn bad_certificates_are_refused() {
    let port = modern_server().await;
    check(endpoint(port, Scheme::Https(Trust::System)), "self-signed").await;
    let pin: Thumbprint = "AB".repeat(32).parse().unwrap();
    check(endpoint(port, Scheme::Https(Trust::Thumbprint(pin))), "expected thumbprint AB:AB").await;
}

#[tokio::test]
async fn dropped_connections_are_explained() {
    for (answer, farewell) in [
        ("", true),
        ("", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<soap", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<soap", false),
    ] {
        let mut endpoint = endpoint(breaking_server(answer, farewell).await, Scheme::Https(Trust::Anything));
        // Only rustls notices that TLS ended without `close_notify`.
        for minimum in [TlsMinimum::V1_2, TlsMinimum::V1_0] {
            endpoint.tls_minimum = minimum;
            let error = fails(endpoint.clone()).await;
            assert!(matches!(error, Error::Wire(WireError::Dropped { .. })), "{error:?}");
            assert!(error.to_string().contains("the server closed the connection"), "{answer} {farewell}: {error}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_length_needs_close_notify() {
    let answer = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nnothing";
    for farewell in [true, false] {
        let mut endpoint = endpoint(breaking_server(answer, farewell).await, Scheme::Https(Trust::Anything));
        for minimum in [TlsMinimum::V1_2, TlsMinimum::V1_0] {
            endpoint.tls_minimum = minimum;
            let error = fails(endpoint.clone()).await;
            let told = error.to_string();
            if farewell {
                let Error::NotVsphere(error) = error else { panic!("{minimum}: {error:?}") };
                assert!(matches!(*error, Error::Wire(WireError::Http { status: 404, .. })), "{minimum}: {error:?}");
            } else {
                assert!(matches!(error, Error::Wire(WireError::Dropped { .. })), "{minimum}: {error:?}");
                assert!(told.contains("the server closed the connection"), "{minimum}: {told}");
            }
        }
    }
}

#[tokio::test]
async fn failures_of_proxies_are_explained() {
    let through = |port| {
        let mut endpoint = endpoint(443, Scheme::Https(Trust::Anything));
        "esxi.invalid".clone_into(&mut endpoint.host);
        endpoint.proxy = Some(Proxy { host: "127.0.0.1".to_owned(), port });
        endpoint
    };
    let port = unused_port().await;
    check(through(port), &format!("cannot connect to the proxy 127.0.0.1:{port}: connection refused")).await;
    for (answer, says) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "requires authentication"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", "esxi.invalid:443: the proxy 127.0.0.1:"),
        ("SSH-2.0-OpenSSH_4.3\r\n\r\n", "refused to connect to the server"),
        ("HTTP/1.1 200", "closed the connection without an answer"),
        ("", "closed the connection without an answer"),
        ("HTTP/1.1 200 OK\r\n\r\n", "closed the connection during the handshake"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                answer_head(&mut stream, answer).await;
            }
        });
        check(through(port), says).await;
    }
}
