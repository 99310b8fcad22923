//! Failures of the server as failures of a module, with what to do about them.

use contract::{Error, Kind};
use serde_json::{Map, Value, json};
use vsphere::{Fault, SoapError, TlsError, TlsMinimum, WireError};

/// The ways to a server that need no TLS from this program.
macro_rules! ways_without_tls {
    () => {
        "the ESXi shell, where vmx_option (`path`) and host_option (`connection: shell`) need no network; or a TLS-terminating proxy in front of the server, with `protocol: http`"
    };
}

/// Returns the failure of a module.
pub fn failure(error: vsphere::Error) -> Error {
    use vsphere::Error as Cause;
    let detail = error.to_string();
    match error {
        Cause::Wire(WireError::Connect { .. }) => {
            Error::new(Kind::Connection, detail).hint("Check `hostname`, `port` and the network path.")
        }
        Cause::Wire(WireError::Proxy { .. }) => {
            Error::new(Kind::Connection, detail).hint("Check `proxy_host` and `proxy_port`.")
        }
        Cause::Wire(WireError::NotHttp { .. }) => Error::new(Kind::Connection, detail)
            .hint("Remove `protocol: http`, or set `port` to the one of plain HTTP."),
        Cause::Wire(WireError::Dropped { .. }) => Error::new(Kind::Connection, detail)
            .hint("Run the task again. If this happens each time, check the proxies, firewalls and load balancers on the path."),
        Cause::Wire(WireError::Tls(tls)) => tls_failure(&tls, detail),
        Cause::Wire(WireError::TooLarge { .. }) | Cause::Soap(SoapError::TooLarge { .. }) => {
            Error::new(Kind::Connection, detail)
        }
        Cause::Wire(WireError::Http { status: 407, .. }) => {
            Error::new(Kind::Connection, detail).hint("Set `proxy_host` and `proxy_port` to a proxy that needs no login.")
        }
        Cause::Wire(WireError::Http { .. }) | Cause::Soap(_) | Cause::Protocol(_) => Error::new(Kind::Connection, detail)
            .hint("The server, or a proxy on the path to it, failed. Run the task again."),
        Cause::NotVsphere(_) => Error::new(Kind::Connection, detail)
            .hint("Check that `hostname` and `port` belong to a vCenter Server or an ESXi host."),
        Cause::Wire(WireError::Elsewhere { .. }) => Error::new(Kind::Connection, detail).hint(
            "Set `hostname` and `port` to that server, with a user that it knows. For a log, you can also copy the file and use `path` or `text`.",
        ),
        Cause::Wire(WireError::OtherPort { secure: true, port, .. }) => Error::new(Kind::Connection, detail)
            .hint(format!("Set `protocol: https` and `port: {port}`, if the vSphere API is there.")),
        // Not a hint at plain HTTP, which shows the password to the network.
        Cause::Wire(WireError::OtherPort { .. }) => Error::new(Kind::Connection, detail).hint("Check `port` and `protocol`."),
        Cause::Unreadable { .. } => Error::new(Kind::Permission, detail).hint(
            "Give the user the privileges Datastore.Browse and Datastore.FileManagement on the datastore and on its datacenter.",
        ),
        Cause::Timeout { .. } | Cause::Wire(WireError::Timeout { .. } | WireError::NoTime { .. }) => Error::new(Kind::Timeout, detail)
            .hint("vSphere may still be working on it: run the task again later, or set a longer `timeout`."),
        Cause::Login { fault, .. } => fault_failure(&fault, &detail),
        Cause::Fault(fault) => fault_failure(&fault, &detail),
        Cause::SessionRenewed => Error::new(Kind::Conflict, detail).hint("Run the task again."),
        Cause::Question { .. } => {
            Error::new(Kind::Conflict, detail).hint("Answer the question in the vSphere Client, then run the task again.")
        }
        Cause::NotFound { what, hint } => {
            let hint = hint.unwrap_or_else(|| "check the name, and check that this user may see the object".to_owned());
            Error::new(Kind::NotFound, format!("cannot find {what}")).hint(sentence(&hint))
        }
        Cause::Ambiguous { what, .. } => {
            Error::new(Kind::Ambiguous, detail).hint(if what.starts_with("virtual machine") {
                "Set `folder` and `datacenter`, or `moid`, to select one."
            } else {
                "Set `datacenter` to select one."
            })
        }
    }
}

/// Returns the text with a capital first letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

