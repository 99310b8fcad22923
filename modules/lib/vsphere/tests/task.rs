//! Waiting for tasks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use std::cell::RefCell;
use std::time::Duration;

use server::{Asked, Server, fault, object, objects, soap};
use tokio::time::Instant;
use vsphere::{Element, Error, Moref, Session, Watch, WireError, WriteError};

const RUNNING: &str = "<name>ReconfigVM_Task</name><entityName>inner</entityName><state>running</state>";

fn info(rest: &str) -> String {
    object("Task", "task-1", &[("info", rest)])
}

/// Answers the n-th poll with the n-th of `answers`, and later polls with the last one.
fn looks(answers: Vec<String>) -> impl FnMut(&Asked) -> Option<String> {
    let mut at = 0;
    move |asked| {
        (asked.method == "RetrievePropertiesEx").then(|| {
            at += 1;
            answers[(at - 1).min(answers.len() - 1)].clone()
        })
    }
}

async fn wait(session: &Session, limit: Duration) -> (Result<Option<Element>, WriteError>, Vec<u8>) {
    let told = RefCell::new(Vec::new());
    let vm = Moref::new("VirtualMachine", "vm-63");
    let watch =
        Watch { deadline: Instant::now() + limit, vm: Some(&vm), progress: &|percent| told.borrow_mut().push(percent) };
    let outcome = session.wait(&Moref::new("Task", "task-1"), &watch).await;
    (outcome, told.take())
}

async fn outcome(answers: Vec<String>) -> (Result<Option<Element>, WriteError>, Vec<u8>) {
    let server = Server::start(looks(answers)).await;
    let session = server.session().await.unwrap();
    wait(&session, Duration::from_secs(60)).await
}

#[tokio::test]
async fn a_task_is_followed_to_its_result() {
    let (outcome, told) = outcome(vec![
        objects(&[info("<state>queued</state>")]),
        objects(&[info(&format!("{RUNNING}<progress>10</progress>"))]),
        objects(&[info(&format!("{RUNNING}<progress>10</progress>"))]),
        objects(&[info(&format!("{RUNNING}<progress>70</progress>"))]),
        objects(&[info("<state>success</state><result><vm type=\"VirtualMachine\">vm-70</vm></result>")]),
    ])
    .await;
    let result = outcome.unwrap().unwrap();
    assert_eq!(result.child("vm").unwrap().text(), "vm-70");
    assert_eq!(told, [10, 70]);
}

#[tokio::test]
async fn a_failed_task_is_its_fault() {
    let failed = r#"<state>error</state><error><fault xsi:type="InvalidPowerState"><existingState>poweredOff</existingState>
        </fault><localizedMessage>*types.InvalidPowerState</localizedMessage></error>"#;
    let (outcome, _) = outcome(vec![objects(&[info(failed)])]).await;
    assert_eq!(outcome.unwrap_err().to_string(), "InvalidPowerState (existingState poweredOff)");
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_named() {
    let server = Server::start(looks(vec![objects(&[info(RUNNING)])])).await;
    let session = server.session().await.unwrap();
    let (outcome, _) = wait(&session, Duration::ZERO).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, WriteError::Unknown { error: Error::Timeout { .. }, accepted: true }));
    assert_eq!(error.to_string(), "task ReconfigVM_Task of `inner` did not finish within 0 s");
}

#[tokio::test]
async fn a_question_ends_the_wait_unless_it_is_answered_at_once() {
    let question = object(
        "VirtualMachine",
        "vm-63",
        &[(
            "runtime.question",
            "<id>7</id><text>Moved or copied?</text><choice><choiceInfo><label>Copied</label><key>1</key></choiceInfo>\
             <choiceInfo><label>Moved</label><key>2</key></choiceInfo><defaultIndex>0</defaultIndex></choice>",
        )],
    );
    let asks = || objects(&[info(RUNNING), question.clone()]);
    let (stuck, _) = outcome(vec![asks()]).await;
    let Err(WriteError::Unknown { error: Error::Question { vm, text }, .. }) = stuck else {
        panic!("{stuck:?}");
    };
    assert_eq!((vm.id.as_str(), text.as_str()), ("vm-63", "Moved or copied?"));
    let done = objects(&[info("<state>success</state>")]);
    let (answered, _) = outcome(vec![asks(), done]).await;
    assert!(answered.unwrap().is_none());
}

