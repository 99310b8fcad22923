//! Sleeping until a task changes.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::session::error::Error;
use crate::session::property::{Reach, filter};
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;
use crate::wire::transport::{LAST_LOOK, Purpose};

/// The server answers after this time at the latest, so that progress is seen (`WaitOptions.maxWaitSeconds`).
const NAP: Duration = Duration::from_secs(5);
/// The shortest time that a server can be told to wait.
const LEAST: Duration = Duration::from_secs(1);
/// Number of answers that may come sooner than that. A task changes its state a few times; a server that never
/// waits would be flooded.
const SOON: u32 = 20;

/// Wakes up when the state of a task changes, or when a virtual machine asks a question
/// (`PropertyCollector.WaitForUpdatesEx`, since 4.1).
///
/// An alarm only shortens a sleep: what happened is left to the next poll. After any failure, the alarm only sleeps.
pub(super) struct Alarm<'a> {
    session: &'a Session,
    objects: Vec<Moref>,
    /// A collector of its own: runs that share a session would cancel each other's waits in the default one.
    collector: Option<Moref>,
    /// The version of the last update that was seen (`UpdateSet.version`).
    version: String,
    works: bool,
    soon: u32,
}

impl<'a> Alarm<'a> {
    /// Returns an alarm that the server does not know yet.
    pub(super) fn new(session: &'a Session, task: &Moref, vm: Option<&Moref>) -> Self {
        let objects = [task].into_iter().chain(vm).cloned().collect();
        Self { session, objects, collector: None, version: String::new(), works: true, soon: 0 }
    }

    /// Sleeps until something happens, at most for [`NAP`] and until `deadline`; for `pause` if the alarm does not work.
    pub(super) async fn sleep(&mut self, pause: Duration, deadline: Instant) {
        let start = Instant::now();
        let end = (start + NAP).min(deadline);
        if self.works && end.saturating_duration_since(start) >= LEAST {
            let waited = timeout_at((end + LAST_LOOK).min(deadline), self.wait(end)).await;
            self.works = matches!(waited, Ok(Ok(()))) && self.soon <= SOON;
            if self.works {
                return;
            }
        }
        sleep_until(start + pause).await;
    }

    async fn wait(&mut self, end: Instant) -> Result<(), Error> {
        let collector = self.set().await?;
        while self.soon <= SOON {
            let asked = Instant::now();
            let seconds = end.saturating_duration_since(asked).as_secs();
            if seconds == 0 {
                break;
            }
            let mut request = Request::new("WaitForUpdatesEx", &collector);
            request.text("version", &self.version);
            request.nest("options", |options| options.text("maxWaitSeconds", &seconds.to_string()));
            let response = self.session.call(&request, Purpose::Read).await?;
            if asked.elapsed() < LEAST {
                self.soon += 1;
            }
            let Some(update) = response.child("returnval") else { break };
            update.child("version").map_or("", Element::text).clone_into(&mut self.version);
            // The first answer comes at once, and has the state that a poll saw before.
            if is_news(update) {
                break;
            }
        }
        Ok(())
    }

    /// Has the server watch the objects.
    async fn set(&mut self) -> Result<Moref, Error> {
        if let Some(collector) = &self.collector {
            return Ok(collector.clone());
        }
        let create = Request::new("CreatePropertyCollector", &self.session.content().property_collector);
        let response = self.session.call(&create, Purpose::Read).await?;
        let missing =
            || Error::Protocol("the server's answer to CreatePropertyCollector names no collector".to_owned());
        let collector = returned(&response)?.moref().ok_or_else(missing)?;
        self.collector = Some(collector.clone());
        let want: [(&str, &[&str]); 2] = [("Task", &["info.state"]), ("VirtualMachine", &["runtime.question"])];
        let mut request = Request::new("CreateFilter", &collector);
        request.nest("spec", |spec| filter(spec, &self.objects, &want[..self.objects.len()], &[], Reach::OneStep));
        request.flag("partialUpdates", false);
        self.session.call(&request, Purpose::Read).await?;
        Ok(collector)
    }

    /// Has the server forget the alarm.
    pub(super) async fn clear(self) {
        if let Some(collector) = &self.collector {
            let request = Request::new("DestroyPropertyCollector", collector);
            // Otherwise the server forgets it together with the session.
            let _ = timeout(LAST_LOOK, self.session.call(&request, Purpose::Read)).await;
        }
    }
}

/// True if an `UpdateSet` has more than a task that goes on.
fn is_news(update: &Element) -> bool {
    let goes_on = |change: &Element| {
        let value = change.child("val");
        match change.child("name").map_or("", Element::text) {
            "info.state" => value.is_some_and(|state| ["queued", "running"].contains(&state.text())),
            _ => value.is_none(),
        }
    };
    update.children("filterSet").flat_map(|set| set.children("objectSet")).any(|object| {
        object.child("kind").is_some_and(|kind| kind.text() == "leave") || !object.children("changeSet").all(goes_on)
    })
}
