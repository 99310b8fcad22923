//! Options and power of virtual machines.

use std::collections::BTreeMap;

use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

impl Session {
    /// Starts a change of VMX options (`ReconfigVM_Task`, `VirtualMachineConfigSpec.extraConfig`) and returns the task.
    ///
    /// An empty value removes the key; keys that are not given stay. With a `change_version` (`config.changeVersion`), the task
    /// fails with `ConcurrentAccess` if the configuration has changed since. The server silently ignores keys that another
    /// property governs, so read back.
    pub async fn reconfigure_extra_config(
        &self,
        vm: &Moref,
        change_version: Option<&str>,
        changes: &[(String, String)],
    ) -> Result<Moref, WriteError> {
        self.start(&reconfigure(vm, change_version, changes)).await
    }

    /// Starts powering on (`PowerOnVM_Task`) and returns the task. Also powers on the secondaries of a primary.
    pub async fn power_on(&self, vm: &Moref) -> Result<Moref, WriteError> {
        self.start(&Request::new("PowerOnVM_Task", vm)).await
    }

    /// Starts powering off (`PowerOffVM_Task`), without asking the guest, and returns the task.
    pub async fn power_off(&self, vm: &Moref) -> Result<Moref, WriteError> {
        self.start(&Request::new("PowerOffVM_Task", vm)).await
    }

    /// Asks the guest to shut down (`ShutdownGuest`). The server replies before the guest has done so, and the guest may
    /// ignore it. The fault `ToolsUnavailable` if VMware Tools does not run.
    pub async fn shut_down_guest(&self, vm: &Moref) -> Result<(), WriteError> {
        self.request(&Request::new("ShutdownGuest", vm)).await
    }
}

fn reconfigure(vm: &Moref, change_version: Option<&str>, changes: &[(String, String)]) -> Request {
    let mut request = Request::new("ReconfigVM_Task", vm);
    request.nest("spec", |spec| {
        if let Some(version) = change_version {
            spec.text("changeVersion", version);
        }
        for (key, value) in changes {
            spec.nest("extraConfig", |option| {
                option.text("key", key);
                option.typed("value", "string", value);
            });
        }
    });
    request
}

/// Reads the VMX options from the property `config.extraConfig`: keys and values, sorted by key. If a key occurs more than
/// once, in whatever case, the last entry counts, as in the file.
pub fn extra_config(property: &Element) -> Vec<(String, String)> {
    let mut options = BTreeMap::new();
    for option in property.all() {
        let text = |name| option.child(name).map(|child| child.text().to_owned());
        if let Some(key) = text("key") {
            options.insert(key.to_ascii_lowercase(), (key, text("value").unwrap_or_default()));
        }
    }
    options.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reconfiguration_is_written_in_the_order_of_the_schema() {
        let vm = Moref::new("VirtualMachine", "vm-63");
        let changes = [("replay.supported".to_owned(), "true".to_owned()), ("guestinfo.a<b".to_owned(), String::new())];
        assert_eq!(
            reconfigure(&vm, Some("2011-07-31T17:00:00.123456Z"), &changes).call(),
            concat!(
                r#"<ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-63</_this>"#,
                r"<spec><changeVersion>2011-07-31T17:00:00.123456Z</changeVersion>",
                r#"<extraConfig><key>replay.supported</key><value xsi:type="xsd:string">true</value></extraConfig>"#,
                r#"<extraConfig><key>guestinfo.a&lt;b</key><value xsi:type="xsd:string"></value></extraConfig>"#,
                r"</spec></ReconfigVM_Task>",
            )
        );
        let bare = reconfigure(&vm, None, &[]).call();
        assert!(bare.contains("<spec></spec>"), "{bare}");
    }

    #[test]
    fn the_last_of_several_options_with_the_same_name_counts() {
        let property = Element::parse(concat!(
            r#"<val xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:type="ArrayOfOptionValue">"#,
            r"<OptionValue><key>replay.supported</key><value>FALSE</value></OptionValue>",
            r"<OptionValue><key>scsi0:0.redo</key><value/></OptionValue>",
            r"<OptionValue><key>Replay.supported</key><value>true</value></OptionValue></val>",
        ));
        let pairs = extra_config(&property.unwrap());
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("Replay.supported", "true"), ("scsi0:0.redo", "")]);
    }
}