#[tokio::test]
async fn only_the_tasks_own_error_is_its_fault() {
    let done = || objects(&[info("<state>success</state>")]);
    for name in ["SystemError", "HostCommunication", "NoPermission", "ManagedObjectNotFound", "SomethingNew"] {
        let poll = fault(name, "the poll failed");
        let (passed, _) = outcome(vec![poll.clone(), done()]).await;
        assert!(passed.is_ok(), "{name} on the first poll only: {passed:?}");
        let (lost, _) = outcome(vec![objects(&[info(RUNNING)]), poll]).await;
        let lost = lost.unwrap_err();
        assert!(matches!(lost, WriteError::Unknown { accepted: true, .. }), "{name} on every poll: {lost:?}");
        assert_eq!(lost.to_string().contains("outcome is unknown"), name == "ManagedObjectNotFound", "{lost}");
    }
}

#[tokio::test]
async fn a_short_outage_does_not_end_the_wait() {
    let blink = server::http("503 Service Unavailable", "busy");
    let done = objects(&[info("<state>success</state>")]);
    let (passed, _) = outcome(vec![objects(&[info(RUNNING)]), blink.clone(), blink.clone(), done]).await;
    assert!(passed.is_ok());
    let (failed, _) = outcome(vec![blink]).await;
    assert!(
        matches!(failed, Err(WriteError::Unknown { error: Error::Wire(WireError::Http { status: 503, .. }), .. })),
        "{failed:?}"
    );
}

/// Waits for a task on a server that tells at the `count`-th wait that it is done, and that fails at the method `broken`.
/// Returns the methods after those of the login and the first polls.
async fn alarmed(count: usize, broken: &'static str) -> Vec<String> {
    let (start, mut waits) = (Instant::now(), 0);
    let server = Server::start(move |asked| {
        let update = |state: &str| {
            let change = format!("<changeSet><name>info.state</name><op>assign</op><val>{state}</val></changeSet>");
            let set = format!(r#"<objectSet><kind>modify</kind><obj type="Task">task-1</obj>{change}</objectSet>"#);
            format!("<returnval><version>1</version><filterSet>{set}</filterSet></returnval>")
        };
        let answer = match asked.method.as_str() {
            method if method == broken => return Some(fault("NotSupported", "unknown method")),
            "CreatePropertyCollector" => r#"<returnval type="PropertyCollector">pc-2</returnval>"#.to_owned(),
            "CreateFilter" => r#"<returnval type="PropertyFilter">f-1</returnval>"#.to_owned(),
            "DestroyPropertyCollector" => String::new(),
            "WaitForUpdatesEx" => {
                waits += 1;
                update(if waits < count { "running" } else { "success" })
            }
            "RetrievePropertiesEx" => {
                // Nobody tells the client when the task is done if the alarm does not work.
                let done = waits == count || start.elapsed() > Duration::from_millis(900);
                return Some(objects(&[info(if done { "<state>success</state>" } else { RUNNING })]));
            }
            _ => return None,
        };
        Some(soap(&asked.method, &answer))
    })
    .await;
    let session = server.session().await.unwrap();
    wait(&session, Duration::from_secs(60)).await.0.unwrap();
    server.methods().into_iter().skip_while(|method| method != "CreatePropertyCollector").collect()
}

#[tokio::test]
async fn the_server_tells_when_a_long_task_is_done() {
    let (set, waits, clear) =
        (["CreatePropertyCollector", "CreateFilter"], "WaitForUpdatesEx", "DestroyPropertyCollector");
    let told = [&set[..], &[waits, waits, "RetrievePropertiesEx", clear]].concat();
    assert_eq!(alarmed(2, "").await, told);
    for broken in ["CreatePropertyCollector", "CreateFilter", waits] {
        let methods = alarmed(2, broken).await;
        let count = |name: &str| methods.iter().filter(|method| *method == name).count();
        assert_eq!(count(broken), 1, "{methods:?}");
        assert_eq!(count(clear), usize::from(broken != "CreatePropertyCollector"), "{methods:?}");
    }
    // A server that never waits is not flooded.
    let flood = alarmed(1000, "").await;
    assert!(flood.iter().filter(|method| *method == waits).count() < 30, "{flood:?}");
}
