//! Clusters, and vSphere HA of a `ClusterComputeResource`.

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

/// From the root folder to every cluster.
const TO_CLUSTERS: [Follow<'_>; 2] =
    [Follow { from: "Folder", path: "childEntity" }, Follow { from: "Datacenter", path: "hostFolder" }];

impl Session {
    /// Finds a cluster in the whole inventory or in one datacenter, and reads its `name`: one request, and one or two more to
    /// find the datacenter. [`Error::NotFound`], [`Error::Ambiguous`].
    pub async fn cluster(&self, wanted: &str, datacenter: Option<&str>) -> Result<Object, Error> {
        let root = self.root(datacenter).await?;
        let clusters = self.read(&[root], &[("ClusterComputeResource", &["name"])], &TO_CLUSTERS).await?;
        Ok(self.only("cluster", wanted, &clusters).await?.clone())
    }

    /// Starts a change of vSphere HA (`ReconfigureComputeResource_Task`) and returns the task. Settings that `config` does not
    /// name, and the rest of the cluster, stay as they are.
    pub async fn reconfigure_ha(&self, cluster: &Moref, config: HaConfig) -> Result<Moref, WriteError> {
        self.start(&reconfigure(cluster, config)).await
    }
}

fn reconfigure(cluster: &Moref, config: HaConfig) -> Request {
    let mut request = Request::new("ReconfigureComputeResource_Task", cluster);
    request.nest_typed("spec", "ClusterConfigSpecEx", |spec| {
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
        });
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
    fn only_given_settings_are_written_in_the_order_of_the_schema() {
        let cluster = Moref::new("ClusterComputeResource", "domain-c7");
        let all = HaConfig { enabled: Some(true), host_monitoring: Some(false), admission_control: Some(false) };
        let one = HaConfig { admission_control: Some(true), ..HaConfig::default() };
        for (config, das) in [
            (
                all,
                "<enabled>true</enabled><hostMonitoring>disabled</hostMonitoring>\
                 <admissionControlEnabled>false</admissionControlEnabled>",
            ),
            (one, "<admissionControlEnabled>true</admissionControlEnabled>"),
        ] {
            let expected = format!(
                r#"<ReconfigureComputeResource_Task xmlns="urn:vim25"><_this type="ClusterComputeResource">domain-c7</_this><spec xsi:type="ClusterConfigSpecEx"><dasConfig>{das}</dasConfig></spec><modify>true</modify></ReconfigureComputeResource_Task>"#
            );
            assert_eq!(reconfigure(&cluster, config).call(), expected);
        }
    }
}
