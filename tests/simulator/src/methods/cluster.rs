//! `ClusterComputeResource`: the configuration of vSphere HA and DRS, and recommendations.

use crate::fault::{Fault, Result};
use crate::model::cluster::{Cluster, Ha};
use crate::model::entity::Body;
use crate::soap::node::Node;
use crate::world::World;
use crate::world::work::Work;

use super::call::{Ctx, Outcome, done, void};

/// The changes in a spec; `None` for what it does not name.
struct Wish {
    das: Option<Node>,
    drs: Option<Node>,
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
    let wish = Wish { das, drs, modify: ctx.call.args.flag("modify") };
    let this = ctx.this.clone();
    let moid = this.moid.clone();
    let work = Work::at_end(move |world| {
        let was_on = cluster(world, &moid)?.ha.on;
        let cluster = cluster(world, &moid)?;
        wish.apply(cluster);
        let on = cluster.ha.on;
        if on != was_on {
            switch_agents(world, &moid, on)?;
        }
        Ok(None)
    });
    done(ctx.world.start_task(&this, ("ReconfigureComputeResource_Task", "ComputeResource.reconfigureEx"), work))
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
            (cluster.drs, cluster.drs_manual) = (false, false);
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
        cluster.drs = said(&self.drs, "enabled").unwrap_or(cluster.drs);
        if let Some(word) = self.drs.as_ref().and_then(|drs| drs.value("defaultVmBehavior")) {
            cluster.drs_manual = word != "fullyAutomated";
        }
    }
}

impl Ha {
    /// Sets one `das.` option; an empty value removes it.
    pub fn set_option(&mut self, key: &str, value: String) {
        self.options.retain(|(own, _)| own != key);
        if !value.is_empty() {
            self.options.push((key.to_owned(), value));
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
