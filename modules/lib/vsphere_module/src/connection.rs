//! The arguments that name a server, and the session that they lead to.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Instant;

use contract::{Close, Error, Kind, Rule, Run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use session_cache::Key;
use vsphere::{Credentials, Endpoint, Keeper, Proxy, Scheme, Session, Thumbprint, TlsMinimum, Trace, Trust};

use crate::failure;
use crate::failure::WAYS_TO_OLD_TLS;
use crate::kept::Kept;

/// A proxy's host needs its port.
pub const PROXY_NEEDS_PORT: Rule = Rule::Needs("proxy_host", "proxy_port");
/// A proxy's port needs its host.
pub const PROXY_NEEDS_HOST: Rule = Rule::Needs("proxy_port", "proxy_host");

/// The arguments that a call needs which uses a server, in a module that can do without one.
pub const CONNECTION_NEEDED: Rule = Rule::Required(&["hostname", "username", "password"]);

/// The server to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Connection {
    /// Name or IP address of the vCenter Server or ESXi host.
    #[schemars(extend("x-env" = "VMWARE_HOST"), length(min = 1))]
    hostname: String,
    /// User name.
    #[schemars(extend("x-env" = "VMWARE_USER", "x-aliases" = ["user", "admin"]), length(min = 1))]
    username: String,
    /// Password.
    #[schemars(extend("x-env" = "VMWARE_PASSWORD", "x-aliases" = ["pass", "pwd"]))]
    password: Password,
    /// Port of the vSphere Web Services API; 443 unless given, or 80 when O(protocol=http).
    #[schemars(extend("x-env" = "VMWARE_PORT"), range(min = 1, max = 65535))]
    port: Option<u16>,
    /// How the API is reached.
    #[serde(default)]
    protocol: Protocol,
    /// Whether the server's certificate must be valid: issued by an authority that this system trusts, for this name,
    /// and not expired. Even if not, the server must prove that it holds the key of the certificate that it shows. The environment variable E(SSL_CERT_FILE) names a file of other authorities to trust.
    /// Where the certificate is self-signed, O(thumbprint) is the safer way out.
    #[serde(default = "yes")]
    #[schemars(extend("x-env" = "VMWARE_VALIDATE_CERTS"))]
    validate_certs: bool,
    /// SHA-256 or SHA-1 thumbprint of the server's certificate. When given, exactly this certificate is accepted,
    /// whoever issued it, and no other. Colons, spaces and case do not matter.
    #[schemars(length(min = 1))]
    thumbprint: Option<String>,
    /// The oldest TLS version that may be spoken. Below V(1.2), which only builds with the Cargo feature C(legacy-tls)
    /// can: old releases, such as ESXi 5.5 and older, may speak nothing newer. TLS 1.0 and 1.1 are broken: whoever is on the
    /// network between may read the password and change what is sent. Names, issuers and thumbprints of certificates are
    /// checked as ever; short keys and SHA-1 signatures pass.
    #[serde(default)]
    tls_minimum: TlsVersion,
    /// Name or address of an HTTP proxy on the way to the server. Proxies in the environment are not used.
    #[schemars(extend("x-env" = "VMWARE_PROXY_HOST"), length(min = 1))]
    proxy_host: Option<String>,
    /// Port of that proxy.
    #[schemars(extend("x-env" = "VMWARE_PROXY_PORT"), range(min = 1, max = 65535))]
    proxy_port: Option<u16>,
    /// Whether to stay logged in, so that later runs with the same server, user and certificate checks need no login. The
    /// session is stored in a file that only this user can read, under E(XDG_RUNTIME_DIR) or in the user's cache folder. It
    /// stays usable until the server ends it, or until C(nested_vft sessions --close); meanwhile the password is not checked. Not available on Windows.
    #[serde(default)]
    #[schemars(extend("x-env" = "VMWARE_SESSION_CACHE"))]
    session_cache: bool,
}

/// How the API is reached.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    /// HTTP over TLS.
    #[default]
    Https,
    /// Plain HTTP, for a TLS-terminating proxy on the same machine or a simulator: the password crosses the network
    /// unencrypted.
    Http,
}

/// A version of TLS.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
enum TlsVersion {
    #[serde(rename = "1.0")]
    V1_0,
    #[serde(rename = "1.1")]
    V1_1,
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
}

