//! Tools that hang, talk too much, or cannot be started.

mod host;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use esxcli::{Error, Value};
use host::{Host, NOTE, TIMEOUT, option, soon};

fn in_a_second() -> Instant {
    Instant::now() + Duration::from_secs(1)
}

#[tokio::test]
async fn a_tool_that_hangs_is_killed_at_the_deadline() {
    for version in ["4.1", "6.7"] {
        let host = Host::new(version);
        let shell = host.shell();
        let seen = option(&shell, TIMEOUT).await;
        host.put("hang", "");

        let start = Instant::now();
        let read = shell.option(TIMEOUT, in_a_second()).await.unwrap_err();
        assert!(matches!(read, Error::Timeout { seconds: 1, .. }), "{version}: {read:?}");
        assert!(!host.hung().exists(), "{version}: {} is still there", host.hung().display());

        let set = shell.set(&seen, &Value::Integer(30), in_a_second()).await.unwrap_err();
        assert_eq!(set.to_string(), format!("{} did not finish within 1 s", seen.tool));
        assert!(set.unsettled(), "whether the value was set is not known");
        assert!(!host.hung().exists(), "{version}: {} is still there", host.hung().display());
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_tool_that_hangs_is_killed_when_nobody_waits_for_it_any_more() {
    let host = Host::new("6.7");
    let shell = host.shell();
    host.put("hang", "");
    let given_up = tokio::time::timeout(Duration::from_secs(1), shell.option(TIMEOUT, soon())).await;
    assert!(given_up.is_err());
    // A killed process is there, as a zombie, until it is waited for; that happens in the background.
    let state = || std::fs::read_to_string(host.hung().join("stat")).unwrap_or_default();
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
    let read = host.shell().option("/A/X", Instant::now() + Duration::from_secs(5)).await.unwrap().unwrap();
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
