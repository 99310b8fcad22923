//! A simulated vSphere that can fail as the article's did: the Web Services API of a small nested lab.

mod config;
mod fault;
mod ft;
mod methods;
mod model;
mod property;
mod random;
mod schema;
mod server;
mod soap;
#[cfg(test)]
mod testing;
mod value;
mod world;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{CommandFactory, Parser};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use config::Config;
use server::certificate::{self, Identity};
use server::record::Recorder;
use server::shared::Server;
use world::World;

fn main() -> ExitCode {
    let config = Config::parse();
    if let Some(why) = config.contradiction() {
        Config::command().error(clap::error::ErrorKind::ArgumentConflict, why).exit();
    }
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let identity = if config.http { None } else { Some(certificate::make(config.certificate_dir.as_deref())?) };
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let until_stdin_closes = config.until_stdin_closes;
    let world = World::new(config, u64::try_from(epoch)?);
    let facts = facts(&world, address, identity.as_ref());
    let server = Arc::new(Server::new(world, Recorder::from_environment()?));
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{facts}")?;
    stdout.flush()?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = server.serve(listener, identity.map(|identity| identity.acceptor)) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closed(), if until_stdin_closes => {}
    }
    Ok(())
}

/// Returns at the end of standard input.
async fn stdin_closed() {
    let (done, closed) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while std::io::stdin().read(&mut buffer).is_ok_and(|count| count > 0) {}
        drop(done);
    });
    // The sender never sends. The receiver returns when it is dropped.
    let _ = closed.await;
}

/// The first line on stdout: how to reach the simulator, and its objects.
fn facts(world: &World, address: std::net::SocketAddr, identity: Option<&Identity>) -> Json {
    let config = &world.config;
    let protocol = if config.http { "http" } else { "https" };
    let hostname = address.ip().to_string();
    let base = format!("{protocol}://{address}");
    let hosts = world.of_kind("HostSystem");
    let names: Vec<&str> = hosts.iter().map(|moid| world.name(moid)).collect();
    let vm = world.of_kind("VirtualMachine").into_iter().find(|moid| world.name(moid) == "inner");
    let cluster = world.of_kind("ClusterComputeResource").into_iter().next();
    let scenario = clap::ValueEnum::to_possible_value(&config.scenario);
    json!({
        "url": format!("{base}/sdk"),
        "hostname": hostname,
        "port": address.port(),
        "protocol": protocol,
        "username": config.username,
        "password": world.password,
        "thumbprint": identity.map(|identity| identity.sha256.clone()),
        "sha1": identity.map(|identity| identity.sha1.clone()),
        "ca": identity.and_then(|identity| identity.authority.clone()),
        "personality": config.personality.name(),
        "scenario": scenario.map(|value| value.get_name().to_owned()),
        "direct": config.direct,
        "vm": "inner",
        "vm_moid": vm,
        "cluster": cluster.as_ref().map(|moid| world.name(moid)),
        "cluster_moid": cluster,
        "hosts": names,
        "host_moids": hosts,
        "control": format!("{base}/control"),
    })
}
