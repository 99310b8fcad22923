//! Changes behind the API that tests make: `POST /set`.

use clap::ValueEnum as _;
use serde_json::Value as Json;

use crate::config::Scenario;
use crate::model::cluster::Cluster;
use crate::model::entity::Body;
use crate::model::hardware::Hardware;
use crate::model::host::Host;
use crate::model::options::HostOption;
use crate::model::pair::State;
use crate::model::vm::{Power, Tools, Vm};
use crate::world::World;

/// The string field of this name.
pub fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

/// Sets the state of a VM, host, cluster or datastore.
pub fn set(world: &mut World, json: &Json) -> Result<(), String> {
    let moid = text(json, "moid").ok_or("moid is missing")?;
    let state = json.get("state").and_then(Json::as_object).ok_or("state is missing")?;
    for (name, value) in state {
        set_one(world, moid, name, value).map_err(|error| format!("{name}: {error}"))?;
    }
    if state.get("drs_level").is_some_and(|level| level != "manual") {
        world.apply_recommendations();
    }
    if ["mtus", "outer_mtu"].iter().any(|name| state.contains_key(*name)) {
        world.retry_secondaries();
    }
    Ok(())
}

fn set_one(world: &mut World, moid: &str, name: &str, value: &Json) -> Result<(), String> {
    if name == "ft_state" {
        return set_ft(world, moid, &string(value)?);
    }
    match name {
        "power" if value.as_str() == Some(Power::On.word()) && world.vm(moid).is_some() => {
            world.boot(moid);
            return Ok(());
        }
        "disk_store" | "cdrom_store" => {
            let store = Some(world.need_datastore(&string(value)?));
            let hardware = &mut world.vm_mut(moid).ok_or(UNKNOWN)?.hardware;
            *if name == "disk_store" { &mut hardware.disk.store } else { &mut hardware.cdrom.store } = store;
            return Ok(());
        }
        // Objects keep the state that the first scenario gave them.
        "scenario" => {
            world.config.scenario = Scenario::from_str(&string(value)?, false)?;
            return Ok(());
        }
        // Writes the failed start to the logs only, also on a release that does not fail in this way.
        "broken_stream" if flag(value)? => {
            world.log_broken_stream(moid);
            return Ok(());
        }
        "log_lines" => {
            let count = number(value)?;
            let (vmware, vmkernel) = (world.vmware_filler(count), world.vmkernel_filler(count));
            if let Some(vm) = world.vm_mut(moid) {
                vm.vmware_log.extend(vmware);
            } else if let Some(host) = world.host_mut(moid) {
                host.vmkernel_log.extend(vmkernel);
            }
            return Ok(());
        }
        _ => {}
    }
    let entity = world.entities.get_mut(moid).ok_or("there is no such object")?;
    if name == "name" {
        entity.name = string(value)?;
        return Ok(());
    }
    match &mut entity.body {
        Body::Vm(vm) => set_vm(vm, name, value),
        Body::Host(host) => set_host(host, name, value),
        Body::Cluster(cluster) => set_cluster(cluster, name, value),
        Body::Datastore(store) => match name {
            "accessible" => put(&mut store.accessible, flag(value)),
            "shared" => put(&mut store.shared, flag(value)),
            "type" => put(&mut store.kind, string(value)),
            _ => Err(UNKNOWN.into()),
        },
        _ => Err(UNKNOWN.into()),
    }
}

/// `VirtualMachineNeedSecondaryReason`.
const REASONS: [&str; 7] = [
    "initializing",
    "divergence",
    "lostConnection",
    "partialHardwareFailure",
    "userAction",
    "checkpointError",
    "other",
];

const UNKNOWN: &str = "is not known for this object";

fn string(value: &Json) -> Result<String, String> {
    value.as_str().map(ToOwned::to_owned).ok_or_else(|| "takes a string".into())
}

fn flag(value: &Json) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "takes true or false".into())
}

fn number<T: TryFrom<i64>>(value: &Json) -> Result<T, String> {
    value.as_i64().and_then(|number| T::try_from(number).ok()).ok_or_else(|| "takes a number".into())
}

