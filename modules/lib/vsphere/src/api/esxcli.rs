//! `esxcli` of a host, through vCenter Server or on the host itself: `ReflectManagedMethodExecuter`, ESXi 5.0 and later.
//!
//! VMware publishes no reference of these methods. govmomi calls them (`cli/esx` and `internal` of 0.55), and so does
//! `VmkPing.java` of vmware-archive/OHMS.

use crate::session::error::Error;
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::error::SoapError;
use crate::soap::escape::escape;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;
use crate::text::one_line;

/// The object that runs `esxcli network diag`.
const HANDLER: &str = "ha-cli-handler-network-diag";
const METHOD: &str = "vim.EsxCLI.network.diag.ping";
/// The version that introduced the commands. govmomi sends it to every release.
const VERSION: &str = "urn:vim25/5.0";
/// The stack of vmknics that name no other.
const DEFAULT_STACK: &str = "defaultTcpipStack";
/// Longest error of a command, in bytes.
const MESSAGE: usize = 500;

/// Pings of one vmknic (`esxcli network diag ping`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping<'a> {
    /// The device that sends, e.g. `vmk1`.
    pub device: &'a str,
    /// Its TCP/IP stack, if the host reports one.
    pub stack: Option<&'a str>,
    /// The IPv4 address to ping.
    pub address: &'a str,
    /// Payload of a packet in bytes: 28 less than the packet, which may not be fragmented.
    pub size: u32,
    /// Number of packets, one a second.
    pub count: u32,
    /// Seconds to wait for an answer.
    pub wait: u32,
}

/// The result of pings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PingReply {
    /// The numbers of packets sent and answered.
    Counted {
        /// Packets sent.
        sent: u32,
        /// Packets answered.
        received: u32,
    },
    /// The command failed; its own words, e.g. `sendto() failed (Message too long)`.
    Failed(String),
}

impl Session {
    /// Finds the object that runs the commands of a host (`RetrieveManagedMethodExecuter`).
    pub async fn method_executer(&self, host: &Moref) -> Result<Moref, Error> {
        let response = self.query(&Request::new("RetrieveManagedMethodExecuter", host)).await?;
        let missing = "the server's answer to RetrieveManagedMethodExecuter names no object";
        returned(&response)?.moref().ok_or_else(|| Error::Protocol(missing.to_owned()))
    }

    /// Pings from a vmknic of the host that `executer` belongs to (`ExecuteSoap`).
    pub async fn ping(&self, executer: &Moref, ping: &Ping<'_>) -> Result<PingReply, Error> {
        let response = self.query(&request(executer, ping)).await?;
        read(returned(&response)?).map_err(Error::from)
    }
}

fn request(executer: &Moref, ping: &Ping) -> Request {
    let mut request = Request::new("ExecuteSoap", executer);
    request.text("moid", HANDLER);
    request.text("version", VERSION);
    request.text("method", METHOD);
    let stack = ping.stack.filter(|stack| *stack != DEFAULT_STACK);
    // Hosts accept arguments only in alphabetical order.
    for (name, value) in [
        ("count", Some(ping.count.to_string())),
        ("df", Some("true".to_owned())),
        ("host", Some(ping.address.to_owned())),
        ("interface", Some(ping.device.to_owned())),
        ("netstack", stack.map(str::to_owned)),
        ("size", Some(ping.size.to_string())),
        ("wait", Some(ping.wait.to_string())),
    ] {
        let Some(value) = value else { continue };
        request.nest("argument", |argument| {
            argument.text("name", name);
            // The value is an XML element inside a string.
            argument.text("val", &format!("<{name}>{}</{name}>", escape(&value)));
        });
    }
    request
}

/// Reads a `ReflectManagedMethodExecuterSoapResult`. Its `response` and `faultDetail` are XML documents inside strings.
pub(crate) fn read(result: &Element) -> Result<PingReply, SoapError> {
    if let Some(fault) = result.child("fault") {
        return Ok(PingReply::Failed(message(fault)));
    }
    let missing = || SoapError::NoValue("ExecuteSoap".to_owned());
    let output = Element::parse(result.child("response").ok_or_else(missing)?.text())?;
    let summary = output.at("DataObject/Summary").or_else(|| output.child("Summary")).ok_or_else(missing)?;
    let number = |name| summary.child(name).and_then(Element::int).and_then(|number| u32::try_from(number).ok());
    let sent = number("Transmitted").ok_or_else(missing)?;
    // ESXi misspells the name.
    let received = number("Recieved").or_else(|| number("Received")).ok_or_else(missing)?;
    Ok(PingReply::Counted { sent, received })
}

