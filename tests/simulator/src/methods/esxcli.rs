//! `esxcli network diag ping` through the API: the objects that reflect a host's commands, and the command itself.

use std::fmt::Write;

use quick_xml::escape::escape;

use crate::fault::{Fault, Result};
use crate::model::host::{EXECUTER, Host, MANAGER};
use crate::soap::node::Node;
use crate::value::{Data, Ref};
use crate::world::World;

use super::call::{Ctx, Outcome, done};

/// The version that brought the commands, and that requests have to name.
const VERSION: &str = "urn:vim25/5.0";

/// Name, aliases and type of each parameter of ping, in the order that a host wants: by name.
const PARAMETERS: [(&str, [&str; 2], bool); 13] = [
    ("count", ["-c", "--count"], false),
    ("debug", ["-D", "--debug"], true),
    ("df", ["-d", "--df"], true),
    ("host", ["-H", "--host"], false),
    ("interface", ["-I", "--interface"], false),
    ("interval", ["-i", "--interval"], false),
    ("ipv4", ["-4", "--ipv4"], true),
    ("ipv6", ["-6", "--ipv6"], true),
    ("netstack", ["-S", "--netstack"], false),
    ("nexthop", ["-N", "--nexthop"], false),
    ("size", ["-s", "--size"], false),
    ("ttl", ["-t", "--ttl"], false),
    ("wait", ["-W", "--wait"], false),
];

/// The parameters of this release: 5.5 brought TCP/IP stacks.
fn parameters(world: &World) -> impl Iterator<Item = &'static (&'static str, [&'static str; 2], bool)> {
    let legacy = world.config.personality.legacy_ft();
    PARAMETERS.iter().filter(move |(name, ..)| !legacy || *name != "netstack")
}

/// `RetrieveManagedMethodExecuter`.
pub fn executer(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    done(Ref::new("ReflectManagedMethodExecuter", &format!("{EXECUTER}{}", ctx.this.moid)))
}

/// `RetrieveDynamicTypeManager`.
pub fn manager(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    done(Ref::new("InternalDynamicTypeManager", &format!("{MANAGER}{}", ctx.this.moid)))
}

/// `ExecuteSoap`. What it runs answers or fails with a document inside a string.
pub fn execute(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let moid = ctx.this.moid.strip_prefix(EXECUTER).unwrap_or_default();
    let host = ctx.world.host(moid).ok_or_else(|| Fault::not_found(&ctx.this))?;
    if host.connection != "connected" {
        return Err(Fault::new(
            "HostNotConnected",
            "Unable to communicate with the remote host, since it is disconnected.",
        ));
    }
    let text = |name: &str| ctx.text(name).unwrap_or_default();
    if text("version") != VERSION {
        // In a version without the command its name means nothing.
        return Err(Fault::invalid_argument("method"));
    }
    let given = arguments(ctx)?;
    let outcome = match (text("moid"), text("method")) {
        ("ha-dynamic-type-manager-local-cli-cliinfo", "vim.CLIInfo.FetchCLIInfo") => info(ctx.world, &given),
        ("ha-cli-handler-network-diag", "vim.EsxCLI.network.diag.ping") => {
            in_order(ctx.world, &given)?;
            ping(ctx.world, moid, host, &given)
        }
        _ => Err(not_found()),
    };
    let result = Data::new("ReflectManagedMethodExecuterSoapResult");
    done(match outcome {
        Ok(document) => result.with("response", document),
        Err(fault) => result.with("fault", fault),
    })
}

/// The names and values of the arguments: each value is an element inside a string.
fn arguments(ctx: &Ctx<'_>) -> Result<Vec<(String, String)>> {
    let all = ctx.call.args.children.iter().filter(|child| child.name == "argument");
    let each = all.enumerate().map(|(index, argument)| {
        let name = argument.value("name").unwrap_or_default();
        let value = argument.value("val").and_then(|value| Node::parse(value).ok()).filter(|value| value.name == name);
        let value = value.ok_or_else(|| Fault::invalid_argument(&format!("argument[{index}].val")))?;
        Ok((name.to_owned(), value.text))
    });
    each.collect()
}

/// Refuses unknown, repeated and misplaced arguments as a host does.
fn in_order(world: &World, given: &[(String, String)]) -> Result<()> {
    let mut known = parameters(world).map(|(name, ..)| *name);
    match given.iter().position(|(name, _)| !known.any(|own| own == name)) {
        Some(index) => Err(Fault::invalid_argument(&format!("argument[{index}]"))),
        None => Ok(()),
    }
}

