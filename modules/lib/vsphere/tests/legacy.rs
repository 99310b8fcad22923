//! Servers with nothing newer than TLS 1.0 or 1.1.

#![cfg(feature = "legacy-tls")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use openssl::ssl::SslVersion;
use server::old::OldServer;
use server::tls::{SERVER_HELLO_1_0, answer_head, modern_server, raw_server};
use server::{credentials, endpoint, soap};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use vsphere::{Endpoint, Error, Moref, Proxy, Scheme, Session, Thumbprint, TlsError, TlsMinimum, Trust, WireError};

/// Returns an endpoint that may speak TLS 1.0.
fn lenient(port: u16, trust: Trust) -> Endpoint {
    Endpoint { tls_minimum: TlsMinimum::V1_0, ..endpoint(port, Scheme::Https(trust)) }
}

async fn open(endpoint: Endpoint) -> Result<Session, Error> {
    Session::open(endpoint, credentials()).await
}

#[tokio::test]
async fn the_newest_common_version_is_spoken_and_reported() {
    for (oldest, newest, version) in [
        (SslVersion::TLS1, SslVersion::TLS1, "1.0"),
        (SslVersion::TLS1_1, SslVersion::TLS1_1, "1.1"),
        (SslVersion::TLS1, SslVersion::TLS1_2, "1.2"),
    ] {
        let server = OldServer::speaking(oldest, newest).await;
        let session = open(lenient(server.port, Trust::Anything)).await.unwrap();
        let spoken = session.tls().unwrap();
        assert_eq!(spoken.version, version);
        let cipher = if version == "1.2" { "ECDHE-RSA-AES256-GCM-SHA384" } else { "AES256-SHA" };
        assert_eq!(spoken.to_string(), format!("TLS {version} with {cipher}"));
        assert_eq!(spoken.is_outdated(), version != "1.2");
        let kept = session.saved().unwrap();
        let resumed = Session::resume(lenient(server.port, Trust::Anything), credentials(), kept).unwrap();
        assert_eq!(resumed.tls(), session.tls(), "a run with a kept session gives the same warning");
        resumed.leave();
        session.close().await;
        assert_eq!(server.methods(), ["RetrieveServiceContent", "Login", "Logout"]);
        assert_eq!(server.connections(), 1, "the connection is kept between requests");
    }
    let session = open(lenient(modern_server().await, Trust::Anything)).await.unwrap();
    assert_eq!(session.tls().unwrap().version, "1.3");
}

#[tokio::test]
async fn nothing_older_than_the_minimum_is_spoken() {
    let server = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    for (minimum, says) in [
        (TlsMinimum::V1_1, "this client supports TLS 1.1 to 1.3, and the server refused them"),
        (TlsMinimum::V1_2, "this client supports TLS 1.2 and 1.3, and the server refuse"),
    ] {
        let mut endpoint = lenient(server.port, Trust::Anything);
        endpoint.tls_minimum = minimum;
        let error = open(endpoint).await.unwrap_err();
        assert!(
            matches!(&error, Error::Wire(WireError::Tls(TlsError::TooOld { minimum: told, .. })) if *told == minimum),
            "{error}"
        );
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(server.methods().is_empty());
}

/// Its ServerHello has no extensions, as before RFC 5746; OpenSSL 3 refuses that by default.
#[tokio::test]
async fn a_server_need_not_know_secure_renegotiation() {
    let error = open(lenient(raw_server(SERVER_HELLO_1_0).await, Trust::Anything)).await.unwrap_err();
    assert!(error.to_string().contains("closed the connection during the handshake"), "{error}");
}

#[tokio::test]
async fn an_untrusted_server_gets_no_http_and_its_thumbprints_are_shown() {
    let server = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    let error = open(lenient(server.port, Trust::System)).await.unwrap_err();
    let Error::Wire(WireError::Tls(TlsError::Untrusted { sha256, sha1, .. })) = error else { panic!("{error}") };
    let wrong: Thumbprint = "AB".repeat(20).parse().unwrap();
    let error = open(lenient(server.port, Trust::Thumbprint(wrong.clone()))).await.unwrap_err();
    let Error::Wire(WireError::Tls(TlsError::ThumbprintMismatch { expected, sha256: seen, .. })) = error else {
        panic!("{error}")
    };
    assert_eq!((expected, &seen), (wrong.to_string(), &sha256));
    assert!(server.methods().is_empty());
    for thumbprint in [sha256, sha1] {
        let pin: Thumbprint = thumbprint.parse().unwrap();
        open(lenient(server.port, Trust::Thumbprint(pin))).await.unwrap();
    }
}

#[tokio::test]
async fn requests_look_as_they_do_over_modern_tls() {
    let old = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    let new = OldServer::speaking(SslVersion::TLS1_2, SslVersion::TLS1_3).await;
    let mut heads = Vec::new();
    for (server, minimum) in [(&old, TlsMinimum::V1_0), (&new, TlsMinimum::V1_2)] {
        let mut endpoint = lenient(server.port, Trust::Anything);
        endpoint.tls_minimum = minimum;
        open(endpoint).await.unwrap();
        let head = server.asked()[0].head.replace(&server.port.to_string(), "port");
        let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
        lines.sort();
        heads.push(lines);
    }
    assert!(heads[0].contains(&"host: 127.0.0.1:port".to_owned()), "{heads:?}");
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn connections_go_through_the_tunnel_of_a_proxy() {
    let server = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    let target = server.port;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let proxy = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = answer_head(&mut stream, "HTTP/1.1 200 Connection established\r\n\r\n").await;
        let mut onward = TcpStream::connect(("127.0.0.1", target)).await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut onward).await;
        head
    });
    let mut endpoint = lenient(443, Trust::Anything);
    endpoint.host = "esxi.invalid".to_owned();
    endpoint.proxy = Some(Proxy { host: "127.0.0.1".to_owned(), port });
    open(endpoint).await.unwrap().close().await;
    assert_eq!(server.methods(), ["RetrieveServiceContent", "Login", "Logout"]);
    assert!(server.asked()[0].head.contains("host: esxi.invalid\r\n"), "{}", server.asked()[0].head);
    let head = proxy.await.unwrap();
    assert!(head.starts_with("CONNECT esxi.invalid:443 HTTP/1.1\r\nHost: esxi.invalid:443\r\n"), "{head}");
}

