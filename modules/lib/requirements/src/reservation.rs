//! The memory that Fault Tolerance reserves for the virtual machine: in its resource pool, and on two hosts.

use crate::check::Check;
use crate::context::Context;
use crate::facts::{Host, Vm};
use crate::finding::{Finding, Status};
use crate::rating::{Home, RatedHost, best_apart_or_only, describe};
use crate::requirement::Requirement;

pub const ALL: &[Requirement] = &[POOL_MEMORY, HOST_MEMORY];

/// Fault Tolerance reserves all memory of the virtual machine. SMP-FT needs 1 to 2 GB more (vSphere Availability 6.0 and 6.7).
pub const POOL_MEMORY: Requirement =
    Requirement::decisive("pool-memory", "The resource pool can reserve all memory of the virtual machine.");

pub const HOST_MEMORY: Requirement =
    Requirement::decisive("host-memory", "Two hosts can reserve all memory of the virtual machine.");

/// Judges these requirements.
pub fn judge(context: Context, vm: &Vm) -> Vec<Check> {
    vec![
        Check::new(POOL_MEMORY, &vm.subject, pool_memory(context, vm)),
        Check::new(HOST_MEMORY, &vm.subject, host_memory(context, vm)),
    ]
}

/// The memory that Fault Tolerance needs besides that of the virtual machine, in MB: at least, and at most.
fn overhead(context: Context) -> (i64, i64) {
    if context.is_legacy() { (0, 0) } else { (1024, 2048) }
}

/// Judges what can be reserved: `most` if nothing unknown uses memory, and `least` for certain.
fn enough(context: Context, needed: i64, least: i64, most: i64, remedy: &str) -> Finding {
    let (few, many) = overhead(context);
    let (few, many) = (needed.saturating_add(few), needed.saturating_add(many));
    let observed = if least == most { format!("{most} MB") } else { format!("{least} to {most} MB") };
    let observed = format!("{observed} can be reserved");
    let amount = if few == many { format!("{few} MB") } else { format!("{few} to {many} MB") };
    let why = format!("Fault Tolerance reserves {amount}");
    if most < few {
        Finding::unmet(observed, why).by_hand(remedy)
    } else if least >= many {
        Finding::met(observed)
    } else {
        Finding::unknown(observed, why)
    }
}

const RESERVED: &str = "Fault Tolerance has already reserved it";

fn pool_memory(context: Context, vm: &Vm) -> Finding {
    if vm.has_ft() {
        return Finding::met(RESERVED);
    }
    let remedy = "Raise the reservation of the resource pool or make it expandable, or lower other reservations in it.";
    vm.memory_mb.judge("config.hardware.memoryMB", |memory| {
        vm.reserved_mb.judge("config.memoryAllocation.reservation", |reserved| {
            // Only the reservation of a running virtual machine is in use.
            let reserved = if vm.is_on() { *reserved } else { 0 };
            vm.pool_mb.judge("runtime.memory.unreservedForVm of the resource pool", |free| {
                enough(context, memory.saturating_sub(reserved).max(0), *free, *free, remedy)
            })
        })
    })
}

fn host_memory(context: Context, vm: &Vm) -> Finding {
    if vm.has_ft() {
        return Finding::met(RESERVED);
    }
    let hosts = context.facts.candidates();
    let rated: Vec<RatedHost> = hosts.map(|host| RatedHost::new(host, || vec![of_host(context, vm, host)])).collect();
    let observed = describe(context, &rated);
    match best_apart_or_only(context, &rated) {
        Some(Status::Met) => Finding::met(observed),
        Some(Status::Unmet) => Finding::unmet(observed, "primary and secondary each reserve memory on their own host")
            .by_hand("Give two hosts more memory, or move virtual machines with memory reservations away from them."),
        _ => Finding::unknown(observed, "the memory that hosts can reserve is not certain"),
    }
}

/// Judges whether this host can reserve the memory. vSphere does not report what a host can reserve: at most what the running
/// virtual machines have not reserved. It counts as certain for memory that is neither reserved nor in use, as if reservations were in
/// use.
pub fn of_host(context: Context, vm: &Vm, host: &Host) -> Finding {
    if vm.has_ft() {
        return Finding::met(RESERVED);
    }
    vm.memory_mb.judge("config.hardware.memoryMB", |memory| {
        host.memory_mb.judge("summary.hardware.memorySize", |total| {
            let reserved = host.reserved_mb.known().copied();
            let own = match Home::of(context.facts) {
                Home::At(home) if home.subject.moid == host.subject.moid => vm.used_mb.known().copied().unwrap_or(0),
                _ => 0,
            };
            let used = host.used_mb.known().map(|used| used.saturating_sub(own).max(0));
            let most = total.saturating_sub(reserved.unwrap_or(0));
            let least = reserved.zip(used).map_or(0, |(reserved, used)| total.saturating_sub(reserved.max(used)));
            let remedy = "Give the host more memory, or move virtual machines with memory reservations away from it.";
            enough(context, *memory, least.max(0), most.max(0), remedy)
        })
    })
}