fn strings(value: &Json) -> Result<Vec<String>, String> {
    value.as_array().ok_or("takes a list")?.iter().map(string).collect()
}

/// A string, or null for none.
fn optional(value: &Json) -> Result<Option<String>, String> {
    if value.is_null() { Ok(None) } else { string(value).map(Some) }
}

fn put<T>(place: &mut T, value: Result<T, String>) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn set_vm(vm: &mut Vm, name: &str, value: &Json) -> Result<(), String> {
    match name {
        "power" => vm.power = Power::parse(&string(value)?).ok_or("not a power state")?,
        "vmware_log" => vm.vmware_log = strings(value)?,
        "rotated_logs" => {
            for (number, lines) in value.as_object().ok_or("takes an object")? {
                let number: u32 = number.parse().map_err(|_| "takes numbers")?;
                vm.rotated_logs.retain(|(own, _)| *own != number);
                vm.rotated_logs.push((number, strings(lines)?));
                vm.rotated_logs.sort_by_key(|(number, _)| *number);
            }
        }
        "template" => vm.template = flag(value)?,
        "tools" => vm.tools = Tools::parse(&string(value)?).ok_or("not a state of VMware Tools")?,
        "connection" => vm.connection = string(value)?,
        "question" => vm.question = optional(value)?,
        "cpus" => vm.cpus = number(value)?,
        "memory" => vm.memory = number(value)?,
        "ft_encryption" => vm.ft_encryption = string(value)?,
        // The only mode of an encrypted VM is required.
        "encrypted" => {
            vm.encrypted = flag(value)?;
            vm.ft_encryption = "ftEncryptionRequired".into();
        }
        "ft_reason" => {
            let reason = string(value)?;
            let known = REASONS.into_iter().find(|known| *known == reason).ok_or("not a reason")?;
            vm.ft.as_mut().ok_or("there is no pair")?.reason = Some(known);
        }
        "instance_uuid" => vm.instance_uuid = string(value)?,
        "unreadable" => vm.unreadable = strings(value)?,
        "orphaned" => {
            let orphaned = flag(value)?;
            if let Some(pair) = &mut vm.ft {
                pair.orphaned = orphaned;
            }
            let connection = if orphaned { "orphaned" } else { "connected" };
            connection.clone_into(&mut vm.connection);
        }
        // No client can write this, but files may have it.
        "duplicate" => {
            for (key, value) in value.as_object().ok_or("takes an object")? {
                vm.extra.push((key.clone(), string(value)?));
            }
        }
        "extraConfig" => {
            for (key, value) in value.as_object().into_iter().flatten() {
                vm.set_extra(key, &string(value)?);
            }
            if vm.power == Power::Off {
                vm.effective.clone_from(&vm.extra);
            }
        }
        _ => return set_hardware(&mut vm.hardware, name, value),
    }
    Ok(())
}

fn set_hardware(hardware: &mut Hardware, name: &str, value: &Json) -> Result<(), String> {
    match name {
        "version" => put(&mut hardware.version, string(value)),
        "firmware" => put(&mut hardware.firmware, string(value)),
        "nested_hv" => put(&mut hardware.nested_hv, flag(value)),
        "vbs" => put(&mut hardware.vbs, flag(value)),
        "snapshots" => put(&mut hardware.snapshots, strings(value)),
        "cdrom" => put(&mut hardware.cdrom.media, string(value)),
        "cdrom_connected" => put(&mut hardware.cdrom.connected, flag(value)),
        "reserved" => put(&mut hardware.reserved, number(value)),
        "npiv" => put(&mut hardware.npiv, flag(value)),
        "policy" => put(&mut hardware.policy, optional(value)),
        "added_devices" => put(&mut hardware.added, strings(value)),
        "removed_devices" => {
            let keys = value.as_array().ok_or("takes a list")?.iter().map(number).collect();
            put(&mut hardware.removed, keys)
        }
        "disk" => {
            for (name, value) in value.as_object().ok_or("takes an object")? {
                match name.as_str() {
                    "thin" => put(&mut hardware.disk.thin, flag(value))?,
                    "eager" => put(&mut hardware.disk.eager, flag(value))?,
                    "mode" => put(&mut hardware.disk.mode, string(value))?,
                    "rdm" => put(&mut hardware.disk.rdm, optional(value))?,
                    "size" => put(&mut hardware.disk.size, number(value))?,
                    "linked" => put(&mut hardware.disk.linked, flag(value))?,
                    "filters" => put(&mut hardware.disk.filters, strings(value))?,
                    "more" => put(&mut hardware.disk.more, number(value))?,
                    _ => return Err(format!("{name} is not known of a disk")),
                }
            }
            Ok(())
        }
        _ => Err(UNKNOWN.into()),
    }
}

