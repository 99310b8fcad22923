//! The methods that are served: which object they belong to, since when, with which parameters.

mod cluster;
mod collector;
mod ft;
mod host;
mod log;
mod option;
mod power;
mod search;
mod session;
mod snapshot;
mod view;
mod vm;

use crate::fault::{Fault, Result};
use crate::property;
use crate::schema::{self, Version};
use crate::soap::envelope::{Call, reference};
use crate::value::{Ref, Value};
use crate::world::World;
use crate::world::session::Session;

/// What a method gives back.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Nothing
    Void,
    /// A value of the declared type; a list is repeated elements
    Value(Value),
    /// A value that carries its type (`anyType`)
    Any(Value),
}

/// What became of a call.
#[derive(Debug)]
pub enum Outcome {
    /// It is answered
    Done(Reply),
    /// It is to be called again when something happened, at the latest after so many milliseconds
    Wait(u64),
}

/// A call and everything it may touch.
pub struct Ctx<'a> {
    /// The world.
    pub world: &'a mut World,
    /// The call.
    pub call: &'a Call,
    /// The object it is called on, with its real type.
    pub this: Ref,
    /// The session.
    pub session: Option<Session>,
    /// The session's cookie.
    pub cookie: Option<String>,
    /// The version of the API.
    pub version: Version,
    /// When the call came in, in milliseconds since the start.
    pub started: u64,
    /// The cookie to set.
    pub set_cookie: Option<String>,
}

impl Ctx<'_> {
    /// Who looks at properties here.
    pub fn viewer(&self) -> property::Viewer<'_> {
        property::Viewer { world: self.world, session: self.session.as_ref(), version: self.version }
    }

    /// A string argument.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.call.args.value(name)
    }

    /// A reference argument, resolved.
    pub fn reference(&self, name: &str) -> Result<Option<Ref>> {
        self.call.args.child(name).map(|node| property::resolve(self.world, &reference(node))).transpose()
    }

    /// A reference argument that must be there.
    pub fn need_reference(&self, name: &'static str) -> Result<Ref> {
        self.reference(name)?.ok_or_else(|| Fault::invalid_argument(name))
    }

    /// The key of the session; calls that need one come after the check that it exists.
    pub fn session_key(&self) -> String {
        self.session.as_ref().map(|session| session.key.clone()).unwrap_or_default()
    }
}

