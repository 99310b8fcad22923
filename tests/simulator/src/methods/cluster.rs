//! `ClusterComputeResource`: the configuration of vSphere HA and DRS, and recommendations.

use crate::fault::{Fault, Result};
use crate::model::cluster::{Cluster, Drs, Ha};
use crate::model::entity::Body;
use crate::soap::node::Node;
use crate::value::Data;
use crate::world::World;
use crate::world::work::Work;

use super::call::{Ctx, Outcome, done, void};

/// The changes in a spec; `None` for what it does not name.
struct Wish {
    das: Option<Node>,
    drs: Option<Node>,
    /// The operation on the override of each VM: its moid and its new restart priority, or none to remove it.
    overrides: Vec<(String, Option<String>)>,
    /// `modify`: if true, settings that the spec does not name stay; otherwise they return to their defaults.
    modify: bool,
}

/// `ReconfigureComputeResource_Task`.
pub fn reconfigure(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let Some(spec) = ctx.call.args.child("spec") else {
        return Err(Fault::invalid_argument("spec"));
    };
    let (das, drs) = (spec.child("dasConfig").cloned(), spec.child("drsConfig").cloned());
    if let Some(word) = das.as_ref().and_then(|das| das.value("hostMonitoring"))
        && !["enabled", "disabled"].contains(&word)
    {
        return Err(Fault::invalid_argument("spec.dasConfig.hostMonitoring"));
    }
    let overrides = overrides(ctx, spec)?;
    let wish = Wish { das, drs, overrides, modify: ctx.call.args.flag("modify") };
    let this = ctx.this.clone();
    let moid = this.moid.clone();
    let work = Work::at_end(move |world| {
        let was_on = cluster(world, &moid)?.ha.on;
        let cluster = cluster(world, &moid)?;
        wish.apply(cluster);
        let on = cluster.ha.on;
        if on != was_on {
            post_switch(world, &moid, on);
            switch_agents(world, &moid, on)?;
        }
        Ok(None)
    });
    done(ctx.world.start_task(&this, ("ReconfigureComputeResource_Task", "ComputeResource.reconfigureEx"), work))
}

/// Reads `dasVmConfigSpec`. An override to add must not exist, and one to edit must; a VM must exist.
fn overrides(ctx: &Ctx<'_>, spec: &Node) -> Result<Vec<(String, Option<String>)>> {
    let refused = || Fault::invalid_argument("spec.dasVmConfigSpec");
    let Some(Body::Cluster(cluster)) = ctx.world.entities.get(&ctx.this.moid).map(|entity| &entity.body) else {
        return Err(Fault::not_supported());
    };
    let mut overrides = Vec::new();
    for one in spec.all("dasVmConfigSpec") {
        let operation = one.value("operation").unwrap_or_default();
        let vm = one.child("removeKey").or_else(|| one.child("info")?.child("key")).ok_or_else(refused)?;
        let exists = cluster.ha.overrides.contains_key(&vm.text);
        if ctx.world.vm(&vm.text).is_none() || exists == (operation == "add") {
            return Err(refused());
        }
        let settings = one.child("info").and_then(|info| info.child("dasSettings"));
        let priority = settings.and_then(|settings| settings.value("restartPriority")).unwrap_or(PRIORITIES[0]);
        let known = if ctx.world.config.personality.legacy_ft() { &PRIORITIES[..5] } else { &PRIORITIES[..] };
        if !known.contains(&priority) {
            return Err(refused());
        }
        overrides.push((vm.text.clone(), (operation != "remove").then(|| priority.to_owned())));
    }
    Ok(overrides)
}

/// `ClusterDasVmSettingsRestartPriority`. The last two came with 6.5.
const PRIORITIES: [&str; 7] = ["clusterRestartPriority", "disabled", "low", "medium", "high", "lowest", "highest"];

/// Posts the events about vSphere HA that was turned on or off.
fn post_switch(world: &mut World, moid: &str, on: bool) {
    let message = format!("vSphere HA of {} was turned {}", world.name(moid), if on { "on" } else { "off" });
    world.post(Data::new(if on { "DasEnabledEvent" } else { "DasDisabledEvent" }), moid, &message);
    let vms = world.of_kind("VirtualMachine");
    for vm in vms.iter().filter(|_| !on) {
        if world.vm(vm).and_then(|vm| vm.ft.as_ref()).is_some_and(|pair| !pair.secondary()) {
            let event = Data::new("EventEx")
                .with("eventTypeId", "com.vmware.vc.ft.VmAffectedByDasDisabledEvent")
                .with("severity", "warning")
                .with("message", &message);
            world.post(event, vm, &message);
        }
    }
}

