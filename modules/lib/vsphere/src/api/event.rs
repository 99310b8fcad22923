//! Events of inventory objects: the `EventManager`.

use crate::session::error::Error;
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::fault::Fault;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

/// The most events that one query returns.
const MOST: usize = 200;

/// An event (`Event` and its subtypes).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Event {
    /// Its number. Newer events have higher ones.
    pub key: i64,
    /// Its type, e.g. `VmFailedStartingSecondaryEvent`; of `EventEx` and `ExtendedEvent` the `eventTypeId`.
    pub kind: String,
    /// When it was created, by the server's clock, as the server writes it.
    pub created: String,
    /// The virtual machine that it is about.
    pub vm: Option<Moref>,
    /// The host that it is about.
    pub host: Option<Moref>,
    /// A reason from a list, e.g. `migrateFailed`.
    pub reason: Option<String>,
    /// Milliseconds after which something timed out (`VmTimedoutStartingSecondaryEvent`).
    pub timeout: Option<i64>,
    /// The fault that the event reports.
    pub fault: Option<Fault>,
    /// The server's own sentence (`fullFormattedMessage`), or else the event's own message.
    pub message: String,
    /// The messages that come with the event: of the virtual machine, or of `EventEx`.
    pub details: Vec<String>,
}

impl Event {
    fn parse(element: &Element) -> Self {
        let text = |path| element.at(path).map(|it| it.text().to_owned()).filter(|text| !text.is_empty());
        let moref = |path| element.at(path).and_then(Element::moref);
        // `reason` is a fault in some events and a word in others.
        let reason = element.child("reason");
        let is_fault = reason.is_some_and(|reason| reason.child("fault").is_some());
        let fault = reason.filter(|_| is_fault).or_else(|| element.child("fault"));
        let texts = element.children("messageInfo").filter_map(|info| info.child("text"));
        let mut details: Vec<String> = text("message").into_iter().collect();
        details.extend(texts.map(|text| text.text().to_owned()).filter(|text| !text.is_empty()));
        Self {
            key: element.child("key").and_then(Element::int).unwrap_or_default(),
            kind: text("eventTypeId").or_else(|| element.kind().map(str::to_owned)).unwrap_or_default(),
            created: text("createdTime").unwrap_or_default(),
            vm: moref("vm/vm"),
            host: moref("host/host"),
            reason: text("reason").filter(|_| !is_fault),
            timeout: element.child("timeout").and_then(Element::int),
            fault: fault.map(Fault::localized),
            message: text("fullFormattedMessage").or_else(|| text("message")).unwrap_or_default(),
            details,
        }
    }
}

impl Event {
    /// Everything that it says beside its message and its reason from a list. The reason of a fault comes first: the text of the
    /// innermost one.
    pub fn texts(&self) -> Vec<String> {
        let leaves: Vec<&Fault> = self.fault.iter().flat_map(Fault::leaves).collect();
        let reason = leaves.iter().map(|leaf| &leaf.message).find(|message| !message.is_empty());
        let mut texts: Vec<String> = reason.into_iter().cloned().collect();
        texts.extend(self.fault.iter().map(Fault::describe));
        texts.extend(leaves.iter().flat_map(|leaf| &leaf.messages).map(|it| format!("[{}] {}", it.key, it.message)));
        texts.extend(self.timeout.map(|timeout| format!("no answer within {} s", timeout / 1000)));
        texts.extend(self.details.iter().filter(|detail| **detail != self.message).cloned());
        texts
    }
}

impl Session {
    /// Reads the newest events of one object (`EventManager.QueryEvents`), the newest first and 200 at most. Needs no privilege
    /// beyond read access to the object.
    ///
    /// `kinds` are event types and values of `eventTypeId`. `since` is a time as XML Schema has it; `None` for all times.
    pub async fn events(&self, object: &Moref, kinds: &[&str], since: Option<&str>) -> Result<Vec<Event>, Error> {
        let content = self.content();
        let manager = content
            .event_manager
            .as_ref()
            .ok_or_else(|| Error::Protocol("the server provides no events (no EventManager)".to_owned()))?;
        // Older servers have no `maxCount`; they return the newest ones, as many as they want.
        let most = self.speaks(6, 5).then_some(MOST);
        let response = self.query(&query(manager, object, kinds, since, most)).await?;
        Ok(newest(response.children("returnval").map(Event::parse).collect(), kinds))
    }

    /// Reads the server's clock (`CurrentTime`), as the server writes it.
    pub async fn current_time(&self) -> Result<String, Error> {
        let service = Moref::new("ServiceInstance", "ServiceInstance");
        let response = self.query(&Request::new("CurrentTime", &service)).await?;
        Ok(response.child("returnval").map_or("", Element::text).to_owned())
    }
}