fn not_found() -> Data {
    let message = "The object or item referred to could not be found.";
    failure(message, &format!("<fault xsi:type=\"NotFound\"/><localizedMessage>{message}</localizedMessage>"))
}

/// The failure of a command, in its own words.
fn cli_fault(messages: &[String]) -> Data {
    let mut fault = String::from("<fault xsi:type=\"VimEsxCLICLIFault\">");
    for message in messages {
        // Writing to a String cannot fail.
        let _ = write!(fault, "<errMsg>{}</errMsg>", escape(message));
    }
    let summary = "EsxCLI.CLIFault.summary";
    failure(summary, &format!("{fault}</fault><localizedMessage>{summary}</localizedMessage>"))
}

fn failure(message: &str, detail: &str) -> Data {
    Data::new("ReflectManagedMethodExecuterSoapFault")
        .with("faultMsg", message)
        .with("faultDetail", object("LocalizedMethodFault", detail))
}

/// A document with an object of this type.
fn object(kind: &str, inside: &str) -> String {
    format!(
        "<obj xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns=\"urn:vim25\" versionId=\"5.0\" xsi:type=\"{kind}\">{inside}</obj>"
    )
}

/// The description of a namespace of commands, as `esxcli` reads it (`vim.CLIInfo.FetchCLIInfo`).
fn info(world: &World, given: &[(String, String)]) -> std::result::Result<String, Data> {
    let wanted = [("typeName".to_owned(), "vim.EsxCLI.network.diag".to_owned())];
    if given != wanted {
        return Err(not_found());
    }
    let named =
        |name: &str, help: &str| format!("<name>{name}</name><displayName>{name}</displayName><help>{help}</help>");
    let mut method = named("ping", "Send ICMP echo requests to network hosts.");
    for (name, [short, long], flag) in parameters(world) {
        let _ = write!(
            method,
            "<param>{}<aliases>{short}</aliases><aliases>{long}</aliases><flag>{flag}</flag></param>",
            named(name, "")
        );
    }
    let hints = "<hints><key>formatter</key><value>simple</value></hints>";
    Ok(object("VimCLIInfo", &format!("{}<method>{method}{hints}</method>", named("network.diag", ""))))
}

/// `vim.EsxCLI.network.diag.ping`.
fn ping(world: &World, moid: &str, host: &Host, given: &[(String, String)]) -> std::result::Result<String, Data> {
    let text = |name: &str| given.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    let number = |name: &str, default: u32| text(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (count, size) = (number("count", 3), number("size", 56));
    let stack = text("netstack").unwrap_or("defaultTcpipStack");
    let device = text("interface").unwrap_or("vmk0");
    let Some(nic) = host.vmknics.iter().find(|nic| nic.device == device && nic.stack == stack) else {
        return Err(cli_fault(&[format!("Unknown interface '{device}': Invalid argument")]));
    };
    // The headers of IP and ICMP.
    let whole = size + 28;
    let packet = if text("df") == Some("true") { whole } else { whole.min(nic.mtu) };
    if packet > nic.mtu {
        let message = "sendto() failed (Message too long)".to_owned();
        return Err(cli_fault(&vec![message; usize::try_from(count).unwrap_or(1)]));
    }
    let address = text("host").unwrap_or_default();
    let peer = world.moids("HostSystem").find(|own| {
        let nic = world.host(own).and_then(|host| host.vmknics.iter().find(|nic| nic.address == address));
        nic.is_some_and(|nic| nic.mtu >= packet)
    });
    let received = if peer.is_some_and(|peer| world.carries(moid, peer, packet)) { count } else { 0 };
    let lost = 100 - 100 * received / count.max(1);
    let summary = format!(
        "<Duplicated>0</Duplicated><HostAddr>{}</HostAddr><PacketLost>{lost}</PacketLost><Recieved>{received}</Recieved>\
         <RoundtripAvgMS>254</RoundtripAvgMS><RoundtripMaxMS>310</RoundtripMaxMS><RoundtripMinMS>198</RoundtripMinMS>\
         <Transmitted>{count}</Transmitted>",
        escape(address)
    );
    let kind = "VimEsxCLInetworkdiagpingVMKPing";
    let found =
        format!("<DataObject xsi:type=\"{kind}\"><Summary xsi:type=\"{kind}Summary\">{summary}</Summary></DataObject>");
    Ok(object("ArrayOfDataObject", &found))
}