fn cluster<'a>(world: &'a mut World, moid: &str) -> Result<&'a mut Cluster> {
    match world.entities.get_mut(moid).map(|entity| &mut entity.body) {
        Some(Body::Cluster(cluster)) => Ok(cluster),
        _ => Err(Fault::not_supported()),
    }
}

impl Wish {
    fn apply(&self, cluster: &mut Cluster) {
        if !self.modify {
            cluster.ha = Ha::new(false);
            cluster.drs = Drs { evc: cluster.drs.evc, ..Drs::new(false) };
        }
        let said = |node: &Option<Node>, name: &str| {
            node.as_ref().filter(|node| node.child(name).is_some()).map(|node| node.flag(name))
        };
        let ha = &mut cluster.ha;
        if let Some(on) = said(&self.das, "enabled") {
            (ha.on, ha.untold) = (on, false);
        }
        ha.admission = said(&self.das, "admissionControlEnabled").unwrap_or(ha.admission);
        if let Some(das) = &self.das {
            if let Some(word) = das.value("hostMonitoring") {
                word.clone_into(&mut ha.monitoring);
            }
            for option in das.all("option") {
                let text = |name: &str| option.value(name).unwrap_or_default().to_owned();
                ha.set_option(&text("key"), text("value"));
            }
        }
        for (vm, priority) in &self.overrides {
            match priority {
                Some(priority) => ha.overrides.insert(vm.clone(), priority.clone()),
                None => ha.overrides.remove(vm),
            };
        }
        cluster.drs.on = said(&self.drs, "enabled").unwrap_or(cluster.drs.on);
        if let Some(word) = self.drs.as_ref().and_then(|drs| drs.value("defaultVmBehavior")) {
            word.clone_into(&mut cluster.drs.level);
        }
    }
}

impl Ha {
    /// Sets one `das.` option; an empty value removes it. Keys are compared without case, and an existing one keeps its
    /// spelling.
    pub fn set_option(&mut self, key: &str, value: String) {
        let place = self.options.iter().position(|(own, _)| own.eq_ignore_ascii_case(key));
        match (place, value.is_empty()) {
            (Some(place), true) => {
                self.options.remove(place);
            }
            (Some(place), false) => self.options[place].1 = value,
            (None, true) => {}
            (None, false) => self.options.push((key.to_owned(), value)),
        }
    }
}

/// Starts or stops the hosts' HA agents with HA. They need some time to elect a master.
fn switch_agents(world: &mut World, moid: &str, on: bool) -> Result<()> {
    let election = on.then(|| world.number());
    cluster(world, moid)?.ha.election = election;
    let (moid, pause) = (moid.to_owned(), world.config.task_ms);
    world.after(pause, move |world| {
        if let Ok(cluster) = cluster(world, &moid)
            && cluster.ha.election == election
        {
            cluster.ha.election = None;
        }
    });
    Ok(())
}

