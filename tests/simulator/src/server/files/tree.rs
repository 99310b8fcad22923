//! The tree of datacenters, datastores, VM directories and files.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::model::vm::Vm;
use crate::world::World;

use super::percent::{decode, escape};

/// The result of looking up a path.
pub enum Found {
    /// Nothing
    Nothing,
    /// A directory listing in HTML
    List(String),
    /// A file
    File(String),
}

/// Looks up a path in a datastore of a datacenter. Without a datacenter or datastore, lists those that exist.
pub fn find(world: &World, datacenter: Option<&str>, store: Option<&str>, path: &str) -> Found {
    let Some(datacenter) = datacenter else {
        let names = world.of_kind("Datacenter").iter().map(|moid| world.name(moid).to_owned()).collect();
        return list_at(path, "datacenters", &names, |name| format!("/folder?dcPath={}", escape(name)));
    };
    let Some(home) = world.of_kind("Datacenter").into_iter().find(|moid| leads_to(world.name(moid), datacenter)) else {
        return Found::Nothing;
    };
    let stores: BTreeSet<String> = world
        .of_kind("Datastore")
        .into_iter()
        .filter(|moid| ancestors(world, moid).any(|ancestor| ancestor == home))
        .map(|moid| world.name(&moid).to_owned())
        .collect();
    let scope = format!("dcPath={}", escape(datacenter));
    let Some(store) = store else {
        return list_at(path, "datastores", &stores, |name| format!("/folder?{scope}&amp;dsName={}", escape(name)));
    };
    if !stores.contains(store) {
        return Found::Nothing;
    }
    let vms: Vec<(&str, &Vm)> = world
        .entities
        .keys()
        .filter_map(|moid| Some((world.name(moid), world.vm(moid)?)))
        .filter(|(_, vm)| world.name(&vm.datastore) == store)
        .collect();
    let link = |name: &str| format!("/folder/{}?{scope}&amp;dsName={}", escape(name), escape(store));
    let (directory, file) = path.split_once('/').unwrap_or((path, ""));
    if directory.is_empty() {
        let names = vms.iter().map(|(_, vm)| format!("{}/", vm.directory)).collect();
        return list_at("", store, &names, link);
    }
    let files: Vec<(String, String)> = vms
        .iter()
        .filter(|(_, vm)| vm.directory == directory)
        .fold(Vec::new(), |files, (name, vm)| add(files, name, vm));
    if files.is_empty() {
        return Found::Nothing;
    }
    if file.is_empty() {
        let names = files.iter().map(|(name, _)| name.clone()).collect();
        return list_at("", directory, &names, |name| link(&format!("{directory}/{name}")));
    }
    files.into_iter().find(|(name, _)| name == file).map_or(Found::Nothing, |(_, content)| Found::File(content))
}

/// A directory listing, if nothing of the path is left.
fn list_at(path: &str, what: &str, names: &BTreeSet<String>, link: impl Fn(&str) -> String) -> Found {
    if !path.is_empty() {
        return Found::Nothing;
    }
    let mut html = format!("<html><head><title>Index of {what}</title></head><body><h1>Index of {what}</h1><table>\n");
    for name in names {
        let _ = writeln!(html, "<tr><td><a href=\"{}\">{name}</a></td></tr>", link(name));
    }
    html.push_str("</table></body></html>\n");
    Found::List(html)
}

/// True if `dcPath` names this datacenter. Clients encode an ampersand in a name twice.
fn leads_to(name: &str, path: &str) -> bool {
    let path = path.trim_matches('/');
    path == name || decode(path) == name
}

fn ancestors<'a>(world: &'a World, moid: &str) -> impl Iterator<Item = String> + 'a {
    let parent = |moid: &String| world.entities.get(moid).and_then(|entity| entity.parent.clone());
    std::iter::successors(parent(&moid.to_owned()), parent)
}

/// Adds the files of a VM. Both halves of a record/replay pair write to one vmware.log.
fn add(mut files: Vec<(String, String)>, name: &str, vm: &Vm) -> Vec<(String, String)> {
    let mut put = |file: String, content: String| match files.iter_mut().find(|(own, _)| *own == file) {
        Some((_, own)) if file == "vmware.log" => own.push_str(&content),
        Some(_) => {}
        None => files.push((file, content)),
    };
    let lines = |lines: &[String]| lines.iter().fold(String::new(), |out, line| out + line + "\n");
    let mut vmx = String::from(".encoding = \"UTF-8\"\n");
    for (key, value) in &vm.extra {
        let _ = writeln!(vmx, "{key} = \"{value}\"");
    }
    put(format!("{name}.vmx"), vmx);
    put("vmware.log".into(), lines(&vm.vmware_log));
    for (number, old) in &vm.rotated_logs {
        put(format!("vmware-{number}.log"), lines(old));
    }
    files
}
