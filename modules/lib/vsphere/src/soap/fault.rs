//! Faults: why vSphere refuses, with the nested faults that hold the real reason.

use std::collections::BTreeMap;

use crate::soap::element::Element;
use crate::text::{brief, one_line};

// Limits for one fault, far above real ones. The rest is cut, because a whole fault goes into one line of output.
const DEPTH: usize = 32;
/// Longest text, in bytes.
const TEXT: usize = 3000;
/// All texts together, in bytes.
const TEXTS: usize = 12_000;
/// Longest description, in bytes.
const DESCRIPTION: usize = 3000;
/// Fields, attached messages and nested faults together.
const PARTS: usize = 300;

/// A fault (`MethodFault`) as a method call, a task (`TaskInfo.error`) or a result reports it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fault {
    /// The official type name, e.g. `InvalidPowerState`.
    pub name: String,
    /// The server's text; empty when there is none worth showing.
    pub message: String,
    /// Simple fields: `reason`, `hostName`, `invalidProperty`, `privilegeId`, moids of referenced objects, and so on.
    /// Repeated ones are joined with `, `.
    pub fields: BTreeMap<String, String>,
    /// `MethodFault.faultMessage`: details that some products attach.
    pub messages: Vec<FaultMessage>,
    /// Nested faults, any depth.
    pub causes: Vec<Cause>,
}

/// One entry of `MethodFault.faultMessage` (`LocalizableMessage`).
#[derive(Debug, Clone, PartialEq)]
pub struct FaultMessage {
    /// The message's key, e.g. `msg.checkpoint.precopyfailure`.
    pub key: String,
    /// Its text.
    pub message: String,
}

/// A fault within a fault (`LocalizedMethodFault`).
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The field that held it, e.g. `hostErrors`, `rootCause`, `faultCause`.
    pub role: String,
    /// The nested fault.
    pub fault: Fault,
}

impl Fault {
    /// True if the fault itself is of the type `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// True if the object or the server is busy: the same request will succeed in a moment.
    pub(crate) fn is_busy(&self) -> bool {
        ["TaskInProgress", "ResourceInUse", "RequestCanceled"].iter().any(|name| self.is(name))
    }

    /// True if vCenter lost contact with the host, so that nobody knows what the host does.
    pub(crate) fn is_lost_contact(&self) -> bool {
        let names = ["HostCommunication", "HostNotReachable", "HostConnectFault", "RequestCanceled", "Timedout"];
        names.iter().any(|name| self.is(name))
    }

    /// True if the fault says only that something went wrong (`SystemError`, a base type, or no type).
    pub(crate) fn is_general(&self) -> bool {
        ["SystemError", "RuntimeFault", "MethodFault", ""].iter().any(|name| self.is(name))
    }

    /// Returns the first fault of the type `name`: this one, or one nested in it.
    pub fn find(&self, name: &str) -> Option<&Fault> {
        if self.is(name) {
            return Some(self);
        }
        self.causes.iter().find_map(|cause| cause.fault.find(name))
    }

    /// Returns the innermost faults, which nest no other. Never empty.
    pub fn leaves(&self) -> Vec<&Fault> {
        if self.causes.is_empty() {
            return vec![self];
        }
        self.causes.iter().flat_map(|cause| cause.fault.leaves()).collect()
    }