/// `ApplyRecommendation`.
pub fn apply_recommendation(ctx: &mut Ctx<'_>) -> Result<Outcome> {
    let key = ctx.text("key").unwrap_or_default().to_owned();
    if key.is_empty() {
        return Err(Fault::invalid_argument("key"));
    }
    ctx.world.apply_recommendation(&key)?;
    void()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, call, task};

    const CLUSTER: &str = "domain-c7";

    fn spec(inside: &str, modify: bool) -> String {
        format!(r#"<spec xsi:type="ClusterConfigSpecEx">{inside}</spec><modify>{modify}</modify>"#)
    }

    fn reconfigure(world: &mut World, args: &str) -> std::result::Result<Ha, String> {
        task(world, CLUSTER, "ReconfigureComputeResource_Task", args).map_err(|fault| fault.kind().to_owned())?;
        Ok(cluster(world, CLUSTER).map_err(|fault| fault.message)?.ha.clone())
    }

    #[test]
    fn what_is_not_named_stays_or_goes_by_the_flag() {
        let option = "<option><key>das.maxftvmsperhost</key><value>0</value></option>";
        let off = "<admissionControlEnabled>false</admissionControlEnabled>";
        let first = format!("<dasConfig><hostMonitoring>disabled</hostMonitoring>{off}{option}</dasConfig>");
        let on = "<dasConfig><enabled>true</enabled></dasConfig>";
        for (modify, monitoring, admission, options) in [(true, "disabled", false, 1), (false, "enabled", true, 0)] {
            let mut world = testing::world(&[]);
            let ha = reconfigure(&mut world, &spec(&first, true)).unwrap();
            assert!(ha.on && !ha.admission && ha.monitoring == "disabled" && ha.options.len() == 1);
            let ha = reconfigure(&mut world, &spec(on, modify)).unwrap();
            assert_eq!((ha.monitoring.as_str(), ha.admission, ha.options.len()), (monitoring, admission, options));
            assert!(ha.on);
            let drs = reconfigure(&mut world, &spec("<drsConfig><enabled>true</enabled></drsConfig>", modify)).unwrap();
            assert_eq!(drs.on, modify);
        }
    }

    #[test]
    fn an_override_is_added_once_and_edited_if_it_exists() {
        let one = |operation: &str, vm: &str, priority: &str| {
            let settings = format!("<dasSettings><restartPriority>{priority}</restartPriority></dasSettings>");
            let info = format!(r#"<info><key type="VirtualMachine">{vm}</key>{settings}</info>"#);
            spec(&format!("<dasVmConfigSpec><operation>{operation}</operation>{info}</dasVmConfigSpec>"), true)
        };
        let remove = r#"<dasVmConfigSpec><operation>remove</operation><removeKey xsi:type="ManagedObjectReference" type="VirtualMachine">vm-63</removeKey></dasVmConfigSpec>"#;
        let removed = spec(remove, true);
        let mut world = testing::world(&[]);
        for (args, expected) in [
            (one("edit", "vm-63", "low"), Err("InvalidArgument".to_owned())),
            (one("add", "vm-1", "low"), Err("InvalidArgument".to_owned())),
            (one("add", "vm-63", "sometimes"), Err("InvalidArgument".to_owned())),
            (one("add", "vm-63", "lowest"), Err("InvalidArgument".to_owned())),
            (one("add", "vm-63", "disabled"), Ok(Some("disabled"))),
            (one("add", "vm-63", "low"), Err("InvalidArgument".to_owned())),
            (one("edit", "vm-63", "clusterRestartPriority"), Ok(Some("clusterRestartPriority"))),
            (removed, Ok(None)),
        ] {
            let ha = reconfigure(&mut world, &args);
            let found = ha.as_ref().map(|ha| ha.overrides.get("vm-63").map(String::as_str));
            assert_eq!(found.map_err(Clone::clone), expected, "{args}");
        }
    }

    #[test]
    fn what_the_wsdl_does_not_allow_is_refused() {
        let cases = [
            (
                "<spec><dasConfig><enabled>true</enabled></dasConfig></spec><modify>true</modify>".into(),
                "InvalidRequest",
            ),
            (spec("<drsConfig/><dasConfig/>", true), "InvalidRequest"),
            (
                spec("<dasConfig><hostMonitoring>enabled</hostMonitoring><enabled>true</enabled></dasConfig>", true),
                "InvalidRequest",
            ),
            (spec("<dasConfig><nonsense>true</nonsense></dasConfig>", true), "InvalidRequest"),
            (spec("<dasConfig><hostMonitoring>true</hostMonitoring></dasConfig>", true), "InvalidArgument"),
        ];
        for (args, expected) in cases {
            let mut world = testing::world(&["--scenario", "ha-off"]);
            assert_eq!(reconfigure(&mut world, &args).unwrap_err(), expected, "{args}");
        }
    }

    #[test]
    fn agents_elect_a_master_after_the_task() {
        let mut world = testing::world(&["--scenario", "ha-off", "--hosts", "3"]);
        if let Some(host) = world.host_mut("host-20") {
            host.agent = Some("initializationError".into());
        }
        let states = |world: &World| -> Vec<Option<String>> {
            ["host-20", "host-30", "host-40"].iter().map(|moid| world.agent_state(moid, world.host(moid)?)).collect()
        };
        assert_eq!(states(&world), [const { None }; 3]);
        reconfigure(&mut world, &spec("<dasConfig><enabled>true</enabled></dasConfig>", true)).unwrap();
        let told = |world: &World| states(world).into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(told(&world), ["initializationError", "election", "election"]);
        world.advance(world.now + world.config.task_ms);
        assert_eq!(told(&world), ["initializationError", "master", "connectedToMaster"]);
        call(
            &mut world,
            CLUSTER,
            "ReconfigureComputeResource_Task",
            &spec("<dasConfig><enabled>false</enabled></dasConfig>", true),
        )
        .unwrap();
        world.advance(world.now + 5 * world.config.task_ms);
        assert_eq!(states(&world), [const { None }; 3]);
    }
}