impl From<TlsVersion> for TlsMinimum {
    fn from(version: TlsVersion) -> Self {
        match version {
            TlsVersion::V1_0 => Self::V1_0,
            TlsVersion::V1_1 => Self::V1_1,
            TlsVersion::V1_2 => Self::V1_2,
        }
    }
}

/// A password, which no `{:?}` shows.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("writeOnly" = true))]
struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

fn yes() -> bool {
    true
}

/// Returns the problem of `host` as the value of the argument `name`. It is not repeated: people put user and password before
/// of an @.
fn host_problem(name: &str, port: &str, host: &str) -> Option<String> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let never = |one: char| one.is_whitespace() || one.is_control() || "/@?#\\:%[]<>^|".contains(one);
    if bare.parse::<Ipv6Addr>().is_ok() || !host.contains(never) {
        return None;
    }
    let before_port = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map(|(before, _)| before);
    if before_port.is_some_and(|before| host_problem(name, port, before).is_none()) {
        return Some(format!("`{name}`: give only the name or the address, and the port as `{port}`"));
    }
    Some(format!("`{name}`: give only a name or an address, without scheme, user, path, query or blanks"))
}

impl Connection {
    /// Returns the problems that no schema can express.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(host_problem("hostname", "port", &self.hostname));
        problems.extend(self.proxy_host.as_ref().and_then(|host| host_problem("proxy_host", "proxy_port", host)));
        if let Some(Err(wrong)) = self.thumbprint.as_deref().map(str::parse::<Thumbprint>) {
            problems.push(format!("`thumbprint`: {wrong}"));
        }
        if self.protocol == Protocol::Http && self.thumbprint.is_some() {
            problems.push("`thumbprint` cannot be used with `protocol: http`, which has no certificate".to_owned());
        }
        if self.session_cache && !session_cache::SUPPORTED {
            problems.push(
                "`session_cache`: Windows builds keep no sessions, because they cannot protect them from other users. Remove it, and VMWARE_SESSION_CACHE; `--jsonl` shares one login between many calls"
                    .to_owned(),
            );
        }
        if self.tls_minimum != TlsVersion::V1_2 {
            if self.protocol == Protocol::Http {
                problems.push("`tls_minimum` cannot be used with `protocol: http`, which has no TLS".to_owned());
            } else if !vsphere::LEGACY_TLS {
                problems
                    .push(format!("`tls_minimum`: this build supports only TLS 1.2 and newer. Use {WAYS_TO_OLD_TLS}"));
            }
        }
        problems
    }

    /// Warns about the TLS version that protected the password.
    fn tell_tls(&self, place: &str, session: &Session, run: &Run) {
        let Some(spoken) = session.tls() else { return };
        let minimum = TlsMinimum::from(self.tls_minimum);
        run.warn(if spoken.is_outdated() {
            format!("{place} uses {spoken}")
        } else {
            format!("{place} uses {spoken}: try without `tls_minimum: \"{minimum}\"`")
        });
    }

    /// Connects and logs in, unless an earlier run of the same series has.
    pub async fn open(&self, run: &Run) -> Result<Server, Error> {
        let endpoint = self.endpoint(run.tracer(), run.deadline())?;
        let place = format!("{}:{}", endpoint.host, endpoint.port);
        // Before anything is sent: the run may end at any time.
        self.warn(run);
        if let Some(login) = run.shared::<Login>(|login| login.connection == *self) {
            login.session.serve(endpoint.trace, endpoint.deadline);
            self.tell_tls(&place, &login.session, run);
            return Ok(Server { login, shared: true });
        }
        let credentials = Credentials { username: self.username.clone(), password: self.password.0.clone() };
        let kept = if self.session_cache { Kept::open(self.key(), run).map(Rc::new) } else { None };
        let mut session = match &kept {
            Some(kept) => self.open_kept(kept, credentials, run).await,
            None => Session::open(endpoint, credentials).await.map_err(failure),
        }?;
        self.tell_tls(&place, &session, run);
        if let Some(kept) = &kept {
            session.kept_by(Rc::clone(kept) as Rc<dyn Keeper>);
        }
        let login = Rc::new(Login { connection: self.clone(), session, kept });
        let shared = run.share(&login);
        Ok(Server { login, shared })
    }

    /// Goes on with the kept session, or logs in and keeps the session.
    async fn open_kept(&self, kept: &Kept, credentials: Credentials, run: &Run) -> Result<Session, Error> {
        let endpoint = || self.endpoint(run.tracer(), run.deadline());
        let resume = |saved| Ok::<_, Error>(Session::resume(endpoint()?, credentials.clone(), saved).ok());
        if let Some(saved) = kept.load(run)
            && let Some(session) = resume(saved)?
        {
            return Ok(session);
        }
        // Of many runs that start at once, one logs in.
        let (saved, _turn) = kept.turn().await;
        if let Some(saved) = saved
            && let Some(session) = resume(saved)?
        {
            return Ok(session);
        }
        let session = Session::open(endpoint()?, credentials).await.map_err(failure)?;
        if let Err(error) = kept.store(session.saved()) {
            run.warn(format!("`session_cache`: {error}. This run logs out"));
        }
        Ok(session)
    }

    /// Returns what a kept session is bound to. It holds no password.
    fn key(&self) -> Key {
        let (scheme, usual) = if self.protocol == Protocol::Http { ("http", 80) } else { ("https", 443) };
        let trust = serde_json::json!({
            "validate_certs": self.validate_certs,
            "thumbprint": self.thumbprint,
            "tls_minimum": self.tls_minimum,
            "proxy_host": self.proxy_host,
            "proxy_port": self.proxy_port,
        });
        Key {
            server: format!("{scheme}://{}:{}", self.hostname, self.port.unwrap_or(usual)),
            username: self.username.clone(),
            trust: trust.to_string(),
        }
    }

    /// Returns a connection that reaches the server of a kept session, without a password.
    pub(crate) fn of_key(key: &Key) -> Option<Self> {
        let (protocol, place) = key.server.split_once("://")?;
        let (hostname, port) = place.rsplit_once(':')?;
        let mut arguments: Map<String, Value> = serde_json::from_str(&key.trust).ok()?;
        for (name, value) in
            [("hostname", hostname), ("username", &*key.username), ("password", ""), ("protocol", protocol)]
        {
            arguments.insert(name.to_owned(), value.into());
        }
        arguments.insert("port".to_owned(), port.parse::<u16>().ok()?.into());
        serde_json::from_value(Value::Object(arguments)).ok()
    }

    pub(crate) fn endpoint(&self, trace: Option<Trace>, deadline: Instant) -> Result<Endpoint, Error> {
        let trust = match self.thumbprint.as_deref().map(str::parse) {
            Some(Ok(thumbprint)) => Trust::Thumbprint(thumbprint),
            Some(Err(wrong)) => return Err(Error::new(Kind::InvalidArguments, format!("`thumbprint`: {wrong}"))),
            None if self.validate_certs => Trust::System,
            None => Trust::Anything,
        };
        let (scheme, usual) = match self.protocol {
            Protocol::Http => (Scheme::Http, 80),
            Protocol::Https => (Scheme::Https(trust), 443),
        };
        Ok(Endpoint {
            host: self.hostname.clone(),
            port: self.port.unwrap_or(usual),
            scheme,
            tls_minimum: self.tls_minimum.into(),
            proxy: self.proxy_host.clone().zip(self.proxy_port).map(|(host, port)| Proxy { host, port }),
            trace,
            deadline: Some(deadline),
        })
    }

    /// Warns about the protection that these arguments give up.
    fn warn(&self, run: &Run) {
        let local = ["localhost", "127.0.0.1", "::1"].contains(&self.hostname.as_str());
        if self.protocol == Protocol::Http && !local {
            run.warn("`protocol: http` sends the password unencrypted");
        }
        if self.tls_minimum != TlsVersion::V1_2 {
            run.warn(format!(
                "`tls_minimum: \"{}\"` allows broken TLS versions: someone on the network path may read the password and change the data",
                TlsMinimum::from(self.tls_minimum)
            ));
        }
    }
}

/// A session and the arguments that opened it.
struct Login {
    connection: Connection,
    session: Session,
    kept: Option<Rc<Kept>>,
}

impl Close for Login {
    async fn close(&self) {
        if self.kept.as_ref().is_some_and(|kept| kept.store(self.session.saved()).unwrap_or(false)) {
            self.session.leave();
        } else {
            self.session.close().await;
        }
    }
}

/// A session with a server, logged out at the end of the run; or at the end of the series of runs that shares it.
pub struct Server {
    login: Rc<Login>,
    shared: bool,
}

impl Deref for Server {
    type Target = Session;
    fn deref(&self) -> &Session {
        &self.login.session
    }
}

impl Close for Server {
    async fn close(&self) {
        if !self.shared {
            self.login.close().await;
        }
    }
}