/// The ways to a server that speaks no modern TLS.
pub(crate) const WAYS_TO_OLD_TLS: &str = concat!(
    "a build of this program with the Cargo feature `legacy-tls`, and `tls_minimum: \"1.0\"`; or ",
    ways_without_tls!()
);

fn tls_failure(tls: &TlsError, detail: String) -> Error {
    let error = Error::new(Kind::Tls, detail);
    match tls {
        // The certificates of the system decided: the caller set neither of the two.
        TlsError::Untrusted { sha256, .. } => error.hint(format!(
            "If this is the certificate you expect, pin it with `thumbprint: {sha256}`; `validate_certs: false` trusts any certificate."
        )),
        TlsError::NoRoots(_) => error.hint(
            "Set SSL_CERT_FILE to a file of CA certificates in PEM format, or unset it if the system has its own. With `thumbprint`, none are needed.",
        ),
        TlsError::ThumbprintMismatch { .. } => error.hint("Find out why the certificate changed before you pin the new one."),
        TlsError::Unproven => error.hint(
            "Another machine may be posing as the server. Check `hostname`, `port` and the network path.",
        ),
        TlsError::TooOld { minimum: TlsMinimum::V1_0, .. } => error.hint(concat!("Use ", ways_without_tls!(), ".")),
        TlsError::TooOld { .. } if vsphere::LEGACY_TLS => {
            error.hint(concat!("Set `tls_minimum: \"1.0\"`; or use ", ways_without_tls!(), "."))
        }
        TlsError::TooOld { .. } => error.hint(
            format!("ESXi 5.5 and older may support nothing newer than TLS 1.0. Use {WAYS_TO_OLD_TLS}."),
        ),
        TlsError::NotTls => error.hint("Check `port`. If you want plain HTTP, set `protocol: http`."),
        TlsError::NotBuilt { .. } => error.hint(format!("Use {WAYS_TO_OLD_TLS}.")),
        TlsError::Other(_) => error,
    }
}

fn fault_failure(fault: &Fault, detail: &str) -> Error {
    let error = |kind| Error::new(kind, detail).fault(fault_tree(fault));
    match fault.name.as_str() {
        "InvalidLogin" | "NotAuthenticated" => error(Kind::Authentication).hint("Check `username` and `password`."),
        "NoPermission" => {
            let privilege = fault.fields.get("privilegeId").or_else(|| fault.fields.get("privilegeIds"));
            let on = match fault.fields.get("object") {
                // A run with many hosts shows the hint of the first one for all.
                Some(object) if object.starts_with("host-") => " on each host that failed".to_owned(),
                Some(object) => format!(" on the object {object}"),
                None => String::new(),
            };
            error(Kind::Permission).hint(match privilege.map(String::as_str) {
                // Every role has these: the user has no role there.
                Some("System.View" | "System.Read") => format!("Give the user read access{on}."),
                Some(privilege) => format!("Give the user the privilege {privilege}{on}."),
                None => format!("Give the user the privilege that this action needs{on}."),
            })
        }
        "RestrictedVersion" => {
            error(Kind::Permission).hint("The licence of this host allows no changes through the API.")
        }
        "ManagedObjectNotFound" => error(Kind::NotFound),
        "TaskInProgress" => {
            error(Kind::Conflict).hint("Another task is running on this object: run this one again when it has ended.")
        }
        "ConcurrentAccess" => error(Kind::Conflict).hint("Run the task again."),
        "NotSupported" | "MethodNotFound" => error(Kind::Unsupported),
        _ => error(Kind::Fault),
    }
}

/// A fault as a tree of JSON under the official names: `type`, `message`, `fields`, `messages`, `causes`.
pub fn fault_tree(fault: &Fault) -> Value {
    let mut tree = Map::new();
    tree.insert("type".to_owned(), json!(fault.name));
    tree.insert("message".to_owned(), json!(fault.message));
    if !fault.fields.is_empty() {
        tree.insert("fields".to_owned(), json!(fault.fields));
    }
    if !fault.messages.is_empty() {
        let messages: Vec<Value> =
            fault.messages.iter().map(|one| json!({ "key": one.key, "message": one.message })).collect();
        tree.insert("messages".to_owned(), json!(messages));
    }
    if !fault.causes.is_empty() {
        let causes: Vec<Value> =
            fault.causes.iter().map(|cause| json!({ "role": cause.role, "fault": fault_tree(&cause.fault) })).collect();
        tree.insert("causes".to_owned(), json!(causes));
    }
    Value::Object(tree)
}
