//! Operations of Fault Tolerance and their results.

use crate::session::error::Error;
use crate::session::state::Session;
use crate::session::version::Version;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// A virtual machine's role in its Fault Tolerance group (`FaultToleranceConfigInfo`, property `config.ftInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FtInfo {
    /// 1 for the primary, more for secondaries.
    pub role: i32,
    /// Instance UUIDs of the group, the primary's first.
    pub instance_uuids: Vec<String>,
    /// The secondaries, if this is the primary.
    pub secondaries: Vec<Moref>,
    /// The primary, if this is a secondary.
    pub primary: Option<Moref>,
    /// True for a secondary that lost its group (6.0 and later).
    pub orphaned: bool,
}

impl FtInfo {
    /// Reads the property `config.ftInfo`.
    pub fn parse(element: &Element) -> Self {
        let role = element.child("role").and_then(Element::int);
        Self {
            role: role.and_then(|role| role.try_into().ok()).unwrap_or(0),
            instance_uuids: element.children("instanceUuids").map(|uuid| uuid.text().to_owned()).collect(),
            secondaries: element.children("secondaries").filter_map(Element::moref).collect(),
            primary: element.child("primaryVM").and_then(Element::moref),
            orphaned: element.child("orphaned").and_then(Element::flag).unwrap_or(false),
        }
    }

    /// True for a secondary.
    pub fn is_secondary(&self) -> bool {
        self.role > 1
    }
}

/// The place of a secondary's files (`FaultToleranceConfigSpec`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FtPlacement {
    /// The datastore for the secondary's configuration, its disks, and the group's tie-breaker file.
    pub datastore: Moref,
    /// The primary's virtual disks, as `config.hardware.device` has them.
    pub disks: Vec<Element>,
}

/// The two kinds of Fault Tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FtEngine {
    /// Record/replay, vSphere 4.0 to 6.0, one virtual CPU.
    Legacy,
    /// Fast checkpointing, vSphere 6.0 and later.
    Smp,
}

impl FtEngine {
    /// Returns the engine that a host of this version uses: since 6.0 fast checkpointing, unless it is a 6.0 host and the
    /// virtual machine asks for the old engine (`vm.useLegacyFt`, see [`uses_legacy_ft`]).
    pub fn of_host(version: &Version, uses_legacy_ft: bool) -> Self {
        let legacy = !version.at_least(6, 0) || !version.at_least(6, 5) && uses_legacy_ft;
        if legacy { Self::Legacy } else { Self::Smp }
    }
}

/// True if this option asks a 6.0 host for record/replay Fault Tolerance: `vm.useLegacyFt = "TRUE"`.
pub fn uses_legacy_ft(key: &str, value: &str) -> bool {
    key.eq_ignore_ascii_case("vm.useLegacyFt") && value.eq_ignore_ascii_case("true")
}

impl Session {
    /// Starts turning Fault Tolerance on and returns the task: `CreateSecondaryVM_Task`, or with `ex`
    /// `CreateSecondaryVMEx_Task`, which hosts and servers have since 6.0 and which works for either engine. Only the latter
    /// takes a placement.
    ///
    /// The task succeeds even if the secondary does not start: see [`SecondaryOp`].
    pub async fn create_secondary(
        &self,
        vm: &Moref,
        ex: bool,
        host: Option<&Moref>,
        placement: Option<&FtPlacement>,
    ) -> Result<Moref, WriteError> {
        self.start(&create(vm, ex, host, placement)).await
    }

    /// Starts resuming Fault Tolerance (`EnableSecondaryVM_Task` on the primary `vm`) and returns the task; its result is
    /// a [`SecondaryOp`].
    pub async fn enable_secondary(
        &self,
        vm: &Moref,
        secondary: &Moref,
        host: Option<&Moref>,
    ) -> Result<Moref, WriteError> {
        self.start(&on_secondary("EnableSecondaryVM_Task", vm, secondary, host)).await
    }

