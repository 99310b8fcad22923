//! The methods of the API: which exist, and the checks before each call.

pub mod call;
mod cluster;
mod collector;
mod esxcli;
pub mod event;
mod ft;
mod host;
mod log;
mod option;
mod power;
mod privilege;
mod search;
mod session;
mod snapshot;
mod view;
mod vm;

use crate::fault::{Fault, Result};
use crate::property;
use crate::schema;
use crate::soap::check;

use call::{Ctx, Outcome};

type Handler = fn(&mut Ctx<'_>) -> Result<Outcome>;

macro_rules! methods {
    ($($name:ident => $handler:path;)*) => {
        const METHODS: &[(&str, Handler)] = &[$((stringify!($name), $handler),)*];
    };
}

// Their objects and parameters are in schema/types.txt; schema/generate.py reads the names from here.
methods! {
        // ServiceInstance
        RetrieveServiceContent => session::content;
        CurrentTime => session::current_time;
        // SessionManager
        Login => session::login;
        Logout => session::logout;
        SessionIsActive => session::is_active;
        // PropertyCollector
        RetrieveProperties => collector::retrieve;
        RetrievePropertiesEx => collector::retrieve_ex;
        ContinueRetrievePropertiesEx => collector::go_on;
        CancelRetrievePropertiesEx => collector::cancel;
        CreateFilter => collector::create_filter;
        CreatePropertyCollector => collector::create_collector;
        DestroyPropertyCollector => collector::destroy_collector;
        WaitForUpdates => collector::wait;
        WaitForUpdatesEx => collector::wait;
        CheckForUpdates => collector::check;
        CancelWaitForUpdates => collector::cancel_wait;
        // PropertyFilter
        DestroyPropertyFilter => collector::destroy_filter;
        // ViewManager
        CreateContainerView => view::create;
        // View
        DestroyView => view::destroy;
        // SearchIndex
        FindByInventoryPath => search::by_path;
        FindByUuid => search::by_uuid;
        FindAllByUuid => search::all_by_uuid;
        FindByDnsName => search::by_dns;
        FindAllByDnsName => search::all_by_dns;
        FindByIp => search::by_ip;
        FindChild => search::child;
        FindByDatastorePath => search::by_datastore_path;
        // OptionManager
        QueryOptions => option::query;
        UpdateOptions => option::update;
        // VirtualMachine
        ReconfigVM_Task => vm::reconfigure;
        PowerOnVM_Task => power::power_on;
        PowerOffVM_Task => power::power_off;
        SuspendVM_Task => power::suspend;
        ResetVM_Task => power::reset;
        ShutdownGuest => power::shut_down_guest;
        RebootGuest => power::reboot_guest;
        AnswerVM => vm::answer;
        Reload => vm::reload;
        CreateSnapshot_Task => snapshot::create;
        RemoveAllSnapshots_Task => snapshot::remove_all;
        CreateSecondaryVM_Task => ft::create;
        CreateSecondaryVMEx_Task => ft::create_ex;
        TurnOffFaultToleranceForVM_Task => ft::turn_off;
        EnableSecondaryVM_Task => ft::enable;
        DisableSecondaryVM_Task => ft::disable;
        MakePrimaryVM_Task => ft::make_primary;
        TerminateFaultTolerantVM_Task => ft::terminate;
        QueryFaultToleranceCompatibility => ft::compatibility;
        QueryFaultToleranceCompatibilityEx => ft::compatibility_ex;
        // Datacenter
        PowerOnMultiVM_Task => power::power_on_multi;
        // ClusterComputeResource
        ReconfigureComputeResource_Task => cluster::reconfigure;
        ApplyRecommendation => cluster::apply_recommendation;
        // HostVirtualNicManager
        QueryNetConfig => host::query_net_config;
        SelectVnicForNicType => host::select;
        DeselectVnicForNicType => host::deselect;
        // HostSystem
        RetrieveManagedMethodExecuter => esxcli::executer;
        RetrieveDynamicTypeManager => esxcli::manager;
        // ReflectManagedMethodExecuter
        ExecuteSoap => esxcli::execute;
        // EventManager
        QueryEvents => event::query;
        CreateCollectorForEvents => event::create;
        // EventHistoryCollector
        ReadNextEvents => event::next;
        ReadPreviousEvents => event::previous;
        // HistoryCollector
        SetCollectorPageSize => event::page_size;
        ResetCollector => event::reset;
        RewindCollector => event::rewind;
        DestroyCollector => event::destroy;
        // DiagnosticManager
        QueryDescriptions => log::descriptions;
        BrowseDiagnosticLog => log::browse;
}

/// The names of the methods that are served.
#[cfg(test)]
pub fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

/// Calls a method, after checking session, object, version and parameters.
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
    let method = schema::method(name)
        .filter(|method| schema::is_a(&ctx.this.kind, method.kind) && method.since <= ctx.version)
        .zip(METHODS.iter().find(|(own, _)| *own == name));
    let Some((method, (_, handler))) = method else {
        return Err(Fault::new("MethodNotFound", format!("The method {name} is not known to {}", ctx.this.kind))
            .with("receiver", ctx.this.clone())
            .with("method", name));
    };
    check::arguments(ctx.call, method, ctx.version)?;
    privilege::check(ctx)?;
    handler(ctx)
}