type Handler = fn(&mut Ctx<'_>) -> Result<Outcome>;

/// A method: name, object type, API version, parameters in order (`*` required), handler.
struct Method {
    name: &'static str,
    kind: &'static str,
    since: &'static str,
    params: &'static str,
    handler: Handler,
}

macro_rules! methods {
    ($($kind:literal { $($name:ident $since:literal ($params:literal) $handler:path;)* })*) => {
        const METHODS: &[Method] = &[$($(Method {
            name: stringify!($name), kind: $kind, since: $since, params: $params, handler: $handler,
        },)*)*];
    };
}

methods! {
    "ServiceInstance" {
        RetrieveServiceContent "2.0" ("") session::content;
        CurrentTime "2.0" ("") session::current_time;
    }
    "SessionManager" {
        Login "2.0" ("userName* password* locale") session::login;
        Logout "2.0" ("") session::logout;
        SessionIsActive "2.0" ("sessionID* userName*") session::is_active;
    }
    "PropertyCollector" {
        RetrieveProperties "2.0" ("specSet*") collector::retrieve;
        RetrievePropertiesEx "4.1" ("specSet* options*") collector::retrieve_ex;
        ContinueRetrievePropertiesEx "4.1" ("token*") collector::go_on;
        CancelRetrievePropertiesEx "4.1" ("token*") collector::cancel;
        CreateFilter "2.0" ("spec* partialUpdates*") collector::create_filter;
        CreatePropertyCollector "4.1" ("") collector::create_collector;
        DestroyPropertyCollector "4.1" ("") collector::destroy_collector;
        WaitForUpdates "2.0" ("version") collector::wait;
        WaitForUpdatesEx "4.1" ("version options") collector::wait;
        CheckForUpdates "2.0" ("version") collector::check;
        CancelWaitForUpdates "2.0" ("") collector::cancel_wait;
    }
    "PropertyFilter" {
        DestroyPropertyFilter "2.0" ("") collector::destroy_filter;
    }
    "ViewManager" {
        CreateContainerView "2.0" ("container* type recursive*") view::create;
    }
    "View" {
        DestroyView "2.0" ("") view::destroy;
    }
    "SearchIndex" {
        FindByInventoryPath "2.0" ("inventoryPath*") search::by_path;
        FindByUuid "2.0" ("datacenter uuid* vmSearch* instanceUuid") search::by_uuid;
        FindAllByUuid "4.0" ("datacenter uuid* vmSearch* instanceUuid") search::all_by_uuid;
        FindByDnsName "2.0" ("datacenter dnsName* vmSearch*") search::by_dns;
        FindAllByDnsName "4.0" ("datacenter dnsName* vmSearch*") search::all_by_dns;
        FindByIp "2.0" ("datacenter ip* vmSearch*") search::by_ip;
        FindChild "2.0" ("entity* name*") search::child;
        FindByDatastorePath "2.0" ("datacenter* path*") search::by_datastore_path;
    }
    "OptionManager" {
        QueryOptions "2.0" ("name") option::query;
        UpdateOptions "2.0" ("changedValue*") option::update;
    }
    "VirtualMachine" {
        ReconfigVM_Task "2.0" ("spec*") vm::reconfigure;
        PowerOnVM_Task "2.0" ("host") power::power_on;
        PowerOffVM_Task "2.0" ("") power::power_off;
        SuspendVM_Task "2.0" ("") power::suspend;
        ResetVM_Task "2.0" ("") power::reset;
        ShutdownGuest "2.0" ("") vm::guest;
        RebootGuest "2.0" ("") vm::guest;
        AnswerVM "2.0" ("questionId* answerChoice*") vm::answer;
        Reload "2.0" ("") vm::reload;
        CreateSnapshot_Task "2.0" ("name* description memory* quiesce*") snapshot::create;
        RemoveAllSnapshots_Task "2.0" ("consolidate spec") snapshot::remove_all;
        CreateSecondaryVM_Task "4.0" ("host") ft::create;
        CreateSecondaryVMEx_Task "6.0" ("host spec") ft::create_ex;
        TurnOffFaultToleranceForVM_Task "4.0" ("") ft::turn_off;
        EnableSecondaryVM_Task "4.0" ("vm* host") ft::enable;
        DisableSecondaryVM_Task "4.0" ("vm*") ft::disable;
        MakePrimaryVM_Task "4.0" ("vm*") ft::make_primary;
        TerminateFaultTolerantVM_Task "4.0" ("vm") ft::terminate;
        QueryFaultToleranceCompatibility "4.1" ("") ft::compatibility;
        QueryFaultToleranceCompatibilityEx "6.0" ("forLegacyFt") ft::compatibility_ex;
    }
    "Datacenter" {
        PowerOnMultiVM_Task "2.5" ("vm* option") power::power_on_multi;
    }
    "ClusterComputeResource" {
        ReconfigureComputeResource_Task "2.5" ("spec* modify*") cluster::reconfigure;
        ApplyRecommendation "2.5" ("key*") cluster::apply_recommendation;
    }
    "HostVirtualNicManager" {
        QueryNetConfig "4.0" ("nicType*") host::query_net_config;
        SelectVnicForNicType "4.0" ("nicType* device*") host::select;
        DeselectVnicForNicType "4.0" ("nicType* device*") host::deselect;
    }
    "DiagnosticManager" {
        QueryDescriptions "2.0" ("host") log::descriptions;
        BrowseDiagnosticLog "2.0" ("host key* start lines") log::browse;
    }
}

/// Calls a method. Sessions, versions and parameters are checked before.
pub fn dispatch(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let name = ctx.call.method.as_str();
    let anonymous =
        matches!(name, "RetrieveServiceContent" | "Login" | "RetrieveProperties" | "RetrievePropertiesEx" | "Fetch");
    if ctx.session.is_none() && !anonymous {
        return Err(Fault::not_authenticated(&ctx.call.this));
    }
    ctx.this = property::resolve(ctx.world, &ctx.call.this)?;
    if name == "Fetch" {
        return collector::fetch(ctx);
    }
    if !METHODS.iter().any(|method| method.name == name) {
        return Err(Fault::invalid_request(&format!("there is no method {name}")));
    }
    let method = METHODS
        .iter()
        .find(|method| {
            method.name == name
                && schema::is_a(&ctx.this.kind, method.kind)
                && schema::version(method.since) <= ctx.version
        })
        .ok_or_else(|| {
            Fault::new("MethodNotFound", format!("The method {name} is not known to {}", ctx.this.kind))
                .with("receiver", ctx.this.clone())
                .with("method", name)
        })?;
    check_parameters(method, ctx.call)?;
    (method.handler)(ctx)
}

/// Parameters come in the WSDL's order, none unknown, none of the required ones missing.
fn check_parameters(method: &Method, call: &Call) -> Result<()> {
    let names: Vec<&str> = method.params.split_whitespace().map(|param| param.trim_end_matches('*')).collect();
    let mut place = 0;
    for child in call.args.children.iter().filter(|child| child.name != "_this") {
        match names.iter().skip(place).position(|name| *name == child.name) {
            Some(offset) => place += offset,
            None => {
                return Err(Fault::invalid_request(&format!("unexpected element {} in {}", child.name, method.name)));
            }
        }
    }
    let missing = method
        .params
        .split_whitespace()
        .filter_map(|param| param.strip_suffix('*'))
        .find(|name| call.args.child(name).is_none());
    match missing {
        Some(name) => Err(Fault::invalid_request(&format!("{} needs the parameter {name}", method.name))),
        None => Ok(()),
    }
}

/// An answer with a value.
#[expect(clippy::unnecessary_wraps, reason = "every handler ends in it")]
fn done(value: impl Into<Value>) -> Result<Outcome> {
    Ok(Outcome::Done(Reply::Value(value.into())))
}

/// An answer without a value.
#[expect(clippy::unnecessary_wraps, reason = "every handler ends in it")]
fn void() -> Result<Outcome> {
    Ok(Outcome::Done(Reply::Void))
}
