//! Lets the hosts ping each other's vmknics, if the caller asked for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use requirements::{Answer, Facts, Path, Probe, plan_probe};
use tokio::time::{Instant, timeout, timeout_at};
use vsphere::{Moref, Ping};
use vsphere_module::Server;

use crate::args::Args;

/// Pings at once.
const AT_ONCE: usize = 16;
/// Packets of one size, one a second.
const COUNT: u32 = 3;
/// Seconds that a host waits for an answer.
const WAIT: u32 = 1;
/// Longest wait for the answer of one host.
const ONE: Duration = Duration::from_secs(15);
/// Longest time of the whole probe. It takes at most half of the run.
const ALL: Duration = Duration::from_secs(60);
/// The payload of a small packet, the default of ping.
const SMALL: u32 = 56;
/// Longest reason for a failure, in characters. Several checks may repeat it.
const WHY: usize = 300;

/// Probes the paths between the hosts. What goes wrong is part of the result, and does not fail the run.
pub async fn probe(args: &Args, server: &Server, facts: &Facts) -> Probe {
    if !server.speaks(5, 0) {
        let why = format!(
            "the server speaks vSphere API {}; only hosts of 5.0 and later ping through the API",
            server.spoken()
        );
        return Probe { refused: Some(why), ..Probe::default() };
    }
    let mut probe = plan_probe(facts);
    let limit = ALL.min(Duration::from_secs(args.timeout) / 2);
    let end = Instant::now() + limit;
    let late = || format!("the probe took longer than {} s", limit.as_secs());
    let hosts: HashSet<String> = probe.paths.iter().map(|path| path.from.clone()).collect();
    let executers = stream::iter(hosts).map(|host| async move {
        let moref = Moref::new("HostSystem", &host);
        let found = timeout_at(end, within(server.method_executer(&moref))).await.unwrap_or_else(|_| Err(late()));
        (host, found)
    });
    let executers: HashMap<String, Result<Moref, String>> = executers.buffer_unordered(AT_ONCE).collect().await;
    stream::iter(probe.paths.iter_mut().filter(|path| !path.address.is_empty()))
        .for_each_concurrent(AT_ONCE, |path| {
            let executer = &executers[&path.from];
            async move {
                match executer {
                    Ok(executer) if timeout_at(end, ask(server, executer, path)).await.is_ok() => {}
                    Ok(_) => path.give_up(late()),
                    Err(why) => path.give_up(why.clone()),
                }
            }
        })
        .await;
    probe
}

/// Sends large packets along the path, and small ones if the large ones are lost.
async fn ask(server: &Server, executer: &Moref, path: &mut Path) {
    path.large = ping(server, executer, path, path.size()).await;
    if matches!(path.large, Answer::Lost(_)) {
        path.small = ping(server, executer, path, SMALL).await;
    }
}

async fn ping(server: &Server, executer: &Moref, path: &Path, size: u32) -> Answer {
    let stack = path.stack.as_deref();
    let ping = Ping { device: &path.device, stack, address: &path.address, size, count: COUNT, wait: WAIT };
    within(server.ping(executer, &ping)).await.map_or_else(Answer::Unknown, Answer::of)
}

/// Waits for an answer of a host, but not for long. Returns the reason for a failure.
async fn within<T>(asking: impl Future<Output = Result<T, vsphere::Error>>) -> Result<T, String> {
    match timeout(ONE, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string().chars().take(WHY).collect()),
        Err(_) => Err(format!("no answer within {} s", ONE.as_secs())),
    }
}
