//! Advanced options: their definitions, values and the rules for changing them.

use crate::config::Personality;
use crate::fault::{Fault, Result};
use crate::value::{Data, Value};

/// The moid of a host's option manager.
pub fn manager(host: &str) -> String {
    host.strip_prefix("host-").map_or("ha-adv-options".into(), |number| format!("EsxHostAdvSettings-{number}"))
}

/// The moid of the host that an option manager of this moid belongs to.
pub fn managed_host(moid: &str) -> Option<String> {
    match moid.strip_prefix("EsxHostAdvSettings-") {
        Some(number) => Some(format!("host-{number}")),
        None => (moid == "ha-adv-options").then(|| "ha-host".into()),
    }
}

/// The type of an option's value (`OptionType`).
#[derive(Clone, Debug)]
pub enum Kind {
    /// `IntOption` with least, greatest and default value
    Int(i32, i32, i32),
    /// `LongOption` with least, greatest and default value
    Long(i64, i64, i64),
    /// `BoolOption` with its default
    Bool(bool),
    /// `StringOption` with its default
    Text(&'static str),
    /// `ChoiceOption` with its keys; the first is the default
    Choice(Vec<&'static str>),
}

/// An option and its value.
#[derive(Clone, Debug)]
pub struct HostOption {
    /// Its key, such as `Migrate.VMotionStreamDisable`.
    pub key: String,
    /// Its description.
    pub summary: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// True if it cannot be changed.
    pub readonly: bool,
    /// Its current value.
    pub current: Value,
}

impl HostOption {
    fn new(key: impl Into<String>, summary: &'static str, kind: Kind) -> Self {
        let mut option = Self { key: key.into(), summary, current: Value::Bool(false), kind, readonly: false };
        option.current = option.default();
        option
    }

    /// Its default value.
    pub fn default(&self) -> Value {
        match &self.kind {
            Kind::Int(_, _, default) => (*default).into(),
            Kind::Long(_, _, default) => (*default).into(),
            Kind::Bool(default) => (*default).into(),
            Kind::Text(default) => (*default).into(),
            Kind::Choice(keys) => keys[0].into(),
        }
    }

    /// `OptionValue`.
    pub fn value(&self) -> Data {
        Data::new("OptionValue").with("key", &self.key).with("value", self.current.clone())
    }

    /// `OptionDef`.
    pub fn definition(&self) -> Data {
        let readonly = self.readonly.then_some(true);
        let kind = match &self.kind {
            Kind::Int(min, max, default) => Data::new("IntOption")
                .opt("valueIsReadonly", readonly)
                .with("min", *min)
                .with("max", *max)
                .with("defaultValue", *default),
            Kind::Long(min, max, default) => Data::new("LongOption")
                .opt("valueIsReadonly", readonly)
                .with("min", *min)
                .with("max", *max)
                .with("defaultValue", *default),
            Kind::Bool(default) => Data::new("BoolOption")
                .opt("valueIsReadonly", readonly)
                .with("supported", true)
                .with("defaultValue", *default),
            Kind::Text(default) => {
                Data::new("StringOption").opt("valueIsReadonly", readonly).with("defaultValue", *default)
            }
            Kind::Choice(keys) => {
                let choices = keys.iter().map(|key| {
                    Data::new("ElementDescription").with("label", *key).with("summary", *key).with("key", *key).into()
                });
                Data::new("ChoiceOption")
                    .opt("valueIsReadonly", readonly)
                    .with("choiceInfo", Value::List("ElementDescription", choices.collect()))
                    .with("defaultIndex", 0)
            }
        };
        let label = self.key.rsplit('.').next().unwrap_or(&self.key);
        Data::new("OptionDef")
            .with("label", label)
            .with("summary", self.summary)
            .with("key", &self.key)
            .with("optionType", kind)
    }

    /// Sets a new value, which must have the option's type and be in its range.
    pub fn set(&mut self, kind: Option<&str>, text: &str) -> Result<()> {
        let wrong = || Fault::invalid_argument(&self.key);
        if self.readonly {
            return Err(Fault::not_supported());
        }
        let value: Value = match (&self.kind, kind) {
            (Kind::Int(min, max, _), Some("xsd:int")) => {
                let number: i32 = text.trim().parse().map_err(|_| wrong())?;
                if !(*min..=*max).contains(&number) {
                    return Err(wrong());
                }
                number.into()
            }
            (Kind::Long(min, max, _), Some("xsd:long")) => {
                let number: i64 = text.trim().parse().map_err(|_| wrong())?;
                if !(*min..=*max).contains(&number) {
                    return Err(wrong());
                }
                number.into()
            }
            (Kind::Bool(_), Some("xsd:boolean")) => match text.trim() {
                "true" | "1" => true.into(),
                "false" | "0" => false.into(),
                _ => return Err(wrong()),
            },
            (Kind::Text(_), Some("xsd:string")) => text.into(),
            (Kind::Choice(keys), Some("xsd:string")) if keys.contains(&text) => text.into(),
            _ => return Err(wrong()),
        };
        self.current = value;
        Ok(())
    }
}

fn parse(line: &'static str) -> Option<HostOption> {
    let fields: Vec<&str> = line.split('|').map(str::trim).collect();
    let [key, kind, least, greatest, default, summary] = fields[..] else {
        return None;
    };
    let parsed = match kind {
        "long" => Kind::Long(least.parse().ok()?, greatest.parse().ok()?, default.parse().ok()?),
        "int" => Kind::Int(least.parse().ok()?, greatest.parse().ok()?, default.parse().ok()?),
        "bool" => Kind::Bool(default == "true"),
        "choice" => Kind::Choice(default.split(' ').collect()),
        _ => Kind::Text(default),
    };
    let mut option = HostOption::new(key, summary, parsed);
    option.readonly = kind == "readonly";
    Some(option)
}

/// The options of an ESXi host of this release, with filler options up to `count`.
pub fn esxi(personality: Personality, count: usize) -> Vec<HostOption> {
    let mut options: Vec<HostOption> = include_str!("esxi_options.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(parse)
        // 7.0 U2 removed the option.
        .filter(|option| personality != Personality::V80 || option.key != "Migrate.VMotionStreamDisable")
        .collect();
    for number in options.len()..count {
        let key = format!("Filler.Option{number:04}");
        let kind = Kind::Long(0, i64::from(u32::MAX), 0);
        options.push(HostOption::new(key, "Fills up the list", kind));
    }
    options.sort_by(|a, b| a.key.cmp(&b.key));
    options
}

/// vCenter's own settings (`VpxSettings`).
pub fn vcenter() -> Vec<HostOption> {
    vec![
        HostOption::new("VirtualCenter.InstanceName", "The name of this vCenter", Kind::Text("vcenter.lab.local")),
        HostOption::new("config.vpxd.event.maxAge", "Days events are kept", Kind::Int(0, 3650, 30)),
        HostOption::new("log.level", "How much vCenter logs", Kind::Choice(vec!["info", "error", "verbose"])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_takes_its_own_type_and_range_only() {
        let cases = [
            ("Migrate.VMotionStreamDisable", "xsd:long", "1", true),
            ("Migrate.VMotionStreamDisable", "xsd:int", "1", false),
            ("Migrate.VMotionStreamDisable", "xsd:long", "2", false),
            ("Migrate.VMotionStreamDisable", "xsd:long", "one", false),
            ("Migrate.VMotionStreamDisable", "xsd:string", "1", false),
            ("Config.HostAgent.plugins.vimsvc.userSearchMax", "xsd:int", "10", true),
            ("Config.HostAgent.plugins.vimsvc.userSearchMax", "xsd:long", "10", false),
            ("Config.HostAgent.plugins.solo.enableMob", "xsd:boolean", "true", true),
            ("Config.HostAgent.log.level", "xsd:string", "verbose", true),
            ("Config.HostAgent.log.level", "xsd:string", "loud", false),
            ("Syslog.global.logHost", "xsd:string", "", true),
            ("Misc.HostName", "xsd:string", "other", false),
        ];
        for (key, kind, text, taken) in cases {
            let mut options = esxi(Personality::V50, 0);
            let option = options.iter_mut().find(|option| option.key == key).unwrap();
            assert_eq!(option.set(Some(kind), text).is_ok(), taken, "{key} {kind} {text}");
        }
    }

    #[test]
    fn the_option_is_gone_on_a_modern_host() {
        let has = |personality| {
            let options = esxi(personality, 1100);
            assert!(options.len() >= 1100);
            options.iter().any(|option| option.key == "Migrate.VMotionStreamDisable")
        };
        assert!(has(Personality::V50) && has(Personality::V67) && !has(Personality::V80));
    }
}