fn set_host(host: &mut Host, name: &str, value: &Json) -> Result<(), String> {
    match name {
        "connection" => put(&mut host.connection, string(value)),
        "maintenance" => put(&mut host.maintenance, flag(value)),
        "power" => put(&mut host.power, string(value)),
        "lacks" => put(&mut host.lacks, strings(value)),
        "vmkernel_log" => put(&mut host.vmkernel_log, strings(value)),
        "vmkernel_key" => put(&mut host.vmkernel_key, string(value)),
        "nic_lag" => put(&mut host.nic_lag, number(value)),
        "agent" => put(&mut host.agent, optional(value)),
        "build" => put(&mut host.build, optional(value)),
        "feature_version" => put(&mut host.feature_version, string(value)),
        "issues" => put(&mut host.issues, strings(value)),
        "outer_mtu" => put(&mut host.outer_mtu, number(value)),
        "memory" => put(&mut host.memory, number(value)),
        "used_memory" => put(&mut host.used_memory, number(value)),
        "link_speed" => put(&mut host.link_speed, if value.is_null() { Ok(None) } else { number(value).map(Some) }),
        "portgroups" | "mtus" | "stacks" | "addresses" => {
            for (device, value) in value.as_object().ok_or("takes an object")? {
                let nic = host.vmknics.iter_mut().find(|nic| nic.device == device);
                let nic = nic.ok_or("there is no such vmknic")?;
                match name {
                    "portgroups" => nic.portgroup = string(value)?,
                    "addresses" => nic.address = string(value)?,
                    "mtus" => nic.mtu = number(value)?,
                    _ => nic.stack = string(value)?,
                }
            }
            Ok(())
        }
        "options" => {
            for (key, value) in value.as_object().into_iter().flatten() {
                set_option(&mut host.options, key, value)?;
            }
            Ok(())
        }
        _ => Err(UNKNOWN.into()),
    }
}

fn set_cluster(cluster: &mut Cluster, name: &str, value: &Json) -> Result<(), String> {
    match name {
        "ha" => {
            cluster.ha.election = None;
            put(&mut cluster.ha.on, flag(value))
        }
        "ha_untold" => put(&mut cluster.ha.untold, flag(value)),
        "admission_control" => put(&mut cluster.ha.admission, flag(value)),
        "host_monitoring" => put(&mut cluster.ha.monitoring, string(value)),
        "das_options" => {
            for (key, value) in value.as_object().ok_or("takes an object")? {
                cluster.ha.set_option(key, string(value)?);
            }
            Ok(())
        }
        "pool_memory" => put(&mut cluster.pool_memory, number(value).map(Some)),
        "vm_overrides" => {
            cluster.ha.overrides.clear();
            for (vm, priority) in value.as_object().ok_or("takes an object")? {
                cluster.ha.overrides.insert(vm.clone(), string(priority)?);
            }
            Ok(())
        }
        "drs" => put(&mut cluster.drs.on, flag(value)),
        "drs_level" => put(&mut cluster.drs.level, string(value)),
        "drs_overrides" => {
            cluster.drs.overrides.clear();
            for (vm, level) in value.as_object().ok_or("takes an object")? {
                cluster.drs.overrides.insert(vm.clone(), string(level)?);
            }
            Ok(())
        }
        "evc" => put(&mut cluster.drs.evc, flag(value)),
        _ => Err(UNKNOWN.into()),
    }
}

/// Sets an option's value; null removes the option.
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

/// Sets the FT state of a VM, and registers a secondary if the state needs one.
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
