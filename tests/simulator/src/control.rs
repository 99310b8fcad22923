//! What tests ask of the simulator itself, beside the API: the log, the sessions, faults, sudden changes.

use serde_json::{Value as Json, json};

use crate::ft::State;
use crate::inject::Injection;
use crate::world::World;
use crate::world::clock;
use crate::world::entity::Body;
use crate::world::options::HostOption;
use crate::world::vm::Power;

/// Answers a request to a control path: status, content type and body. Nothing for a path that is not one.
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
        ("GET", "/state") => Ok(state(world).to_string()),
        ("POST", "/inject") => with(body, |json| {
            world.injections.push(Injection::parse(json)?);
            Ok(())
        }),
        ("DELETE", "/inject") => {
            world.injections.clear();
            Ok("{}".into())
        }
        ("POST", "/touch") => with(body, |json| touch(world, json)),
        ("POST", "/set") => with(body, |json| set(world, json)),
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

/// VMs and hosts as they are, for tests that look behind the API.
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
                "secondary": vm.ft.as_ref().is_some_and(crate::ft::Pair::secondary),
                "peer": vm.ft.as_ref().map(|pair| pair.peer.clone()),
                "extraConfig": vm.extra.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
                "vmware_log": vm.vmware_log,
            }))
        })
        .collect();
    json!({ "time": clock::format(world.epoch + world.now * 1000), "vms": vms })
}

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

/// Changes a VM behind its clients' backs.
fn touch(world: &mut World, json: &Json) -> Result<(), String> {
    let moid = text(json, "vm").ok_or("vm is missing")?;
    let vm = world.vm_mut(moid).ok_or("there is no such VM")?;
    for (key, value) in json.get("extraConfig").and_then(Json::as_object).into_iter().flatten() {
        vm.set_extra(key, value.as_str().ok_or("extraConfig takes strings")?);
    }
    vm.change += 1;
    Ok(())
}

/// Puts a VM, host or cluster in a state.
fn set(world: &mut World, json: &Json) -> Result<(), String> {
    let moid = text(json, "moid").ok_or("moid is missing")?;
    let state = json.get("state").and_then(Json::as_object).ok_or("state is missing")?;
    for (name, value) in state {
        set_one(world, moid, name, value).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

fn set_one(world: &mut World, moid: &str, name: &str, value: &Json) -> Result<(), String> {
    let string = || value.as_str().map(ToOwned::to_owned).ok_or("takes a string");
    let flag = || value.as_bool().ok_or("takes true or false");
    if name == "ft_state" {
        return set_ft(world, moid, &string()?);
    }
    let entity = world.entities.get_mut(moid).ok_or("there is no such object")?;
    if name == "name" {
        entity.name = string()?;
        return Ok(());
    }
    match (&mut entity.body, name) {
        (Body::Vm(vm), "power") => match Power::parse(&string()?).ok_or("not a power state")? {
            Power::On => vm.start(),
            power => vm.power = power,
        },
        (Body::Vm(vm), "template") => vm.template = flag()?,
        (Body::Vm(vm), "connection") => vm.connection = string()?,
        (Body::Vm(vm), "question") => vm.question = value.as_str().map(ToOwned::to_owned),
        (Body::Vm(vm), "cpus") => {
            vm.cpus = value.as_i64().and_then(|n| i32::try_from(n).ok()).ok_or("takes a number")?;
        }
        (Body::Vm(vm), "instance_uuid") => vm.instance_uuid = string()?,
        (Body::Vm(vm), "unreadable") => {
            let paths = value.as_array().ok_or("takes a list")?;
            vm.unreadable = paths.iter().filter_map(|path| path.as_str().map(ToOwned::to_owned)).collect();
        }
        (Body::Vm(vm), "orphaned") => {
            let orphaned = flag()?;
            if let Some(pair) = &mut vm.ft {
                pair.orphaned = orphaned;
            }
            let connection = if orphaned { "orphaned" } else { "connected" };
            connection.clone_into(&mut vm.connection);
        }
        (Body::Vm(vm), "extraConfig") => {
            for (key, value) in value.as_object().into_iter().flatten() {
                vm.set_extra(key, value.as_str().ok_or("takes strings")?);
            }
            if vm.power == Power::Off {
                vm.effective.clone_from(&vm.extra);
            }
        }
        (Body::Host(host), "connection") => host.connection = string()?,
        (Body::Host(host), "maintenance") => host.maintenance = flag()?,
        (Body::Host(host), "options") => {
            for (key, value) in value.as_object().into_iter().flatten() {
                set_option(&mut host.options, key, value)?;
            }
        }
        (Body::Cluster(cluster), "ha") => cluster.ha = flag()?,
        (Body::Cluster(cluster), "drs_manual") => cluster.drs_manual = flag()?,
        _ => return Err("is not known for this object".into()),
    }
    Ok(())
}

/// An option's value; null takes the option away.
fn set_option(options: &mut Vec<HostOption>, key: &str, value: &Json) -> Result<(), String> {
    if value.is_null() {
        options.retain(|option| option.key != key);
        return Ok(());
    }
    let option = options.iter_mut().find(|option| option.key == key).ok_or("there is no such option")?;
    let kind = option.current.type_name();
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    option.set(Some(&kind), &text).map_err(|fault| fault.message)
}

/// Puts a VM in an FT state, with a secondary where one is needed.
fn set_ft(world: &mut World, moid: &str, state: &str) -> Result<(), String> {
    if state == "notConfigured" {
        world.turn_off(moid);
        return Ok(());
    }
    let state = State::parse(state).ok_or("not an FT state")?;
    if world.secondary_of(moid).is_none() {
        let host = world.place_secondary(moid, None).map_err(|fault| fault.message)?;
        world.register_secondary(moid, &host, state).map_err(|fault| fault.message)?;
    }
    let reason = (state == State::NeedSecondary).then_some("other");
    world.set_ft(moid, state, reason);
    Ok(())
}
