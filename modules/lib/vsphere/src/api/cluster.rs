//! Clusters, and vSphere HA of a `ClusterComputeResource`.

use crate::api::ft::FtInfo;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::property::Follow;
use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// The settings of vSphere HA (`ClusterDasConfigInfo`). When read, `None` means that the server does not tell; when written,
/// that the setting stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HaConfig {
    /// vSphere HA is on (`enabled`).
    pub enabled: Option<bool>,
    /// Failed hosts are detected, and their virtual machines restarted (`hostMonitoring`).
    pub host_monitoring: Option<bool>,
    /// A virtual machine that could not be restarted after a failure is not powered on (`admissionControlEnabled`).
    pub admission_control: Option<bool>,
}

impl HaConfig {
    /// Reads the property `configurationEx` (`ClusterConfigInfoEx`).
    pub fn parse(configuration: &Element) -> Self {
        let flag = |path| configuration.at(path).and_then(Element::flag);
        let monitoring = configuration.at("dasConfig/hostMonitoring").map(Element::text);
        Self {
            enabled: flag("dasConfig/enabled"),
            host_monitoring: match monitoring {
                Some("enabled") => Some(true),
                Some("disabled") => Some(false),
                _ => None,
            },
            admission_control: flag("dasConfig/admissionControlEnabled"),
        }
    }

    /// True if no setting is given.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// A change of vSphere HA: what is not named stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HaChange {
    /// The settings.
    pub config: HaConfig,
    /// Advanced options to set, or with an empty value to remove (`ClusterDasConfigInfo.option`).
    pub options: Vec<(String, String)>,
    /// Overrides of the restart priority (`ClusterDasVmConfigSpec`).
    pub overrides: Vec<HaOverride>,
}

impl HaChange {
    /// True if it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.config.is_empty() && self.options.is_empty() && self.overrides.is_empty()
    }
}

/// The restart priority of one virtual machine (`ClusterDasVmConfigInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HaOverride {
    /// The virtual machine.
    pub vm: Moref,
    /// A `ClusterDasVmSettingsRestartPriority`; when read, `None` means that the override leaves it to the cluster.
    pub restart_priority: Option<String>,
    /// The cluster has an override of this virtual machine, of whatever setting.
    pub exists: bool,
}

impl HaOverride {
    /// Reads the overrides in the property `configurationEx` (`ClusterConfigInfoEx.dasVmConfig`).
    pub fn list(configuration: &Element) -> Vec<Self> {
        let overrides = configuration.children("dasVmConfig");
        overrides
            .filter_map(|one| {
                // The second is the deprecated place.
                let priority = one.at("dasSettings/restartPriority").or_else(|| one.child("restartPriority"));
                let priority = priority.map(Element::text).filter(|word| !["", CLUSTER_PRIORITY].contains(word));
                Some(Self {
                    vm: one.child("key")?.moref()?,
                    restart_priority: priority.map(str::to_owned),
                    exists: true,
                })
            })
            .collect()
    }
}

/// The restart priority that means the one of the cluster.
const CLUSTER_PRIORITY: &str = "clusterRestartPriority";

/// Reads the advanced options of vSphere HA in the property `configurationEx` (`ClusterDasConfigInfo.option`): keys and values
/// in the server's order.
pub fn ha_options(configuration: &Element) -> Vec<(String, String)> {
    let options = configuration.child("dasConfig").into_iter().flat_map(|das| das.children("option"));
    let text = |option: &Element, name| option.child(name).map_or("", Element::text).to_owned();
    options.map(|option| (text(option, "key"), text(option, "value"))).collect()
}