/// Returns why a command failed: its own messages, else the fault that it ended in.
fn message(fault: &Element) -> String {
    let detail = fault.child("faultDetail").and_then(|detail| Element::parse(detail.text()).ok());
    let detail = detail.filter(|detail| detail.child("fault").is_some());
    let mut own: Vec<&str> = detail
        .iter()
        .filter_map(|it| it.child("fault"))
        .flat_map(|it| it.children("errMsg"))
        .map(Element::text)
        .collect();
    // Each packet that cannot be sent is one message.
    own.dedup();
    let text = match (&own[..], &detail) {
        ([], Some(detail)) => Fault::localized(detail).describe(),
        ([], None) => fault.child("faultMsg").map_or("", Element::text).to_owned(),
        (own, _) => own.join("; "),
    };
    let text = one_line(&text, MESSAGE);
    if text.is_empty() { format!("{METHOD} failed without a reason") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_elements_inside_strings_in_alphabetical_order() {
        let executer = Moref::new("ReflectManagedMethodExecuter", "ManagedMethodExecuter-20");
        let argument = |name: &str, value: &str| {
            format!("<argument><name>{name}</name><val>&lt;{name}&gt;{value}&lt;/{name}&gt;</val></argument>")
        };
        for (stack, written) in [
            (None, String::new()),
            (Some("defaultTcpipStack"), String::new()),
            (Some("vmotion"), argument("netstack", "vmotion")),
            (Some("<&>"), argument("netstack", "&amp;lt;&amp;amp;&amp;gt;")),
        ] {
            let ping = Ping { device: "vmk1", stack, address: "172.30.1.90", size: 1472, count: 3, wait: 1 };
            let expected = [
                r#"<ExecuteSoap xmlns="urn:vim25"><_this type="ReflectManagedMethodExecuter">ManagedMethodExecuter-20</_this>"#,
                "<moid>ha-cli-handler-network-diag</moid><version>urn:vim25/5.0</version>",
                "<method>vim.EsxCLI.network.diag.ping</method>",
                &argument("count", "3"),
                &argument("df", "true"),
                &argument("host", "172.30.1.90"),
                &argument("interface", "vmk1"),
                &written,
                &argument("size", "1472"),
                &argument("wait", "1"),
                "</ExecuteSoap>",
            ];
            assert_eq!(request(&executer, &ping).call(), expected.concat());
        }
    }

    fn response(document: &str) -> String {
        format!("<returnval><response>{}</response></returnval>", escape(document))
    }

    fn fault(message: &str, detail: Option<&str>) -> String {
        let detail = detail.map(|detail| format!("<faultDetail>{}</faultDetail>", escape(detail))).unwrap_or_default();
        format!("<returnval><fault><faultMsg>{message}</faultMsg>{detail}</fault></returnval>")
    }

    #[test]
    fn the_answer_is_a_document_inside_a_string() {
        let summary = |received: &str| {
            format!(
                "<Summary><Duplicated>0</Duplicated><HostAddr>172.30.1.90</HostAddr><PacketLost>33</PacketLost>\
                 {received}<Transmitted>3</Transmitted></Summary>"
            )
        };
        let counted = |received| PingReply::Counted { sent: 3, received };
        let failed = |text: &str| PingReply::Failed(text.to_owned());
        let array = |inside: &str| {
            format!(
                r#"<?xml version="1.0"?><obj versionId="5.0" xsi:type="ArrayOfDataObject"><DataObject xsi:type="VimEsxCLInetworkdiagpingVMKPing">{inside}</DataObject></obj>"#
            )
        };
        let too_long = "<errMsg>sendto() failed (Message too long)</errMsg>".repeat(3);
        let cli = format!(
            r#"<obj xsi:type="LocalizedMethodFault"><fault xsi:type="VimEsxCLICLIFault">{too_long}</fault><localizedMessage>EsxCLI.CLIFault.summary</localizedMessage></obj>"#
        );
        let other = r#"<obj xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><fault xsi:type="NotFound"/><localizedMessage>gone</localizedMessage></obj>"#;
        for (answer, expected) in [
            (response(&array(&summary("<Recieved>2</Recieved>"))), counted(2)),
            (response(&array(&format!("<Trace/>{}", summary("<Received>0</Received>")))), counted(0)),
            (response(&format!("<obj>{}</obj>", summary("<Recieved>3</Recieved>"))), counted(3)),
            // vCenter Server writes the fields of the reflection types with a prefix of their own.
            (
                response(&array(&summary("<Recieved>3</Recieved>")))
                    .replace("<response>", r#"<r:response xmlns:r="urn:reflect">"#)
                    .replace("</response>", "</r:response>"),
                counted(3),
            ),
            (fault("EsxCLI.CLIFault.summary", Some(&cli)), failed("sendto() failed (Message too long)")),
            (fault("no", Some(other)), failed("NotFound: gone")),
            (fault("Unknown interface", None), failed("Unknown interface")),
            (fault("Unknown interface", Some("<")), failed("Unknown interface")),
            (fault(" ", None), failed("vim.EsxCLI.network.diag.ping failed without a reason")),
        ] {
            assert_eq!(read(&Element::parse(&answer).unwrap()), Ok(expected), "{answer}");
        }
    }

    #[test]
    fn another_answer_is_an_error() {
        for answer in ["<returnval/>", &response(""), &response("<obj/>"), &response("<obj><Summary/></obj>")] {
            let error = read(&Element::parse(answer).unwrap()).unwrap_err().to_string();
            assert!(error.starts_with("the server's answer"), "{error}");
        }
    }
}
