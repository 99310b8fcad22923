//! Waiting for tasks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod server;

use std::cell::RefCell;
use std::time::Duration;

use server::{Asked, Server, fault, object, objects};
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