/// From the root folder to every cluster.
const TO_CLUSTERS: [Follow<'_>; 2] =
    [Follow { from: "Folder", path: "childEntity" }, Follow { from: "Datacenter", path: "hostFolder" }];

/// From a cluster to every virtual machine on its hosts.
const TO_VMS: [Follow<'_>; 2] =
    [Follow { from: "ComputeResource", path: "host" }, Follow { from: "HostSystem", path: "vm" }];

impl Session {
    /// Finds a cluster in the whole inventory or in one datacenter, and reads its `name`: one request, and one or two more to
    /// find the datacenter. [`Error::NotFound`], [`Error::Ambiguous`].
    pub async fn cluster(&self, wanted: &str, datacenter: Option<&str>) -> Result<Object, Error> {
        let root = self.root(datacenter).await?;
        let clusters = self.read(&[root], &[("ClusterComputeResource", &["name"])], &TO_CLUSTERS).await?;
        Ok(self.only("cluster", wanted, &clusters).await?.clone())
    }

    /// Finds virtual machines of a cluster, each by its name or its id, and reads `name` and `config.ftInfo`: one request. A
    /// secondary of Fault Tolerance has the name of its primary; the primary is meant. [`Error::NotFound`], [`Error::Ambiguous`].
    pub async fn cluster_vms(&self, cluster: &Moref, wanted: &[&str]) -> Result<Vec<Object>, Error> {
        let want: [(&str, &[&str]); 1] = [("VirtualMachine", &["name", "config.ftInfo"])];
        let found = self.read(std::slice::from_ref(cluster), &want, &TO_VMS).await?;
        let secondary = |vm: &Object| vm.get("config.ftInfo").is_some_and(|info| FtInfo::parse(info).is_secondary());
        let primaries: Vec<Object> = found.iter().filter(|vm| !secondary(vm)).cloned().collect();
        let mut vms = Vec::new();
        for wanted in wanted {
            vms.push(match found.iter().find(|vm| vm.moref.id == *wanted) {
                Some(vm) => vm.clone(),
                None => self.only("virtual machine", wanted, &primaries).await?.clone(),
            });
        }
        Ok(vms)
    }

    /// Starts a change of vSphere HA (`ReconfigureComputeResource_Task`) and returns the task. What `change` does not name, and
    /// the rest of the cluster, stay as they are.
    pub async fn reconfigure_ha(&self, cluster: &Moref, change: &HaChange) -> Result<Moref, WriteError> {
        self.start(&reconfigure(cluster, change)).await
    }
}

fn reconfigure(cluster: &Moref, change: &HaChange) -> Request {
    let HaChange { config, options, overrides } = change;
    let mut request = Request::new("ReconfigureComputeResource_Task", cluster);
    request.nest_typed("spec", "ClusterConfigSpecEx", |spec| {
        if !config.is_empty() || !options.is_empty() {
            spec.nest("dasConfig", |das| {
                if let Some(enabled) = config.enabled {
                    das.flag("enabled", enabled);
                }
                if let Some(monitoring) = config.host_monitoring {
                    das.text("hostMonitoring", if monitoring { "enabled" } else { "disabled" });
                }
                if let Some(control) = config.admission_control {
                    das.flag("admissionControlEnabled", control);
                }
                for (key, value) in options {
                    das.nest("option", |option| {
                        option.text("key", key);
                        option.typed("value", "string", value);
                    });
                }
            });
        }
        for one in overrides {
            spec.nest("dasVmConfigSpec", |spec| {
                spec.text("operation", if one.exists { "edit" } else { "add" });
                spec.nest("info", |info| {
                    info.moref("key", &one.vm);
                    let priority = one.restart_priority.as_deref().unwrap_or(CLUSTER_PRIORITY);
                    info.nest("dasSettings", |settings| settings.text("restartPriority", priority));
                });
            });
        }
    });
    // Without `modify`, everything that the specification does not name would get its default.
    request.flag("modify", true);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_that_the_server_tells_are_read() {
        let config =
            |enabled, host_monitoring, admission_control| HaConfig { enabled, host_monitoring, admission_control };
        for (das, expected) in [
            ("", HaConfig::default()),
            ("<dasConfig/>", HaConfig::default()),
            ("<dasConfig><enabled>true</enabled></dasConfig>", config(Some(true), None, None)),
            (
                "<dasConfig><enabled>0</enabled><hostMonitoring>disabled</hostMonitoring>\
                 <admissionControlEnabled>1</admissionControlEnabled></dasConfig>",
                config(Some(false), Some(false), Some(true)),
            ),
            ("<dasConfig><hostMonitoring>enabled</hostMonitoring></dasConfig>", config(None, Some(true), None)),
            ("<dasConfig><hostMonitoring>dreaming</hostMonitoring></dasConfig>", HaConfig::default()),
        ] {
            let element = Element::parse(&format!("<val>{das}<drsConfig><enabled>true</enabled></drsConfig></val>"));
            let parsed = HaConfig::parse(&element.unwrap());
            assert_eq!(parsed, expected, "{das}");
            assert_eq!(parsed.is_empty(), expected == HaConfig::default());
        }
    }

    #[test]
    fn only_what_is_given_is_written_in_the_order_of_the_schema() {
        let cluster = Moref::new("ClusterComputeResource", "domain-c7");
        let all = HaConfig { enabled: Some(true), host_monitoring: Some(false), admission_control: Some(false) };
        let one = HaConfig { admission_control: Some(true), ..HaConfig::default() };
        let config = |config| HaChange { config, ..HaChange::default() };
        let options = vec![("das.a<b".to_owned(), "1".to_owned()), ("das.old".to_owned(), String::new())];
        let priority = |id, priority: Option<&str>, exists| HaOverride {
            vm: Moref::new("VirtualMachine", id),
            restart_priority: priority.map(str::to_owned),
            exists,
        };
        let overrides = vec![priority("vm-63", Some("disabled"), false), priority("vm-64", None, true)];
        for (change, spec) in [
            (
                config(all),
                "<dasConfig><enabled>true</enabled><hostMonitoring>disabled</hostMonitoring>\
                 <admissionControlEnabled>false</admissionControlEnabled></dasConfig>",
            ),
            (config(one), "<dasConfig><admissionControlEnabled>true</admissionControlEnabled></dasConfig>"),
            (
                HaChange { options, ..config(one) },
                r#"<dasConfig><admissionControlEnabled>true</admissionControlEnabled><option><key>das.a&lt;b</key><value xsi:type="xsd:string">1</value></option><option><key>das.old</key><value xsi:type="xsd:string"></value></option></dasConfig>"#,
            ),
            (
                HaChange { overrides, ..HaChange::default() },
                r#"<dasVmConfigSpec><operation>add</operation><info><key type="VirtualMachine">vm-63</key><dasSettings><restartPriority>disabled</restartPriority></dasSettings></info></dasVmConfigSpec><dasVmConfigSpec><operation>edit</operation><info><key type="VirtualMachine">vm-64</key><dasSettings><restartPriority>clusterRestartPriority</restartPriority></dasSettings></info></dasVmConfigSpec>"#,
            ),
        ] {
            let expected = format!(
                r#"<ReconfigureComputeResource_Task xmlns="urn:vim25"><_this type="ClusterComputeResource">domain-c7</_this><spec xsi:type="ClusterConfigSpecEx">{spec}</spec><modify>true</modify></ReconfigureComputeResource_Task>"#
            );
            assert_eq!(reconfigure(&cluster, &change).call(), expected);
            assert!(!change.is_empty());
        }
        assert!(HaChange::default().is_empty());
    }

    #[test]
    fn options_and_overrides_are_read() {
        let configuration = Element::parse(
            "<val><dasConfig><option><key>das.a</key><value>1</value></option><option><key>das.b</key></option></dasConfig>\
             <dasVmConfig><key type=\"VirtualMachine\">vm-1</key><restartPriority>high</restartPriority>\
             <dasSettings><restartPriority>disabled</restartPriority></dasSettings></dasVmConfig>\
             <dasVmConfig><key type=\"VirtualMachine\">vm-2</key><restartPriority>low</restartPriority></dasVmConfig>\
             <dasVmConfig><key type=\"VirtualMachine\">vm-3</key>\
             <dasSettings><restartPriority>clusterRestartPriority</restartPriority></dasSettings></dasVmConfig></val>",
        )
        .unwrap();
        let options = ha_options(&configuration);
        assert_eq!(options, [("das.a".to_owned(), "1".to_owned()), ("das.b".to_owned(), String::new())]);
        let overrides = HaOverride::list(&configuration);
        let read: Vec<(&str, Option<&str>)> =
            overrides.iter().map(|one| (one.vm.id.as_str(), one.restart_priority.as_deref())).collect();
        assert_eq!(read, [("vm-1", Some("disabled")), ("vm-2", Some("low")), ("vm-3", None)]);
        assert!(ha_options(&Element::parse("<val/>").unwrap()).is_empty());
    }
}
