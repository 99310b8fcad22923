//! Files, memory and environment of a session with legacy TLS. Each test runs in its own process, with its own environment.

#![cfg(feature = "legacy-tls")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use openssl::ssl::SslVersion;
use server::old::{OldServer, root};
use server::{credentials, endpoint};
use vsphere::{Endpoint, Error, Moref, Scheme, Session, TlsError, TlsMinimum, Trust, WireError};

/// Set in the processes that [`alone`] starts, to a directory for the test.
const SCRATCH: &str = "VSPHERE_TEST_SCRATCH";

/// Runs the test `name` again in its own process, with `variable` set to the path `value` in a new directory. In that
/// process, returns the path.
fn alone(name: &str, variable: &str, value: &str) -> Option<PathBuf> {
    if let Some(directory) = env::var_os(SCRATCH) {
        return Some(PathBuf::from(directory).join(value));
    }
    let directory = env::temp_dir().join(format!("vsphere-{}-{variable}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    let mut again = Command::new(env::current_exe().unwrap());
    again.args(["--exact", name]).env(SCRATCH, &directory).env(variable, directory.join(value));
    let output = again.output().unwrap();
    let left = fs::read_dir(&directory).unwrap().count();
    fs::remove_dir_all(&directory).unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(left <= 1, "{left} files are left");
    None
}

async fn open(endpoint: Endpoint) -> Result<Session, Error> {
    Session::open(endpoint, credentials()).await
}

#[tokio::test]
async fn the_socket_is_private_and_removed_with_the_session() {
    let Some(directory) = alone("the_socket_is_private_and_removed_with_the_session", "TMPDIR", "") else { return };
    let entries = || -> Vec<_> { fs::read_dir(&directory).unwrap().map(Result::unwrap).collect() };
    let server = OldServer::speaking(SslVersion::TLS1, SslVersion::TLS1).await;
    let mut endpoint = endpoint(server.port, Scheme::Https(Trust::Anything));
    endpoint.tls_minimum = TlsMinimum::V1_0;
    let session = open(endpoint.clone()).await.unwrap();
    let [socket] = &entries()[..] else { panic!("{:?}", entries()) };
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    fs::remove_dir_all(socket.path()).unwrap();
    let manager = Moref::new("OptionManager", "m");
    // The first call uses the open connection; the second is a write, which is sent only once.
    let (_, second) =
        futures_util::future::join(session.query_option(&manager, "A"), session.update_options(&manager, &[])).await;
    assert!(second.unwrap_err().to_string().contains("the internal socket between HTTP and TLS was closed"));
    let session = open(endpoint.clone()).await.unwrap();
    assert_eq!(entries().len(), 1);
    drop(session);
    assert_eq!(entries().len(), 0);
    endpoint.scheme = Scheme::Https(Trust::System);
    open(endpoint).await.unwrap_err();
    assert_eq!(entries().len(), 0, "nor is anything left of a session that never was");
}

#[tokio::test]
async fn system_roots_decide_about_issuer_and_name() {
    let Some(roots) = alone("system_roots_decide_about_issuer_and_name", "SSL_CERT_FILE", "roots.pem") else { return };
    fs::write(roots, root()).unwrap();
    for (newest, minimum) in [(SslVersion::TLS1, TlsMinimum::V1_0), (SslVersion::TLS1_2, TlsMinimum::V1_2)] {
        let server = OldServer::speaking(newest, newest).await;
        let mut endpoint = endpoint(server.port, Scheme::Https(Trust::System));
        endpoint.tls_minimum = minimum;
        open(endpoint.clone()).await.unwrap();
        endpoint.host = "localhost".to_owned();
        let error = open(endpoint).await.unwrap_err();
        let Error::Wire(WireError::Tls(TlsError::Untrusted { reason, .. })) = error else { panic!("{error}") };
        assert_eq!(reason, "it is not valid for `localhost`");
    }
}
