//! Tools that hang, talk too much, or cannot be started.

mod host;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use esxcli::{Error, Value};
use host::{Host, NOTE, TIMEOUT, option, soon};

/// Waits until a tool hangs.
async fn a_tool_hangs(host: &Host) {
    while host.hung().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a tool hangs, then advances tokio's clock past the deadline `soon`.
async fn the_deadline_passes(host: &Host) {
    a_tool_hangs(host).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_tool_that_hangs_is_killed_at_the_deadline() {
    // With one tool only: otherwise the other one is tried next.
    for (version, other) in [("4.1", "esxcli"), ("6.7", "esxcfg-advcfg")] {
        let host = Host::new(version).without(other);
        let shell = host.shell();
        let seen = option(&shell, TIMEOUT).await;

        host.put("hang", "");
        let (read, ()) = tokio::join!(shell.option(TIMEOUT, soon()), the_deadline_passes(&host));
        let read = read.unwrap_err();
        assert!(matches!(read, Error::Timeout { seconds: 1..=30, .. }), "{version}: {read:?}");
        let process = host.hung().unwrap();
        assert!(!process.exists(), "{version}: {} still exists", process.display());

        host.put("hung", "");
        let value = Value::Integer(30);
        let (set, ()) = tokio::join!(shell.set(&seen, &value, soon()), the_deadline_passes(&host));
        let set = set.unwrap_err();
        assert!(set.to_string().starts_with(&format!("{} did not finish within ", seen.tool)), "{version}: {set}");
        assert!(set.unsettled(), "whether the value was set is not known");
        let process = host.hung().unwrap();
        assert!(!process.exists(), "{version}: {} still exists", process.display());
    }
}

#[tokio::test]
async fn a_tool_that_hangs_is_killed_if_nobody_waits_for_it_any_more() {
    let host = Host::new("6.7");
    let shell = host.shell();
    host.put("hang", "");
    tokio::select! {
        read = shell.option(TIMEOUT, soon()) => panic!("{read:?}"),
        () = a_tool_hangs(&host) => {}
    }
    // A killed process is a zombie until it is waited for, which happens in the background.
    let process = host.hung().unwrap();
    let state = || std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let gone = || state().is_empty() || state().contains(") Z ");
    let deadline = soon();
    while !gone() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(gone(), "{}", state());
}

#[tokio::test]
async fn after_the_deadline_nothing_is_started() {
    let host = Host::new("6.7");
    let shell = host.shell();
    let seen = option(&shell, TIMEOUT).await;
    let calls = host.calls();
    let error = shell.set(&seen, &Value::Integer(30), Instant::now()).await.unwrap_err();
    assert!(matches!(error, Error::NoTime { tool: "esxcli" }), "{error:?}");
    assert!(!error.unsettled());
    assert_eq!(host.calls(), calls);
}

#[tokio::test]
async fn an_answer_without_end_is_an_error_and_its_reader_does_not_grow() {
    let host =
        Host::new("6.7").without("esxcfg-advcfg").with_script("esxcli", "head -c 3000000 /dev/zero | tr '\\0' x");
    let error = host.shell().option(TIMEOUT, soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "esxcli printed something unexpected: more than 1048576 bytes");
}

#[tokio::test]
async fn a_change_succeeds_however_much_its_tool_prints() {
    let host = Host::new("6.7");
    let shell = host.shell();
    let seen = option(&shell, NOTE).await;
    let _host = host.with_script("esxcli", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 0");
    shell.set(&seen, &Value::Text("x".to_owned()), soon()).await.unwrap();
}

#[tokio::test]
async fn a_tool_gets_the_environment_without_translations() {
    let host = Host::new("6.7").without("esxcli");
    let host = host.with_script("esxcfg-advcfg", "echo \"Value of X is $LC_ALL ${PATH:+path}\"");
    assert_eq!(option(&host.shell(), "/A/X").await.value, Value::Text("C path".to_owned()));
}

#[tokio::test]
async fn a_tool_does_not_read_the_input_of_its_caller() {
    const AGAIN: &str = "ESXCLI_TEST_HAS_INPUT";
    if std::env::var_os(AGAIN).is_none() {
        // This test, in a process whose input never ends, as over ssh.
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_tool_does_not_read_the_input_of_its_caller"])
            .env(AGAIN, "yes")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let _open = child.stdin.take();
        assert!(child.wait().unwrap().success());
        return;
    }
    let host = Host::new("6.7").without("esxcli");
    let host = host.with_script("esxcfg-advcfg", "read -r line; echo \"Value of X is $?\"");
    let read = host.shell().option("/A/X", soon()).await.unwrap().unwrap();
    assert_eq!(read.value, Value::Integer(1), "an end of input");
}

#[tokio::test]
async fn a_tool_that_cannot_be_started_did_nothing() {
    let host = Host::new("6.7").without("esxcfg-advcfg");
    let shell = host.shell();
    let seen = option(&shell, NOTE).await;
    let error = shell.set(&seen, &Value::Text("a\0b".to_owned()), soon()).await.unwrap_err();
    assert!(matches!(error, Error::Start { tool: "esxcli", .. }), "{error:?}");
    assert!(!error.unsettled());

    let _host = host.with_script("esxcli", "").without("esxcli");
    let error = shell.option(NOTE, soon()).await.unwrap_err();
    assert!(matches!(error, Error::Start { tool: "esxcli", .. }), "{error:?}");
}

#[tokio::test]
async fn a_tool_that_is_killed_half_way_leaves_it_open_whether_it_did_its_work() {
    let host = Host::new("6.7");
    let shell = host.shell();
    let seen = option(&shell, NOTE).await;
    let _host = host.with_script("esxcli", "kill -9 $$");
    let error = shell.set(&seen, &Value::Text("x".to_owned()), soon()).await.unwrap_err();
    assert!(error.to_string().ends_with("failed with signal 9 and printed nothing"), "{error}");
    assert!(error.unsettled());
}
