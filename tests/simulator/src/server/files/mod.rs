//! Serves the list of API versions and the files of the datastores to plain GET requests.

mod percent;
mod range;
mod tree;

use std::fmt::Write;
use std::sync::Arc;

use hyper::header::{ACCEPT_RANGES, AUTHORIZATION, CONTENT_RANGE, HeaderValue, LOCATION, RANGE};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::model::inject::How;
use crate::server::http::{Answer, Drop, session_cookie, text};
use crate::server::shared::Server;
use crate::value::Ref;
use crate::world::World;

use percent::decode;
use range::Part;
use tree::Found;

/// `vimServiceVersions.xml`.
pub fn versions(world: &World) -> String {
    let (version, prior) = world.config.personality.versions();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<namespaces version=\"1.0\">\n <namespace>\n  <name>urn:vim25</name>\n  <version>{version}</version>\n  <priorVersions>\n"
    );
    for version in prior {
        let _ = writeln!(out, "   <version>{version}</version>");
    }
    out.push_str("  </priorVersions>\n </namespace>\n</namespaces>\n");
    out
}

/// Serves `/folder/DIRECTORY/FILE?dcPath=…&dsName=…`: logs and .vmx files of the VMs, and directory listings.
pub async fn folder(server: &Arc<Server>, parts: &Parts) -> Result<Answer, Drop> {
    let path = decode(parts.uri.path());
    let (injected, started) = {
        let mut world = server.world();
        (world.injected(parts.method.as_str(), &path), world.now)
    };
    let answer = match injected {
        Some(How::Drop) => Err(Drop),
        Some(How::Hang) => std::future::pending().await,
        Some(How::Http500) => Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
        Some(How::Garbage) => Ok(text(StatusCode::OK, "text/html", "<html><p>not the file")),
        Some(How::Fault(fault)) if fault.kind() == "NoPermission" => Ok(plain(StatusCode::FORBIDDEN, fault.message)),
        Some(How::Fault(fault)) => Ok(plain(StatusCode::INTERNAL_SERVER_ERROR, fault.message)),
        Some(How::Redirect(location)) => Ok(redirect(&location)),
        _ => Ok(serve(&mut server.world(), parts, &path)),
    };
    let status = answer.as_ref().map_or_else(|_| "drop".to_owned(), |answer| answer.status().as_str().to_owned());
    let mut world = server.world();
    let mut line = json!({
        "n": world.log.len() + 1,
        "method": parts.method.as_str(),
        "object": path,
        "ms": world.now - started,
        "status": status,
    });
    if let Some(range) = parts.headers.get(RANGE).and_then(|value| value.to_str().ok()) {
        line["range"] = range.into();
    }
    world.record(line);
    answer
}

fn redirect(location: &str) -> Answer {
    let mut answer = plain(StatusCode::TEMPORARY_REDIRECT, "");
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

fn plain(status: StatusCode, body: impl Into<hyper::body::Bytes>) -> Answer {
    text(status, "text/plain", body)
}

fn serve(world: &mut World, parts: &Parts, path: &str) -> Answer {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "files are only read here");
    }
    let now = world.now;
    let session = session_cookie(&parts.headers).and_then(|cookie| world.sessions.get_mut(&cookie));
    let known = session.map(|session| session.last_used = now).is_some();
    if !known && !parts.headers.contains_key(AUTHORIZATION) {
        return plain(StatusCode::UNAUTHORIZED, "log in first");
    }
    let query = parts.uri.query().unwrap_or_default();
    let argument = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| decode(&value.replace('+', " ")))
    };
    let places = [("Datacenter", "dcPath"), ("Datastore", "dsName")];
    if !places.iter().all(|(kind, name)| argument(name).is_none_or(|name| may_read(world, kind, &name))) {
        return plain(StatusCode::FORBIDDEN, "Permission to perform this operation was denied.");
    }
    let inside = path.strip_prefix("/folder").unwrap_or_default().trim_start_matches('/');
    match tree::find(world, argument("dcPath").as_deref(), argument("dsName").as_deref(), inside) {
        Found::Nothing => plain(StatusCode::NOT_FOUND, "not found"),
        Found::List(html) => text(StatusCode::OK, "text/html", html),
        Found::File(content) => {
            let asked = parts.headers.get(RANGE).and_then(|value| value.to_str().ok());
            file(content.as_bytes(), asked)
        }
    }
}

/// The privileges that the Web Services SDK Programming Guide lists for files, on their datacenter and their datastore.
fn may_read(world: &World, kind: &str, name: &str) -> bool {
    let places: Vec<Ref> =
        world.moids(kind).filter(|moid| world.name(moid) == name).map(|moid| Ref::new(kind, moid)).collect();
    ["Datastore.Browse", "Datastore.FileManagement"]
        .iter()
        .all(|privilege| places.iter().all(|place| world.permit(place, privilege).is_ok()))
}

fn file(content: &[u8], asked: Option<&str>) -> Answer {
    let (status, body, range) = match range::part(asked, content.len()) {
        Part::Whole => (StatusCode::OK, content, None),
        Part::Bytes(first, last) => {
            let range = format!("bytes {first}-{last}/{}", content.len());
            (StatusCode::PARTIAL_CONTENT, &content[first..=last], Some(range))
        }
        Part::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, &content[..0], Some(format!("bytes */{}", content.len()))),
    };
    let mut answer = plain(status, body.to_vec());
    answer.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        answer.headers_mut().insert(CONTENT_RANGE, range);
    }
    answer
}