    /// Estimates the memory of the fault, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let fields = self.fields.iter().map(|(key, value)| key.len() + value.len() + 48);
        let messages = self.messages.iter().map(|one| one.key.len() + one.message.len() + 48);
        let causes = self.causes.iter().map(|cause| cause.role.len() + cause.fault.weight() + 24);
        size_of::<Self>() + self.name.len() + self.message.len() + fields.chain(messages).chain(causes).sum::<usize>()
    }

    /// Describes the fault in one line: the fault itself, then the innermost ones, which hold the reason. Never empty, at
    /// most about 3,000 bytes.
    pub fn describe(&self) -> String {
        if self.causes.is_empty() {
            return brief(&self.itself(), DESCRIPTION);
        }
        let mut leaves: Vec<String> = self.leaves().into_iter().map(Self::itself).collect();
        let mut seen = std::collections::BTreeSet::new();
        leaves.retain(|leaf| seen.insert(leaf.clone()));
        brief(&format!("{}; because of {}", self.itself(), leaves.join("; ")), DESCRIPTION)
    }

    /// Describes this fault alone: `Name (reason thinDisk): text`.
    fn itself(&self) -> String {
        let name = if self.name.is_empty() { "fault without a type" } else { &self.name };
        let fields: Vec<String> = self
            .fields
            .iter()
            .filter(|(key, value)| !value.is_empty() && !OBJECTS.contains(&key.as_str()))
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let mut text = if fields.is_empty() { name.to_owned() } else { format!("{name} ({})", fields.join(", ")) };
        // Attached messages come first, because they often say more than the text.
        let mut told: Vec<&str> = Vec::new();
        for message in self.messages.iter().map(|attached| attached.message.as_str()).chain([self.message.as_str()]) {
            let message = message.trim_end_matches('.');
            if !message.is_empty() && !told.contains(&message) {
                told.push(message);
            }
        }
        if !told.is_empty() {
            text.push_str(": ");
            text.push_str(&told.join(". "));
        }
        text
    }

    /// Reads a `LocalizedMethodFault`: `fault` with its type, and `localizedMessage`.
    pub(crate) fn localized(element: &Element) -> Self {
        Budget::default().localized(element, 0)
    }

    /// Reads a SOAP fault: `faultstring`, and the typed fault in `detail`.
    pub(crate) fn soap(element: &Element) -> Self {
        let message = element.child("faultstring").map_or("", Element::text);
        let detail = element.child("detail").and_then(|detail| detail.all().first());
        let mut budget = Budget::default();
        let message = budget.text(readable(message));
        Self { message, ..detail.map(|it| budget.typed(it, 0)).unwrap_or_default() }
    }
}

/// The limits that are left for a fault and its nested faults.
struct Budget {
    texts: usize,
    parts: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { texts: TEXTS, parts: PARTS }
    }
}

impl Budget {
    /// Returns the text in one line, cut at the limit.
    fn text(&mut self, text: &str) -> String {
        let text = one_line(text, self.texts.min(TEXT));
        self.texts = self.texts.saturating_sub(text.len());
        text
    }

    /// Counts one part; false if the limit is reached.
    fn part(&mut self) -> bool {
        let allowed = self.parts > 0;
        self.parts = self.parts.saturating_sub(1);
        allowed
    }

    fn localized(&mut self, element: &Element, depth: usize) -> Fault {
        let message = element.child("localizedMessage").map_or("", Element::text);
        // Elements of a list are declared as LocalizedMethodFault, but one may be the fault itself.
        let bare = element.kind().filter(|kind| *kind != "LocalizedMethodFault");
        let fault = element.child("fault").or(bare.map(|_| element));
        let message = self.text(readable(message));
        Fault { message, ..fault.map(|it| self.typed(it, depth)).unwrap_or_default() }
    }

