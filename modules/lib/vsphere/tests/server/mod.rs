//! A server on loopback that answers as a test scripts it, and records its requests.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot serve has failed")]

#[cfg(feature = "legacy-tls")]
pub mod old;
pub mod tls;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use vsphere::{Credentials, Endpoint, Error, Scheme, Session, TlsMinimum};

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The SOAP method, or the path of a GET.
    pub method: String,
    /// The request line and headers, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

/// A running server.
pub struct Server {
    /// Its port on 127.0.0.1.
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// Answers a request, or returns `None` for the default answer (service content, login, logout).
pub type Script = dyn FnMut(&Asked) -> Option<String> + Send;

impl Server {
    /// Starts a server with a script.
    pub async fn start(script: impl FnMut(&Asked) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Mutex<Box<Script>>> = Arc::new(Mutex::new(Box::new(script)));
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), log.clone()));
            }
        });
        Self { port, asked }
    }

    /// Returns all requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Returns the methods of all requests so far.
    pub fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|it| it.method).collect()
    }

    pub fn endpoint(&self) -> Endpoint {
        endpoint(self.port, Scheme::Http)
    }

    /// Opens a session with this server.
    pub async fn session(&self) -> Result<Session, Error> {
        Session::open(self.endpoint(), credentials()).await
    }
}

pub fn endpoint(port: u16, scheme: Scheme) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        scheme,
        tls_minimum: TlsMinimum::default(),
        proxy: None,
        trace: None,
        deadline: Some(Instant::now() + Duration::from_secs(4)),
    }
}

pub const PASSWORD: &str = r#"p<&>"'w"#;

pub fn credentials() -> Credentials {
    Credentials { username: "root".to_owned(), password: PASSWORD.to_owned() }
}

/// Serves one connection until it ends.
pub async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Arc<Mutex<Box<Script>>>,
    log: Arc<Mutex<Vec<Asked>>>,
) {
    let mut bytes = Vec::new();
    while let Some(asked) = receive(&mut stream, &mut bytes).await {
        log.lock().unwrap().push(asked.clone());
        let scripted = (script.lock().unwrap())(&asked);
        let answer = scripted.unwrap_or_else(|| default(&asked));
        // An answer that is cut short ends the connection.
        let whole = answer.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            head.lines()
                .all(|line| line.strip_prefix("Content-Length: ").is_none_or(|length| length == body.len().to_string()))
        });
        if stream.write_all(answer.as_bytes()).await.is_err() || !whole {
            return;
        }
    }
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Option<Asked> {
    loop {
        let text = String::from_utf8_lossy(bytes).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let head = text[..end].to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = text[end + 4..end + 4 + length].to_owned();
                bytes.drain(..end + 4 + length);
                let method = method(&text, &body);
                return Some(Asked { method, head, body });
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
        }
    }
}

fn method(head: &str, body: &str) -> String {
    let after = body.split("<soapenv:Body><").nth(1);
    let name = after.and_then(|rest| rest.split([' ', '>']).next());
    let path = head.split(' ').nth(1).unwrap_or_default();
    name.unwrap_or(path).to_owned()
}

fn default(asked: &Asked) -> String {
    match asked.method.as_str() {
        "RetrieveServiceContent" => soap("RetrieveServiceContent", &service_content("6.7")),
        "Login" => with_header(
            &soap("Login", "<returnval><key>k</key></returnval>"),
            "SET-COOKIE: vmware_soap_session=\"0a1b2c\"; Path=/; HttpOnly; Secure;",
        ),
        "Logout" => soap("Logout", ""),
        other => fault("MethodNotFound", &format!("{other} is not scripted")),
    }
}

pub fn service_content(api_version: &str) -> String {
    format!(
        r#"<returnval><rootFolder type="Folder">group-d1</rootFolder>
        <propertyCollector type="PropertyCollector">pc</propertyCollector>
        <searchIndex type="SearchIndex">si</searchIndex>
        <about><fullName>VMware vCenter Server {api_version}</fullName><version>{api_version}</version><build>1</build>
        <productLineId>vpx</productLineId><apiType>VirtualCenter</apiType><apiVersion>{api_version}</apiVersion></about>
        <sessionManager type="SessionManager">sm</sessionManager></returnval>"#
    )
}

/// Returns a whole HTTP answer with a SOAP response.
pub fn soap(method: &str, inner: &str) -> String {
    http("200 OK", &envelope(&format!(r#"<{method}Response xmlns="urn:vim25">{inner}</{method}Response>"#)))
}

/// Returns a whole HTTP answer with a SOAP fault.
pub fn fault(name: &str, text: &str) -> String {
    http(
        "500 Internal Server Error",
        &envelope(&format!(
            r#"<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>{text}</faultstring>
            <detail><{name}Fault xmlns="urn:vim25" xsi:type="{name}"></{name}Fault></detail></soapenv:Fault>"#
        )),
    )
}

fn envelope(body: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
        xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
        xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
        <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"#
    )
}

/// Returns a whole HTTP answer.
pub fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Adds a header to an answer.
pub fn with_header(answer: &str, header: &str) -> String {
    answer.replacen("\r\n", &format!("\r\n{header}\r\n"), 1)
}

/// Returns a `RetrievePropertiesEx` answer with these objects (`object`).
pub fn objects(list: &[String]) -> String {
    soap("RetrievePropertiesEx", &format!("<returnval>{}</returnval>", list.concat()))
}

/// Returns an `ObjectContent`; the values are XML, or references written `@Type:moid`.
pub fn object(kind: &str, id: &str, properties: &[(&str, &str)]) -> String {
    let set = properties.iter().map(|(path, value)| {
        let value = match value.strip_prefix('@') {
            Some(moref) => {
                let (kind, id) = moref.split_once(':').unwrap();
                format!(r#"<val type="{kind}" xsi:type="ManagedObjectReference">{id}</val>"#)
            }
            None => format!("<val>{value}</val>"),
        };
        format!("<propSet><name>{path}</name>{value}</propSet>")
    });
    let set: Vec<String> = set.collect();
    format!(r#"<objects><obj type="{kind}">{id}</obj>{}</objects>"#, set.concat())
}