    /// Starts suspending Fault Tolerance (`DisableSecondaryVM_Task` on the primary `vm`) and returns the task.
    pub async fn disable_secondary(&self, vm: &Moref, secondary: &Moref) -> Result<Moref, WriteError> {
        self.start(&on_secondary("DisableSecondaryVM_Task", vm, secondary, None)).await
    }

    /// Starts a test failover (`MakePrimaryVM_Task` on the primary `vm`) and returns the task: `secondary` takes over, and
    /// the old primary becomes the secondary.
    pub async fn make_primary(&self, vm: &Moref, secondary: &Moref) -> Result<Moref, WriteError> {
        self.start(&on_secondary("MakePrimaryVM_Task", vm, secondary, None)).await
    }

    /// Starts ending the secondary (`TerminateFaultTolerantVM_Task` on the primary `vm`) and returns the task. vSphere then
    /// starts a new secondary.
    pub async fn terminate_secondary(&self, vm: &Moref, secondary: &Moref) -> Result<Moref, WriteError> {
        self.start(&on_secondary("TerminateFaultTolerantVM_Task", vm, secondary, None)).await
    }

    /// Starts turning Fault Tolerance off (`TurnOffFaultToleranceForVM_Task`), which removes the secondaries, and returns
    /// the task.
    pub async fn turn_off_ft(&self, vm: &Moref) -> Result<Moref, WriteError> {
        self.start(&Request::new("TurnOffFaultToleranceForVM_Task", vm)).await
    }

    /// Reads the obstacles to Fault Tolerance in the virtual machine itself (`QueryFaultToleranceCompatibilityEx`, or before 6.0,
    /// where `server_has_ex` is false, `QueryFaultToleranceCompatibility`). Hosts and the cluster are not checked.
    ///
    /// [`Error::Fault`] if the server cannot tell: it does not have the method, or the user does not have the privilege.
    pub async fn ft_compatibility(
        &self,
        vm: &Moref,
        engine: FtEngine,
        server_has_ex: bool,
    ) -> Result<Vec<Fault>, Error> {
        let request = if server_has_ex {
            let mut request = Request::new("QueryFaultToleranceCompatibilityEx", vm);
            request.flag("forLegacyFt", engine == FtEngine::Legacy);
            request
        } else if engine == FtEngine::Legacy {
            Request::new("QueryFaultToleranceCompatibility", vm)
        } else {
            let message = "before vSphere 6.0, the server supports only record/replay Fault Tolerance";
            return Err(Error::Fault(Fault {
                name: "NotSupported".to_owned(),
                message: message.to_owned(),
                ..Fault::default()
            }));
        };
        match self.query(&request).await {
            Ok(response) => Ok(response.children("returnval").map(Fault::localized).collect()),
            // Some obstacles are thrown instead of listed.
            Err(Error::Fault(fault)) if fault.name.contains("FaultTolerance") || fault.name.contains("VmConfig") => {
                Ok(vec![fault])
            }
            Err(error) => Err(error),
        }
    }
}

fn create(vm: &Moref, ex: bool, host: Option<&Moref>, placement: Option<&FtPlacement>) -> Request {
    let method = if ex { "CreateSecondaryVMEx_Task" } else { "CreateSecondaryVM_Task" };
    let mut request = Request::new(method, vm);
    if let Some(host) = host {
        request.moref("host", host);
    }
    if let (true, Some(placement)) = (ex, placement) {
        let datastore = &placement.datastore;
        request.nest("spec", |spec| {
            spec.nest("metaDataPath", |path| {
                path.moref("metaDataDatastore", datastore);
            });
            spec.nest("secondaryVmSpec", |secondary| {
                secondary.moref("vmConfig", datastore);
                for device in &placement.disks {
                    secondary.nest("disks", |disk| {
                        disk.echo("disk", device);
                        disk.moref("datastore", datastore);
                    });
                }
            });
        });
    }
    request
}