    /// Reads a `MethodFault`. Its type is the `xsi:type`, else the element's name.
    fn typed(&mut self, element: &Element, depth: usize) -> Fault {
        let by_element = || {
            let name = element.name();
            // In a LocalizedMethodFault the element is called `fault`, which names no type.
            let bare = name.strip_suffix("Fault").unwrap_or(name);
            if name == "fault" { "" } else { bare }
        };
        let mut fault = Fault { name: self.text(element.kind().unwrap_or_else(by_element)), ..Fault::default() };
        for field in element.all() {
            if field.name() == "faultMessage" {
                if self.part() {
                    let text = |name| field.child(name).map_or("", Element::text);
                    let (key, message) = (self.text(text("key")), self.text(readable(text("message"))));
                    fault.messages.push(FaultMessage { key, message });
                }
            } else if field.child("fault").is_some() {
                if depth < DEPTH && self.part() {
                    fault.causes.push(Cause { role: self.text(field.name()), fault: self.localized(field, depth + 1) });
                }
            } else if field.all().is_empty() {
                self.note(&mut fault, field);
            } else {
                // One level of structure, such as missingPrivileges{entity, privilegeIds[]} of NoPermission since 7.0 U3.
                for inner in field.all().iter().filter(|inner| inner.all().is_empty()) {
                    self.note(&mut fault, inner);
                }
            }
        }
        fault
    }

    /// Adds a field's value to the values of the same name.
    fn note(&mut self, fault: &mut Fault, field: &Element) {
        if !self.part() {
            return;
        }
        let value = fault.fields.entry(self.text(field.name())).or_default();
        if !value.is_empty() {
            value.push_str(", ");
        }
        value.push_str(&self.text(field.text()));
    }
}

/// Fields that hold a managed object's id: they are kept in the tree, but left out of sentences.
const OBJECTS: [&str; 7] = ["entity", "host", "obj", "object", "primaryVm", "secondaryVm", "vm"];

