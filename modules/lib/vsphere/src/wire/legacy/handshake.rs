//! TLS handshakes by OpenSSL, with certificates verified as for rustls.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::ssl::{self, Ssl, SslContext, SslMethod, SslMode, SslOptions, SslRef, SslVerifyMode, SslVersion};
use openssl::x509::X509Ref;
use rustls::{AlertDescription, InvalidMessage, PeerIncompatible};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::route::Route;
use super::strict::Strict;
use crate::wire::error::{TlsError, WireError};
use crate::wire::tls::verifier::Verifier;
use crate::wire::tls_version::{TlsMinimum, TlsSpoken};

/// Security level 0 allows the SHA-1 signatures and short keys of the time of TLS 1.0. Ciphers without a certificate or
/// without encryption stay out.
const CIPHERS: &str = "DEFAULT:!aNULL:!eNULL:@SECLEVEL=0";
/// The groups that old servers know, and one for new servers. A post-quantum key would make the first message larger than a
/// packet, which some old TLS stacks do not accept.
const GROUPS: &str = "X25519:P-256:P-384:P-521";
/// `SSL_OP_LEGACY_SERVER_CONNECT`: servers older than RFC 5746 (OpenSSL 0.9.8) have no secure renegotiation. This client
/// never renegotiates.
const LEGACY_SERVER_CONNECT: SslOptions = SslOptions::from_bits_retain(0x4);

/// `ERR_LIB_SSL`, the part of OpenSSL whose reason codes are used.
const LIBRARY: i32 = 20;
/// Alerts are the reason codes from here on (`SSL_AD_REASON_OFFSET`).
const ALERTS: i32 = 1000;
/// `SSL_R_HTTPS_PROXY_REQUEST`, `SSL_R_HTTP_REQUEST`, `SSL_R_WRONG_VERSION_NUMBER`: the server does not speak TLS.
const NOT_TLS: [i32; 3] = [155, 156, 267];
/// `SSL_R_UNSUPPORTED_PROTOCOL`: the server chose a version that was not offered.
const UNSUPPORTED: i32 = 258;
/// `SSL_R_UNEXPECTED_EOF_WHILE_READING`.
const END_OF_FILE: i32 = 294;

/// Does the handshakes with one server.
pub(super) struct Handshake {
    context: SslContext,
    /// The host, if it is a name: addresses are not sent (RFC 6066, section 3).
    name: Option<String>,
    verifier: Arc<Verifier>,
}

impl Handshake {
    pub(super) fn new(host: &str, minimum: TlsMinimum, verifier: Arc<Verifier>) -> Result<Self, TlsError> {
        let context = context(minimum).map_err(|error| unusable(&error))?;
        let name = host.parse::<IpAddr>().is_err().then(|| host.to_owned());
        Ok(Self { context, name, verifier })
    }

    /// Does the handshake and verifies the certificate. `route` names the peer in errors of the network.
    pub(super) async fn perform(&self, stream: TcpStream, route: &Route) -> Result<SslStream<Strict>, WireError> {
        let mut stream = self.prepare(stream).map_err(|error| unusable(&error))?;
        Pin::new(&mut stream).connect().await.map_err(|error| self.failure(&error, route))?;
        let chain = stream.ssl().peer_cert_chain();
        let chain: Result<_, _> = chain.into_iter().flatten().map(X509Ref::to_der).collect();
        self.verifier.check(chain.map_err(|error| unusable(&error))?)?;
        Ok(stream)
    }

    fn prepare(&self, stream: TcpStream) -> Result<SslStream<Strict>, ErrorStack> {
        let mut ssl = Ssl::new(&self.context)?;
        if let Some(name) = &self.name {
            ssl.set_hostname(name)?;
        }
        SslStream::new(ssl, Strict(stream))
    }

    /// Explains a failed handshake, with the same errors as for rustls where both can tell.
    fn failure(&self, error: &ssl::Error, route: &Route) -> WireError {
        if let Some(io) = error.io_error()
            && io.kind() != ErrorKind::UnexpectedEof
        {
            return route.broken(io);
        }
        let Some(reason) = error.ssl_error().and_then(|stack| stack.errors().first()) else {
            return self.verifier.hung_up().into();
        };
        let code = if reason.library_code() == LIBRARY { reason.reason_code() } else { 0 };
        let alert = u8::try_from(code - ALERTS).map(AlertDescription::from);
        let known = match (code, alert) {
            (END_OF_FILE, _) => return self.verifier.hung_up().into(),
            (UNSUPPORTED, _) => PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig.into(),
            (_, Ok(alert)) => rustls::Error::AlertReceived(alert),
            _ if NOT_TLS.contains(&code) => InvalidMessage::InvalidContentType.into(),
            _ => return TlsError::Other(reason.reason().unwrap_or("OpenSSL gives no reason").to_owned()).into(),
        };
        self.verifier.explain(&known).into()
    }
}

/// Returns the negotiated version and cipher.
pub(super) fn spoken(ssl: &SslRef) -> Option<TlsSpoken> {
    let version = match ssl.version2()? {
        SslVersion::TLS1 => "1.0",
        SslVersion::TLS1_1 => "1.1",
        SslVersion::TLS1_2 => "1.2",
        _ => "1.3",
    };
    Some(TlsSpoken { version: version.to_owned(), cipher: ssl.current_cipher()?.name().to_owned() })
}

/// Creates the context. It sets versions, ciphers, groups and verification, whatever the system's OpenSSL configuration says.
fn context(minimum: TlsMinimum) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_min_proto_version(Some(match minimum {
        TlsMinimum::V1_0 => SslVersion::TLS1,
        TlsMinimum::V1_1 => SslVersion::TLS1_1,
        TlsMinimum::V1_2 => SslVersion::TLS1_2,
    }))?;
    context.set_max_proto_version(None)?;
    context.set_cipher_list(CIPHERS)?;
    context.set_groups_list(GROUPS)?;
    context.set_options(
        LEGACY_SERVER_CONNECT | SslOptions::NO_RENEGOTIATION | SslOptions::NO_COMPRESSION | SslOptions::NO_TICKET,
    );
    // Nothing is written before the verifier has accepted the chain, so OpenSSL need not verify it too.
    context.set_verify(SslVerifyMode::NONE);
    // An unfinished write is repeated from another buffer.
    context.set_mode(SslMode::ENABLE_PARTIAL_WRITE | SslMode::ACCEPT_MOVING_WRITE_BUFFER | SslMode::AUTO_RETRY);
    Ok(context.build())
}

fn unusable(error: &ErrorStack) -> TlsError {
    TlsError::Other(format!("OpenSSL cannot be used: {error}"))
}
