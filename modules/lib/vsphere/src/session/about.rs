//! The server's description of itself, which needs no login.

use std::fmt;
use std::rc::Rc;

use crate::session::error::Error;
use crate::session::version::Version;
use crate::soap::element::Element;
use crate::soap::moref::Moref;

/// The method that asks for it.
pub(crate) const METHOD: &str = "RetrieveServiceContent";

/// The server's identity (`AboutInfo`).
#[derive(Debug, Clone)]
pub struct About {
    /// The product's version.
    pub version: Version,
    /// vCenter Server or ESXi.
    pub api_type: ApiType,
    /// The API's version as the server states it; not a number on development builds.
    pub api_version: String,
}

/// The server's description of itself before the login, and the API version to speak with it.
#[derive(Clone)]
pub(crate) struct Greeting {
    pub(crate) about: Rc<About>,
    pub(crate) content: Rc<ServiceContent>,
    /// The answer that both were read from.
    pub(crate) text: String,
    pub(crate) version: &'static str,
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting").field("about", &self.about).field("version", &self.version).finish_non_exhaustive()
    }
}

/// The kind of server (`AboutInfo.apiType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiType {
    /// vCenter Server.
    VirtualCenter,
    /// One ESX or ESXi host.
    HostAgent,
}

impl ApiType {
    /// True for vCenter Server.
    pub fn is_vcenter(self) -> bool {
        self == Self::VirtualCenter
    }
}

impl About {
    fn parse(element: &Element) -> Self {
        let text = |name| element.child(name).map_or("", Element::text).to_owned();
        Self {
            version: Version::parse(&text("version")),
            api_type: match text("apiType").as_str() {
                "HostAgent" => ApiType::HostAgent,
                _ => ApiType::VirtualCenter,
            },
            api_version: text("apiVersion"),
        }
    }
}

/// The server's well-known managed objects (`ServiceContent`). ESXi does not have all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceContent {
    /// The inventory's root.
    pub root_folder: Moref,
    /// Reads properties.
    pub property_collector: Moref,
    /// Logs in and out.
    pub session_manager: Moref,
    /// Finds by path, UUID and so on.
    pub search_index: Option<Moref>,
    /// Serves log files.
    pub diagnostic_manager: Option<Moref>,
    /// Serves events.
    pub event_manager: Option<Moref>,
}

/// Reads the answer to `RetrieveServiceContent`.
pub(crate) fn parse(returned: &Element) -> Result<(About, ServiceContent), Error> {
    let optional = |name: &str| returned.child(name).and_then(Element::moref);
    let required = |name: &str| {
        optional(name).ok_or_else(|| {
            Error::Protocol(format!("the server's service content has no `{name}`: this vSphere API cannot be used"))
        })
    };
    let content = ServiceContent {
        root_folder: required("rootFolder")?,
        property_collector: required("propertyCollector")?,
        session_manager: required("sessionManager")?,
        search_index: optional("searchIndex"),
        diagnostic_manager: optional("diagnosticManager"),
        event_manager: optional("eventManager"),
    };
    let about = returned
        .child("about")
        .map(About::parse)
        .ok_or_else(|| Error::Protocol("the server does not report its product".to_owned()))?;
    Ok((about, content))
}