/// Returns the text, unless it is only the name of a type in the server's program (`*types.InvalidArgument`).
fn readable(text: &str) -> &str {
    let text = text.trim();
    let type_name = text.trim_start_matches('*').split_once('.').is_some_and(|(package, name)| {
        !package.is_empty()
            && package.bytes().all(|b| b.is_ascii_lowercase())
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    if type_name { "" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const XSI: &str = r#"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;

    fn localized(inner: &str) -> Fault {
        let xml = format!("<error {XSI}>{inner}</error>");
        Fault::localized(&Element::parse(&xml).unwrap())
    }

    /// A failed power-on of a secondary: only the leaves hold the reason.
    fn power_on_failed() -> Fault {
        localized(
            r#"<fault xsi:type="PowerOnFtSecondaryFailed">
                 <faultMessage><key>msg.x</key><message>attached</message></faultMessage>
                 <vm type="VirtualMachine">vm-70</vm><vmName>inner</vmName><hostSelectionBy>vc</hostSelectionBy>
                 <hostErrors><fault xsi:type="FtIssuesOnHost"><hostName>esx2</hostName>
                   <errors><fault xsi:type="VmFaultToleranceConfigIssue"><reason>missingFTLoggingNic</reason></fault>
                     <localizedMessage>No NIC.</localizedMessage></errors>
                   <errors><fault xsi:type="FaultToleranceNotLicensed"><hostName>esx2</hostName></fault>
                     <localizedMessage>*types.FaultToleranceNotLicensed</localizedMessage></errors>
                   </fault><localizedMessage>Issues.</localizedMessage></hostErrors>
                 <rootCause><fault xsi:type="VmConfigIncompatibleForFaultTolerance">
                   <fault><fault xsi:type="NotSupportedDeviceForFT"/><localizedMessage/></fault></fault></rootCause>
               </fault><localizedMessage>Operation failed.</localizedMessage>"#,
        )
    }

    #[test]
    fn nested_faults_keep_their_roles_fields_and_texts() {
        let fault = power_on_failed();
        assert_eq!(fault.name, "PowerOnFtSecondaryFailed");
        assert_eq!(fault.fields["vm"], "vm-70");
        assert_eq!(fault.messages[0].key, "msg.x");
        let roles: Vec<&str> = fault.causes.iter().map(|it| it.role.as_str()).collect();
        assert_eq!(roles, ["hostErrors", "rootCause"]);
        let names: Vec<&str> = fault.leaves().iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["VmFaultToleranceConfigIssue", "FaultToleranceNotLicensed", "NotSupportedDeviceForFT"]);
        let issue = fault.find("VmFaultToleranceConfigIssue").unwrap();
        assert_eq!(issue.fields["reason"], "missingFTLoggingNic");
        assert!(fault.find("NoPermission").is_none());
    }

    #[test]
    fn a_description_leads_to_the_reason() {
        assert_eq!(
            power_on_failed().describe(),
            "PowerOnFtSecondaryFailed (hostSelectionBy vc, vmName inner): attached. Operation failed; because of \
             VmFaultToleranceConfigIssue (reason missingFTLoggingNic): No NIC; \
             FaultToleranceNotLicensed (hostName esx2); NotSupportedDeviceForFT"
        );
        assert_eq!(Fault::default().describe(), "fault without a type");
    }

    #[test]
    fn texts_that_are_only_type_names_are_dropped() {
        for (text, shown) in [
            ("*types.InvalidPowerState", ""),
            ("types.InvalidPowerState", ""),
            ("  ", ""),
            ("Operation failed.", "Operation failed."),
            ("vm.Name is wrong", "vm.Name is wrong"),
            ("It failed.\r\n\r\n\tSee the log.\n", "It failed. See the log."),
        ] {
            let fault = localized(&format!("<localizedMessage>{text}</localizedMessage>"));
            assert_eq!(fault.message, shown);
        }
    }

    #[test]
    fn a_list_may_hold_faults_themselves() {
        let xml = format!(r#"<returnval {XSI} xsi:type="NoPermission"><privilegeId>p</privilegeId></returnval>"#);
        let fault = Fault::localized(&Element::parse(&xml).unwrap());
        assert_eq!(fault.describe(), "NoPermission (privilegeId p)");
    }

    #[test]
    fn soap_faults_are_named_by_type_or_by_element() {
        for (detail, name) in [
            (r#"<InvalidLoginFault xmlns="urn:vim25" xsi:type="InvalidLogin"/>"#, "InvalidLogin"),
            (r#"<Fault xsi:type="x:NotAuthenticated"/>"#, "NotAuthenticated"),
            ("<RuntimeFaultFault/>", "RuntimeFault"),
            ("", ""),
        ] {
            let xml = format!("<f {XSI}><faultstring>No.</faultstring><detail>{detail}</detail></f>");
            let fault = Fault::soap(&Element::parse(&xml).unwrap());
            assert_eq!((fault.name.as_str(), fault.message.as_str()), (name, "No."));
        }
    }

    #[test]
    fn a_large_fault_is_cut() {
        let long = "x".repeat(10_000);
        let message = format!("<faultMessage><key>k</key><message>{long}</message></faultMessage>");
        for (part, count) in [
            (message.as_str(), 100),
            ("<privilegeId>Some.Privilege</privilegeId>", 10_000),
            (r#"<cause><fault xsi:type="NotFound"/><localizedMessage>Not found.</localizedMessage></cause>"#, 10_000),
        ] {
            let fault = localized(&format!(
                r#"<fault xsi:type="NoPermission">{}</fault><localizedMessage>No.</localizedMessage>"#,
                part.repeat(count)
            ));
            assert_eq!((fault.name.as_str(), fault.message.as_str()), ("NoPermission", "No."));
            assert!(fault.messages.len() + fault.causes.len() <= PARTS);
            assert!(format!("{fault:?}").len() < 64 * 1024, "{part:.40}");
            assert!(fault.describe().len() <= DESCRIPTION + "…".len());
        }
    }

    #[test]
    fn a_deep_tree_is_cut() {
        let depth = 60;
        let open = r#"<e><fault xsi:type="A">"#.repeat(depth);
        let xml = format!("<x {XSI}>{}{}</x>", &open[3..], "</fault></e>".repeat(depth - 1) + "</fault>");
        let fault = Fault::localized(&Element::parse(&xml).unwrap());
        assert_eq!(fault.leaves().len(), 1);
        assert!(fault.describe().starts_with('A'));
    }
}
