//! The control interface for tests: log, sessions, injected faults, changes behind the API.

mod set;

use serde_json::{Value as Json, json};

use crate::model::clock;
use crate::model::cluster::Cluster;
use crate::model::entity::Body;
use crate::model::grants::Grants;
use crate::model::inject::Injection;
use crate::schema;
use crate::value::{Data, Value};
use crate::world::World;

use set::text;

/// Answers a request to a control path with status and body; `None` for any other path.
pub fn handle(world: &mut World, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
    let path = path.strip_prefix("/control").unwrap_or(path);
    let answer = match (method, path) {
        ("GET", "/log") => Ok(world.log.iter().fold(String::new(), |out, line| out + &line.to_string() + "\n")),
        ("DELETE", "/log") => {
            world.log.clear();
            Ok("{}".into())
        }
        ("GET", "/sessions") => Ok(json!({
            "live": world.sessions.len(),
            "logins": world.counts.logins,
            "logouts": world.counts.logouts,
        })
        .to_string()),
        ("DELETE", "/sessions") => {
            world.sessions.clear();
            Ok("{}".into())
        }
        ("GET", "/state") => Ok(state(world).to_string()),
        ("POST", "/inject") => with(body, |json| {
            world.injections.push(Injection::parse(json)?);
            Ok(())
        }),
        ("DELETE", "/inject") => {
            world.injections.clear();
            Ok("{}".into())
        }
        ("POST", "/grants") => with(body, |json| {
            world.grants = Some(Grants::parse(json)?);
            Ok(())
        }),
        ("DELETE", "/grants") => {
            world.grants = None;
            Ok("{}".into())
        }
        ("POST", "/event") => with(body, |json| event(world, json)),
        ("POST", "/touch") => with(body, |json| touch(world, json)),
        ("POST", "/set") => with(body, |json| set::set(world, json)),
        ("POST", "/reset") => {
            *world = World::new(world.config.clone(), world.epoch + world.now * 1000);
            Ok("{}".into())
        }
        _ => return None,
    };
    Some(match answer {
        Ok(body) => (200, body),
        Err(error) => (400, json!({ "error": error }).to_string()),
    })
}

fn with(body: &str, act: impl FnOnce(&Json) -> Result<(), String>) -> Result<String, String> {
    let json = serde_json::from_str(body).map_err(|error| error.to_string())?;
    act(&json)?;
    Ok("{}".into())
}

/// The state of VMs, hosts and clusters, and the number of pending events, for tests that look behind the API.
fn state(world: &World) -> Json {
    let vms: Vec<Json> = world
        .of_kind("VirtualMachine")
        .iter()
        .filter_map(|moid| {
            let vm = world.vm(moid)?;
            Some(json!({
                "moid": moid,
                "name": world.name(moid),
                "power": vm.power.word(),
                "ft_state": vm.ft_state(),
                "ft_reason": vm.ft.as_ref().and_then(|pair| pair.reason),
                "secondary": vm.ft.as_ref().is_some_and(crate::model::pair::Pair::secondary),
                "peer": vm.ft.as_ref().map(|pair| pair.peer.clone()),
                "extraConfig": vm.extra.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "vmware_log": vm.vmware_log,
            }))
        })
        .collect();
    json!({
        "time": clock::format(world.epoch + world.now * 1000),
        "pending": world.queue.len(),
        "vms": vms,
        "hosts": hosts(world),
        "clusters": clusters(world),
    })
}

fn hosts(world: &World) -> Vec<Json> {
    let each = world.of_kind("HostSystem").into_iter().filter_map(|moid| {
        let host = world.host(&moid)?;
        let options = host.options.iter().map(|option| (option.key.clone(), plain(&option.current)));
        let mut services = host.nics.clone();
        services.sort_unstable();
        Some(json!({
            "moid": moid,
            "options": options.collect::<serde_json::Map<_, _>>(),
            "services": services,
            "maintenance": host.maintenance,
        }))
    });
    each.collect()
}

fn clusters(world: &World) -> Vec<Json> {
    let each = world.of_kind("ClusterComputeResource").into_iter().filter_map(|moid| {
        let Body::Cluster(Cluster { ha, .. }) = &world.entities.get(&moid)?.body else { return None };
        Some(json!({
            "moid": moid,
            "ha": ha.on,
            "host_monitoring": ha.monitoring,
            "admission_control": ha.admission,
            "das_options": ha.options,
        }))
    });
    each.collect()
}

/// The value of an option.
fn plain(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Long(number) => json!(number),
        Value::Str(text) => json!(text),
        other => json!(format!("{other:?}")),
    }
}

/// The typed events that tests may post. The schema only knows the types that the sources name.
const POSTED: [&str; 14] = [
    "VmFailedStartingSecondaryEvent",
    "VmTimedoutStartingSecondaryEvent",
    "VmNoCompatibleHostForSecondaryEvent",
    "VmSecondaryDisabledBySystemEvent",
    "VmMaxFTRestartCountReached",
    "VmFaultToleranceVmTerminatedEvent",
    "VmPrimaryFailoverEvent",
    "VmStartingSecondaryEvent",
    "VmSecondaryStartedEvent",
    "VmMessageErrorEvent",
    "VmFailedMigrateEvent",
    "DasDisabledEvent",
    "DuplicateIpDetectedEvent",
    "VmPoweredOnEvent",
];

/// Posts an event about an object: `{moid, event, reason?, message?, ago_s?}`.
fn event(world: &mut World, json: &Json) -> Result<(), String> {
    let moid = text(json, "moid").ok_or("moid is missing")?.to_owned();
    if !world.entities.contains_key(&moid) {
        return Err("there is no such object".into());
    }
    let kind = text(json, "event").ok_or("event is missing")?;
    if !kind.contains('.') && !POSTED.contains(&kind) {
        return Err(format!("this event cannot be posted; known are {}", POSTED.join(", ")));
    }
    let message = text(json, "message").unwrap_or(kind).to_owned();
    let data = if kind.contains('.') {
        Data::new("EventEx").with("eventTypeId", kind).with("message", &message)
    } else {
        Data::new(kind.to_owned())
    };
    let own = ["reason", "message"].map(|name| (name, text(json, name)));
    let known = own.into_iter().filter(|(name, _)| schema::field(&data.kind, name).is_some() && !kind.contains('.'));
    let data = known.fold(data.clone(), |data, (name, value)| data.opt(name, value));
    let ago = json.get("ago_s").and_then(Json::as_u64).unwrap_or_default();
    let time = (world.epoch + world.now * 1000).saturating_sub(ago * 1_000_000);
    world.post_at(data, &moid, &message, time);
    Ok(())
}

/// Changes a VM as another client would.
fn touch(world: &mut World, json: &Json) -> Result<(), String> {
    let moid = text(json, "vm").ok_or("vm is missing")?;
    let vm = world.vm_mut(moid).ok_or("there is no such VM")?;
    for (key, value) in json.get("extraConfig").and_then(Json::as_object).into_iter().flatten() {
        vm.set_extra(key, value.as_str().ok_or("extraConfig takes strings")?);
    }
    vm.change += 1;
    Ok(())
}