fn query(manager: &Moref, object: &Moref, kinds: &[&str], since: Option<&str>, most: Option<usize>) -> Request {
    let mut request = Request::new("QueryEvents", manager);
    request.nest("filter", |filter| {
        filter.nest("entity", |entity| {
            entity.moref("entity", object);
            entity.text("recursion", "self");
        });
        if let Some(since) = since {
            filter.nest("time", |time| time.text("beginTime", since));
        }
        for kind in kinds {
            filter.text("eventTypeId", kind);
        }
        if let Some(most) = most {
            filter.text("maxCount", &most.to_string());
        }
    });
    request
}

/// The newest events of these kinds, the newest first. No document says in which order the server returns them.
fn newest(mut events: Vec<Event>, kinds: &[&str]) -> Vec<Event> {
    events.retain(|event| kinds.contains(&event.kind.as_str()));
    events.sort_by_key(|event| std::cmp::Reverse(event.key));
    events.truncate(MOST);
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_written_in_the_order_of_the_schema() {
        let (manager, vm) = (Moref::new("EventManager", "EventManager"), Moref::new("VirtualMachine", "vm-63"));
        let filter = |rest: &str| {
            format!(
                r#"<QueryEvents xmlns="urn:vim25"><_this type="EventManager">EventManager</_this><filter><entity><entity type="VirtualMachine">vm-63</entity><recursion>self</recursion></entity>{rest}</filter></QueryEvents>"#
            )
        };
        let all = "<time><beginTime>2011-07-31T17:31:39.314Z</beginTime></time><eventTypeId>VmEvent</eventTypeId><eventTypeId>esx.problem.x</eventTypeId><maxCount>200</maxCount>";
        let kinds = ["VmEvent", "esx.problem.x"];
        let written = query(&manager, &vm, &kinds, Some("2011-07-31T17:31:39.314Z"), Some(MOST)).call();
        assert_eq!(written, filter(all));
        assert_eq!(query(&manager, &vm, &[], None, None).call(), filter(""));
    }

    #[test]
    fn events_are_read_with_their_objects_and_reasons() {
        let event = |kind: &str, inner: &str| {
            let xml = format!(
                r#"<returnval xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{kind}"><key>7</key><createdTime>2011-07-31T17:35:03Z</createdTime><host><name>esxi01</name><host type="HostSystem">host-20</host></host><vm><name>inner</name><vm type="VirtualMachine">vm-63</vm></vm>{inner}</returnval>"#
            );
            Event::parse(&Element::parse(&xml).unwrap())
        };
        let base = Event {
            key: 7,
            created: "2011-07-31T17:35:03Z".to_owned(),
            vm: Some(Moref::new("VirtualMachine", "vm-63")),
            host: Some(Moref::new("HostSystem", "host-20")),
            ..Event::default()
        };
        let fault =
            "<fault xsi:type=\"SystemError\"><reason>r</reason></fault><localizedMessage>gone</localizedMessage>";
        let failed = event(
            "VmFailedStartingSecondaryEvent",
            "<fullFormattedMessage>It failed</fullFormattedMessage><reason>migrateFailed</reason>",
        );
        assert_eq!(
            failed,
            Event {
                kind: "VmFailedStartingSecondaryEvent".to_owned(),
                message: "It failed".to_owned(),
                reason: Some("migrateFailed".to_owned()),
                ..base.clone()
            }
        );
        let disabled = event("VmSecondaryDisabledBySystemEvent", &format!("<reason>{fault}</reason>"));
        assert_eq!((disabled.reason, disabled.fault.map(|it| it.message)), (None, Some("gone".to_owned())));
        let extended = event(
            "EventEx",
            &format!("<eventTypeId>com.vmware.x</eventTypeId><message>m</message><fault>{fault}</fault>"),
        );
        assert_eq!((extended.kind.as_str(), extended.message.as_str()), ("com.vmware.x", "m"));
        assert_eq!(extended.texts(), ["gone", "SystemError (reason r): gone"]);
        let told =
            event("VmMessageErrorEvent", "<message>m</message><messageInfo><id>msg.x</id><text>t</text></messageInfo>");
        assert_eq!(told.details, ["m", "t"]);
        let late = event("VmTimedoutStartingSecondaryEvent", "<timeout>900000</timeout>");
        assert_eq!(late.texts(), ["no answer within 900 s"]);
    }

    #[test]
    fn the_newest_events_come_first_whatever_the_server_returns() {
        let event = |key: i64| Event { key, kind: if key % 2 == 0 { "a" } else { "b" }.to_owned(), ..Event::default() };
        let keys = |events: Vec<Event>| events.iter().map(|event| event.key).collect::<Vec<_>>();
        assert_eq!(keys(newest(vec![event(1), event(4), event(2)], &["a"])), [4, 2]);
        assert_eq!(newest((0..500).map(event).collect(), &["a", "b"]).len(), MOST);
    }
}
