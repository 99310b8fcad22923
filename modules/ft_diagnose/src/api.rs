//! Logs and events through the API: vmware.log of the virtual machine and of its secondary, vmkernel.log of their hosts, and
//! the events of all of them.

use contract::{Error, Kind};
use diagnosis::Timestamp;
use vsphere::{DatastorePath, FoundVm, FtInfo, Moref, Object, VmPaths};
use vsphere_module::{RemedyHosts, Server, VmReport, failure};

use crate::args::Args;
use crate::events;
use crate::examine::Examination;

/// The properties of a virtual machine: `layoutEx` names its log files.
const VM: [&str; 6] =
    ["name", "config.instanceUuid", "runtime.powerState", "runtime.connectionState", "config.files", "layoutEx"];
const PATHS: VmPaths<'static> = VmPaths { vm: &VM, host: &["config.product"], cluster: &["name"] };
/// The newest log of a virtual machine.
const NEWEST: &str = "vmware.log";

/// The virtual machine and where it runs.
#[derive(Debug, Clone)]
pub struct Seen {
    pub vm: VmReport,
    pub hosts: Option<RemedyHosts>,
    /// The version of its host.
    pub version: Option<String>,
    /// The time from which on events count.
    pub events_since: Option<Timestamp>,
}

/// Finds the virtual machine and reads its logs and events.
pub async fn examine(args: &Args, server: &Server, examination: &mut Examination) -> Result<Seen, Error> {
    let found = args.target.read(server, &PATHS, None).await?;
    let partners = partners(server, &found, examination).await?;
    let pair: Vec<&FoundVm> = std::iter::once(&found).chain(&partners).collect();
    vm_logs(args, server, &pair, examination).await?;
    let mut hosts: Vec<&Object> = Vec::new();
    for host in pair.iter().filter_map(|vm| vm.host.as_ref()) {
        if hosts.iter().all(|known| known.moref != host.moref) {
            hosts.push(host);
        }
    }
    if args.host_logs {
        for host in &hosts {
            host_log(args, server, host, examination).await?;
        }
    }
    let events_since = events::examine(server, &pair, &hosts, args.since().and_then(Result::ok), examination).await?;
    let cluster = found.cluster.as_ref().map(|cluster| RemedyHosts::Cluster {
        name: cluster.name(),
        datacenter: args.target.home().map(str::to_owned),
    });
    let alone = || found.host.as_ref().map(|host| RemedyHosts::Names(vec![host.name()]));
    let product = found.host.as_ref().and_then(|host| host.get("config.product")?.at("version"));
    Ok(Seen {
        vm: VmReport::of(&found.vm),
        hosts: cluster.or_else(alone),
        version: product.map(|version| version.text().to_owned()),
        events_since,
    })
}

