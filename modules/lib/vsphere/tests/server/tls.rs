//! Servers with good and bad TLS.

use std::sync::{Arc, Mutex};

use rcgen::{Certificate, CertificateParams, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Script, serve};

/// Starts a server with TLS 1.2 and 1.3, and a self-signed certificate for 127.0.0.1.
pub async fn modern_server() -> u16 {
    served(|stream| async {
        let script: Box<Script> = Box::new(|_| None);
        serve(stream, Arc::new(Mutex::new(script)), Arc::default()).await;
    })
    .await
}

/// Starts the same server, but it answers the first request with `answer` and closes the connection, with or without
/// `close_notify`.
pub async fn breaking_server(answer: &'static str, farewell: bool) -> u16 {
    served(move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer.as_bytes()).await;
        if farewell {
            let _ = stream.shutdown().await;
        } else {
            let _ = stream.get_mut().0.shutdown().await;
        }
    })
    .await
}

async fn served<F: Future<Output = ()> + Send>(
    connection: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + 'static,
) -> u16 {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    served_with(&made.cert, &made.signing_key, rustls::DEFAULT_VERSIONS, connection).await
}

/// Starts a server that signs with another key than its certificate's. Returns the certificate's SHA-256 thumbprint.
pub async fn impostor(
    algorithm: &'static rcgen::SignatureAlgorithm,
    version: &'static SupportedProtocolVersion,
) -> (u16, String) {
    let [shown, held] = [(); 2].map(|()| KeyPair::generate_for(algorithm).unwrap());
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.self_signed(&shown).unwrap();
    let thumbprint: Vec<_> =
        digest(&SHA256, certificate.der()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let port = served_with(&certificate, &held, &[version], |_| async {}).await;
    (port, thumbprint.concat())
}

async fn served_with<F: Future<Output = ()> + Send>(
    certificate: &Certificate,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
    connection: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + 'static,
) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = provider.key_provider.load_private_key(PrivateKeyDer::try_from(key.serialize_der()).unwrap()).unwrap();
    let identity = CertifiedKey::new(vec![certificate.der().clone()], key);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, connection) = (acceptor.clone(), connection.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    connection(stream).await;
                }
            });
        }
    });
    port
}

/// Starts a server that reads the handshake's first message, answers with `bytes` and closes the connection.
pub async fn raw_server(bytes: &'static [u8]) -> u16 {
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

/// The ServerHello of a server whose newest version is TLS 1.0, as OpenSSL 0.9.8 answers newer offers.
pub const SERVER_HELLO_1_0: &[u8] = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01\
    0123456789abcdef0123456789abcdef\x00\x00\x35\x00";

/// Reads and returns the head of a request (for a proxy, of `CONNECT`), and answers with `answer`.
pub async fn answer_head(stream: &mut TcpStream, answer: &str) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut head).await.unwrap(), 0, "a whole head is wanted");
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(head).unwrap()
}