#[tokio::test]
async fn the_name_is_sent_and_an_address_is_not() {
    let server = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    for (host, sent) in [("localhost", Some("localhost")), ("127.0.0.1", None)] {
        let mut endpoint = lenient(server.port, Trust::Anything);
        endpoint.host = host.to_owned();
        open(endpoint).await.unwrap();
        assert_eq!(server.last_name().as_deref(), sent);
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    for (newest, minimum) in [(SslVersion::TLS1, TlsMinimum::V1_0), (SslVersion::TLS1_2, TlsMinimum::V1_2)] {
        let server = OldServer::speaking(newest, newest).await;
        let mut endpoint = lenient(server.port, Trust::Anything);
        endpoint.tls_minimum = minimum;
        let session = open(endpoint).await.unwrap();
        server.hang_up().await;
        let option = session.query_option(&Moref::new("OptionManager", "m"), "A.B").await;
        assert!(matches!(option, Err(Error::Fault(_))), "{option:?}");
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn large_messages_arrive_whole() {
    let long = "x".repeat(3_000_000);
    // One text may have 1 MiB.
    let others = format!("<returnval><key>{}</key></returnval>", "x".repeat(1_000_000)).repeat(3);
    let text = format!("{others}<returnval><key>A.B</key><value xsi:type=\"xsd:string\">y</value></returnval>");
    let answer = soap("QueryOptions", &text);
    let server = OldServer::start(SslVersion::TLS1, SslVersion::TLS1, move |asked| {
        (asked.method == "QueryOptions").then(|| answer.clone())
    })
    .await;
    let session = open(lenient(server.port, Trust::Anything)).await.unwrap();
    let manager = Moref::new("OptionManager", &long);
    let option = session.query_option(&manager, "A.B").await.unwrap().unwrap();
    assert_eq!(option.value.text, "y");
    assert!(server.asked()[2].body.contains(&long));
}

#[tokio::test]
async fn many_requests_at_once_have_their_connections() {
    let server = OldServer::start(SslVersion::TLS1, SslVersion::TLS1, |_| None).await;
    let session = open(lenient(server.port, Trust::Anything)).await.unwrap();
    let manager = Moref::new("OptionManager", "m");
    let reads = futures_util::future::join_all((0..16).map(|_| session.query_option(&manager, "A.B")));
    assert!(reads.await.iter().all(|read| matches!(read, Err(Error::Fault(_)))));
    assert_eq!(server.asked().len(), 18);
    drop(session);
    server.has_no_connection().await;
}