/// The other halves of its Fault Tolerance group.
async fn partners(server: &Server, found: &FoundVm, examination: &mut Examination) -> Result<Vec<FoundVm>, Error> {
    let Some(info) = found.vm.get("config.ftInfo").map(FtInfo::parse) else { return Ok(Vec::new()) };
    let mut partners = Vec::new();
    for partner in info.secondaries.iter().chain(&info.primary) {
        match server.vm_again(partner, &PATHS).await {
            Ok(vm) => partners.push(vm),
            // It may be gone by now: a secondary that did not start is removed.
            Err(error @ (vsphere::Error::Fault(_) | vsphere::Error::NotFound { .. })) => {
                examination.refuse(&format!("{partner}:{NEWEST}"), failure(error));
            }
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(partners)
}

/// Reads vmware.log of each; those that were rotated, the newest first, as long as nothing is found.
async fn vm_logs(args: &Args, server: &Server, pair: &[&FoundVm], examination: &mut Examination) -> Result<(), Error> {
    let mut folders: Vec<DatastorePath> = Vec::new();
    let mut older: Vec<(u64, DatastorePath)> = Vec::new();
    for found in pair {
        let Some(folder) = log_folder(&found.vm) else {
            let error = Error::new(
                Kind::Conflict,
                format!("vSphere does not report where the logs of {} are", found.vm.name()),
            );
            examination
                .refuse(&format!("{}:{NEWEST}", found.vm.name()), error.hint("Check that its host is connected."));
            continue;
        };
        // The halves of a record/replay pair share a directory.
        if !folders.contains(&folder) {
            older.extend(rotated(&found.vm, &folder));
            folders.push(folder);
        }
    }
    let Some(first) = pair.first().filter(|_| !folders.is_empty()) else { return Ok(()) };
    let datacenter = server.datacenter_of(&first.vm.moref).await.map_err(failure)?;
    for folder in &folders {
        vm_log(args, server, &datacenter, &folder.join(NEWEST), examination).await?;
    }
    older.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    for (_, file) in older {
        if !examination.found_nothing() {
            break;
        }
        vm_log(args, server, &datacenter, &file, examination).await?;
    }
    Ok(())
}

async fn vm_log(
    args: &Args,
    server: &Server,
    datacenter: &str,
    file: &DatastorePath,
    examination: &mut Examination,
) -> Result<(), Error> {
    match server.file_tail(datacenter, file, args.tail_bytes).await {
        Ok(tail) => examination.read(&file.to_string(), &mut tail.text.as_bytes(), tail.skipped, 0).await?,
        Err(error) => examination.refuse(&file.to_string(), failure(error)),
    }
    Ok(())
}

/// The folder of a virtual machine's logs.
fn log_folder(vm: &Object) -> Option<DatastorePath> {
    let said = vm.text("config.files.logDirectory").and_then(DatastorePath::parse);
    said.or_else(|| Some(DatastorePath::parse(vm.text("config.files.vmPathName")?)?.folder()))
}

/// The rotated logs that the virtual machine is known to have, with their numbers.
fn rotated(vm: &Object, folder: &DatastorePath) -> Vec<(u64, DatastorePath)> {
    let files = vm.get("layoutEx").into_iter().flat_map(|layout| layout.children("file"));
    let paths = files.filter_map(|file| DatastorePath::parse(file.child("name")?.text()));
    let logs = paths.filter_map(|path| {
        let number = path.name().strip_prefix("vmware-")?.strip_suffix(".log")?.parse().ok()?;
        Some((number, folder.join(path.name())))
    });
    logs.collect()
}

/// Reads the end of a host's vmkernel log.
async fn host_log(args: &Args, server: &Server, host: &Object, examination: &mut Examination) -> Result<(), Error> {
    let log = match vmkernel(server, &host.moref).await {
        Ok(log) => log,
        Err(error) => {
            examination.refuse(&format!("{}:vmkernel.log", host.name()), failure(error));
            return Ok(());
        }
    };
    let name = format!("{}:{}", host.name(), log.file_name);
    match server.log_tail(&host.moref, &log.key, args.tail_lines).await {
        Ok(page) => {
            let unread = u64::try_from(page.start - 1).unwrap_or(0);
            let text = page.lines.iter().fold(String::new(), |text, line| text + line + "\n");
            examination.read(&name, &mut text.as_bytes(), Some(unread), unread).await?;
        }
        Err(error) => examination.refuse(&name, failure(error)),
    }
    Ok(())
}

/// The log that has the VMkernel's messages: before ESXi 5 they were among all others.
async fn vmkernel(server: &Server, host: &Moref) -> Result<vsphere::LogDescription, vsphere::Error> {
    let mut logs = server.log_descriptions(host).await?;
    if let Some(at) = ["vmkernel", "messages"].iter().find_map(|key| logs.iter().position(|log| log.key == *key)) {
        return Ok(logs.swap_remove(at));
    }
    let keys: Vec<&str> = logs.iter().map(|log| log.key.as_str()).collect();
    let hint = format!("available: {}", if keys.is_empty() { "none".to_owned() } else { keys.join(", ") });
    Err(vsphere::Error::NotFound { what: format!("the vmkernel log of {host}"), hint: Some(hint) })
}

#[cfg(test)]
mod tests {
    use vsphere::{Element, Object};

    use super::*;

    fn vm(properties: &[(&str, &str)]) -> Object {
        let set = |(name, value): &(&str, &str)| format!("<propSet><name>{name}</name><val>{value}</val></propSet>");
        let sets = properties.iter().map(set).collect::<Vec<_>>().concat();
        let xml = format!(r#"<objects><obj type="VirtualMachine">vm-63</obj>{sets}</objects>"#);
        Object::parse(Element::parse(&xml).unwrap()).unwrap()
    }

    #[test]
    fn logs_lie_where_the_virtual_machine_says_or_beside_its_configuration() {
        let path = "<vmPathName>[ds] inner/inner.vmx</vmPathName>";
        let cases = [
            (path.to_owned(), Some("[ds] inner")),
            (format!("{path}<logDirectory>[logs] of/inner/</logDirectory>"), Some("[logs] of/inner")),
            (format!("{path}<logDirectory></logDirectory>"), Some("[ds] inner")),
            (String::new(), None),
        ];
        for (files, expected) in cases {
            let folder = log_folder(&vm(&[("config.files", &files)])).map(|folder| folder.to_string());
            assert_eq!(folder.as_deref(), expected, "{files}");
        }
    }

    #[test]
    fn rotated_logs_are_those_with_a_number() {
        let names = ["vmware.log", "vmware-9.log", "inner.vmx", "vmware-10.log", "vmware-x.log", "vmware-1.log.bak"];
        let file = |name: &&str| format!("<file><key>1</key><name>[ds] inner/{name}</name><type>log</type></file>");
        let layout = names.iter().map(file).collect::<Vec<_>>().concat();
        let folder = DatastorePath::parse("[ds] inner").unwrap();
        let found: Vec<String> =
            rotated(&vm(&[("layoutEx", &layout)]), &folder).iter().map(|(_, file)| file.to_string()).collect();
        assert_eq!(found, ["[ds] inner/vmware-9.log", "[ds] inner/vmware-10.log"]);
        assert!(rotated(&vm(&[]), &folder).is_empty());
    }
}