/// Returns a call on the primary `vm` about its secondary.
fn on_secondary(method: &'static str, vm: &Moref, secondary: &Moref, host: Option<&Moref>) -> Request {
    let mut request = Request::new(method, vm);
    request.moref("vm", secondary);
    if let Some(host) = host {
        request.moref("host", host);
    }
    request
}

/// The result of creating or enabling a secondary (`FaultToleranceSecondaryOpResult`).
#[derive(Debug, Clone, PartialEq)]
pub struct SecondaryOp {
    /// The secondary.
    pub secondary: Option<Moref>,
    /// Power-ons that were not attempted, and why.
    pub not_attempted: Vec<(Option<Moref>, Fault)>,
    /// Power-ons that were attempted, with their tasks.
    pub attempted: Vec<(Moref, Option<Moref>)>,
    /// Keys of DRS recommendations that somebody must apply before the secondary starts.
    pub recommendations: Vec<String>,
}

impl SecondaryOp {
    /// Reads the result of the task.
    pub fn parse(element: &Element) -> Self {
        let moref = |element: &Element, name| element.child(name).and_then(Element::moref);
        let list = |name| {
            let power_on = element.child("powerOnResult").into_iter();
            power_on.flat_map(move |result| result.children(name))
        };
        Self {
            secondary: moref(element, "vm"),
            not_attempted: list("notAttempted")
                .map(|info| {
                    let fault = info.child("fault").map(Fault::localized);
                    (moref(info, "vm"), fault.unwrap_or_default())
                })
                .collect(),
            attempted: list("attempted").filter_map(|info| Some((moref(info, "vm")?, moref(info, "task")))).collect(),
            recommendations: list("recommendations")
                .filter_map(|it| Some(it.child("key")?.text().to_owned()))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moref(kind: &str, id: &str) -> Moref {
        Moref::new(kind, id)
    }

    #[test]
    fn the_engine_follows_the_version_of_the_host() {
        use FtEngine::{Legacy, Smp};
        for (version, by_default, when_asked) in [
            ("4.1.0", Legacy, Legacy),
            ("5.5.0", Legacy, Legacy),
            ("6.0.0", Smp, Legacy),
            ("6.5.0", Smp, Smp),
            ("8.0.3", Smp, Smp),
        ] {
            let engines = [false, true].map(|asked| FtEngine::of_host(&Version::parse(version), asked));
            assert_eq!(engines, [by_default, when_asked], "{version}");
        }
        assert!(uses_legacy_ft("VM.useLegacyFT", "True") && !uses_legacy_ft("vm.useLegacyFt", "FALSE"));
    }

    #[test]
    fn operations_are_written_in_the_order_of_the_schema() {
        let vm = moref("VirtualMachine", "vm-63");
        let second = moref("VirtualMachine", "vm-70");
        let host = moref("HostSystem", "host-9");
        let device = |key| {
            format!(
                r#"<key>{key}</key><backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[ds-1] a&amp;b.vmdk</fileName><datastore type="Datastore">ds-1</datastore></backing><capacityInKB>4096</capacityInKB><shares xsi:type="SharesInfo"><shares xsi:type="xsd:int">1000</shares></shares>"#
            )
        };
        let read = |key| {
            let xsi = r#"xmlns:o="http://www.w3.org/2001/XMLSchema-instance""#;
            let device = device(key).replace("xsi:type", "o:type");
            Element::parse(&format!(r#"<VirtualDevice {xsi} o:type="VirtualDisk">{device}</VirtualDevice>"#)).unwrap()
        };
        let placement = FtPlacement { datastore: moref("Datastore", "ds-2"), disks: vec![read(2000), read(2001)] };
        let this = r#"xmlns="urn:vim25"><_this type="VirtualMachine">vm-63</_this>"#;
        let on = r#"<host type="HostSystem">host-9</host>"#;
        let store = |name| format!(r#"<{name} type="Datastore">ds-2</{name}>"#);
        let disk = |key| {
            let (device, store) = (device(key), store("datastore"));
            format!(r#"<disks><disk xsi:type="VirtualDisk">{device}</disk>{store}</disks>"#)
        };
        let spec = format!(
            "<spec><metaDataPath>{}</metaDataPath><secondaryVmSpec>{}{}{}</secondaryVmSpec></spec>",
            store("metaDataDatastore"),
            store("vmConfig"),
            disk(2000),
            disk(2001),
        );
        for (request, method, inner) in [
            (create(&vm, false, Some(&host), Some(&placement)), "CreateSecondaryVM_Task", on.to_owned()),
            (create(&vm, true, None, None), "CreateSecondaryVMEx_Task", String::new()),
            (create(&vm, true, Some(&host), Some(&placement)), "CreateSecondaryVMEx_Task", format!("{on}{spec}")),
            (
                on_secondary("EnableSecondaryVM_Task", &vm, &second, Some(&host)),
                "EnableSecondaryVM_Task",
                format!(r#"<vm type="VirtualMachine">vm-70</vm>{on}"#),
            ),
            (
                on_secondary("MakePrimaryVM_Task", &vm, &second, None),
                "MakePrimaryVM_Task",
                r#"<vm type="VirtualMachine">vm-70</vm>"#.to_owned(),
            ),
        ] {
            assert_eq!(request.call(), format!("<{method} {this}{inner}</{method}>"));
        }
    }

    #[test]
    fn roles_are_read() {
        let primary = Element::parse(
            r#"<val xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="FaultTolerancePrimaryConfigInfo">
            <role>1</role><instanceUuids>a</instanceUuids><instanceUuids>b</instanceUuids>
            <configPaths>[ds] x/x.vmx</configPaths><orphaned>false</orphaned>
            <secondaries type="VirtualMachine">vm-70</secondaries></val>"#,
        );
        let primary = FtInfo::parse(&primary.unwrap());
        assert!(!primary.is_secondary() && !primary.orphaned);
        assert_eq!(primary.instance_uuids, ["a", "b"]);
        assert_eq!(primary.secondaries, [moref("VirtualMachine", "vm-70")]);
        let secondary = Element::parse(
            r#"<val><role>2</role><orphaned>1</orphaned><primaryVM type="VirtualMachine">vm-63</primaryVM></val>"#,
        );
        let secondary = FtInfo::parse(&secondary.unwrap());
        assert!(secondary.is_secondary() && secondary.orphaned);
        assert_eq!(secondary.primary, Some(moref("VirtualMachine", "vm-63")));
    }

    #[test]
    fn a_result_lists_power_ons() {
        let result = Element::parse(
            r#"<result xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="FaultToleranceSecondaryOpResult">
            <vm type="VirtualMachine">vm-70</vm><powerOnAttempted>true</powerOnAttempted><powerOnResult>
            <attempted><vm type="VirtualMachine">vm-71</vm><task type="Task">task-1</task></attempted>
            <attempted><vm type="VirtualMachine">vm-72</vm></attempted>
            <notAttempted><vm type="VirtualMachine">vm-70</vm><fault><fault xsi:type="PowerOnFtSecondaryFailed"/>
            <localizedMessage>Operation failed.</localizedMessage></fault></notAttempted>
            <recommendations><key>7</key></recommendations></powerOnResult></result>"#,
        );
        let result = SecondaryOp::parse(&result.unwrap());
        assert_eq!(result.secondary, Some(moref("VirtualMachine", "vm-70")));
        assert_eq!(
            result.attempted,
            [
                (moref("VirtualMachine", "vm-71"), Some(moref("Task", "task-1"))),
                (moref("VirtualMachine", "vm-72"), None),
            ]
        );
        assert!(result.not_attempted[0].1.is("PowerOnFtSecondaryFailed"));
        assert_eq!(result.recommendations, ["7"]);
        let nothing = SecondaryOp::parse(&Element::parse("<result/>").unwrap());
        assert!(nothing.secondary.is_none());
    }
}
