//! A server with old TLS, which OpenSSL still speaks if configured to.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{NameType, Ssl, SslContext, SslMethod, SslVersion};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_openssl::SslStream;

use super::{Asked, Script, serve};

/// A running server. Its certificate is for 127.0.0.1, issued by its own root.
pub struct OldServer {
    /// Its port on 127.0.0.1.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    asked: Arc<Mutex<Vec<Asked>>>,
    /// The name in the last ClientHello.
    name: Mutex<Option<String>>,
    secured: AtomicUsize,
    open: AtomicUsize,
    hang_up: Notify,
}

impl OldServer {
    /// Starts a server with the TLS versions from `oldest` to `newest`; of the old ones only with an RSA key exchange and SHA-1.
    pub async fn speaking(oldest: SslVersion, newest: SslVersion) -> Self {
        Self::start(oldest, newest, |_| None).await
    }

    /// Starts the same server with a script.
    pub async fn start(
        oldest: SslVersion,
        newest: SslVersion,
        script: impl FnMut(&Asked) -> Option<String> + Send + 'static,
    ) -> Self {
        let state = Arc::<State>::default();
        let context = context(oldest, newest);
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let stream = SslStream::new(Ssl::new(&context).unwrap(), stream).unwrap();
                tokio::spawn(connection(stream, script.clone(), shared.clone()));
            }
        });
        Self { port, state }
    }

    /// Returns all requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// Returns the methods of all requests so far.
    pub fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|it| it.method).collect()
    }

    /// Returns the number of successful handshakes.
    pub fn connections(&self) -> usize {
        self.state.secured.load(Ordering::SeqCst)
    }

    /// Returns the server name (SNI) that the last client sent.
    pub fn last_name(&self) -> Option<String> {
        self.state.name.lock().unwrap().clone()
    }

    /// Closes all connections without `close_notify`.
    pub async fn hang_up(&self) {
        self.state.hang_up.notify_waiters();
        self.has_no_connection().await;
    }

    /// Waits until the last connection is closed.
    pub async fn has_no_connection(&self) {
        let closed = async {
            while self.state.open.load(Ordering::SeqCst) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), closed).await.unwrap();
    }
}

async fn connection(mut stream: SslStream<TcpStream>, script: Arc<Mutex<Box<Script>>>, state: Arc<State>) {
    if Pin::new(&mut stream).accept().await.is_err() {
        return;
    }
    *state.name.lock().unwrap() = stream.ssl().servername(NameType::HOST_NAME).map(str::to_owned);
    state.secured.fetch_add(1, Ordering::SeqCst);
    state.open.fetch_add(1, Ordering::SeqCst);
    tokio::select! {
        () = serve(stream, script, state.asked.clone()) => {}
        () = state.hang_up.notified() => {}
    }
    state.open.fetch_sub(1, Ordering::SeqCst);
}

fn context(oldest: SslVersion, newest: SslVersion) -> SslContext {
    let old = newest == SslVersion::TLS1 || newest == SslVersion::TLS1_1;
    let identity = identity();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_min_proto_version(Some(oldest)).unwrap();
    context.set_max_proto_version(Some(newest)).unwrap();
    context.set_cipher_list(if old { "AES256-SHA:@SECLEVEL=0" } else { "DEFAULT:@SECLEVEL=0" }).unwrap();
    context.set_private_key(&identity.key).unwrap();
    context.set_certificate(&identity.certificate).unwrap();
    context.build()
}

struct Identity {
    root: X509,
    certificate: X509,
    key: PKey<Private>,
}

/// The root that issued the servers' certificate, as PEM.
pub fn root() -> Vec<u8> {
    identity().root.to_pem().unwrap()
}

/// One certificate for all servers of the process, because such keys take long to generate.
fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let key = || PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let (root_key, key) = (key(), key());
        let mut root = certificate("root", "root", &root_key);
        root.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        root.sign(&root_key, MessageDigest::sha256()).unwrap();
        let mut server = certificate("server", "root", &key);
        let name = SubjectAlternativeName::new().ip("127.0.0.1").build(&server.x509v3_context(None, None)).unwrap();
        server.append_extension(name).unwrap();
        server.sign(&root_key, MessageDigest::sha256()).unwrap();
        Identity { root: root.build(), certificate: server.build(), key }
    })
}

fn certificate(subject: &str, issuer: &str, key: &PKey<Private>) -> X509Builder {
    let name = |text: &str| {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", text).unwrap();
        name.build()
    };
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_issuer_name(&name(issuer)).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}
