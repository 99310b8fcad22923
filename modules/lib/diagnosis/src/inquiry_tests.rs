use std::rc::Rc;

use serde_json::json;

use super::{INCIDENTS, Incident, Inquiry, LINES};
use crate::catalogue::Catalogue;
use crate::scan::Scanner;

/// Two migrations: the first with its vMotion endpoint and as an id alone, the second with its endpoint.
const FIRST: &str = "[ac1e0050:1312133702562144]";
const FIRST_ALONE: &str = "1312133702562144 S:";
const SECOND: &str = "[ac1e0050:1312133702562145]";

/// Three signatures, the most telling first. The last one is what comes after another failure.
fn catalogue() -> Rc<Catalogue> {
    let signature = |id: &str, context: usize, follows: bool| {
        json!({ "id": id, "title": id, "severity": "error", "cause": "c", "patterns": [id], "logs": [], "source": "s",
            "context": context, "follows": follows, "remedies": [] })
    };
    let all = json!([signature("disk", 2, false), signature("timeout", 1, false), signature("gone", 0, true)]);
    Rc::new(Catalogue::parse(&all.to_string()).unwrap())
}

/// A log: its name, how many lines come before those that are read, and the text.
type Log = (&'static str, u64, String);

fn read(logs: &[Log]) -> Inquiry {
    let catalogue = catalogue();
    let mut inquiry = Inquiry::new(&catalogue);
    for (name, unread, text) in logs {
        inquiry.begin(name, *unread);
        let mut scanner = Scanner::new(&catalogue);
        while scanner.step(&mut text.as_bytes(), &mut |hit| inquiry.take(hit)).unwrap() {}
    }
    inquiry
}

/// `timeout x2 a.log:3`: the signature, the number of lines, and the line that revealed it first.
fn brief(incident: &Incident) -> String {
    let id = ["disk", "timeout", "gone"][incident.signature];
    format!("{id} x{} {}:{}", incident.count, incident.told_by.file, incident.told_by.number)
}

#[test]
fn lines_of_one_failure_are_one_incident() {
    let near = "\n".repeat(4);
    let far = "\n".repeat(5);
    let one = |text: String| vec![("a.log", 0, text)];
    let two = |first: String, second: String| vec![("a.log", 0, first), ("b.log", 0, second)];
    let cases: Vec<(Vec<Log>, &[&str])> = vec![
        (one("nothing\n".to_owned()), &[]),
        // A migration joins its lines, however far apart and in whichever log they are.
        (one(format!("timeout {FIRST}\n{far}timeout {FIRST}")), &["timeout x2 a.log:1"]),
        (two(format!("timeout {FIRST}"), format!("disk {FIRST_ALONE}")), &["disk x2 b.log:1"]),
        (one(format!("timeout {FIRST}\ntimeout {SECOND}")), &["timeout x1 a.log:2", "timeout x1 a.log:1"]),
        // A consequence joins the failure near it, before it or after it.
        (one(format!("timeout {FIRST}\n{near}gone")), &["timeout x2 a.log:1"]),
        (one(format!("timeout {FIRST}\n{far}gone")), &["timeout x1 a.log:1", "gone x1 a.log:7"]),
        (one(format!("gone\n{near}timeout {FIRST}")), &["timeout x2 a.log:6"]),
        (one(format!("gone\n{far}timeout {FIRST}")), &["timeout x1 a.log:7", "gone x1 a.log:1"]),
        (two("gone".to_owned(), format!("timeout {FIRST}")), &["timeout x1 b.log:1", "gone x1 a.log:1"]),
        (one(format!("gone {FIRST}\ntimeout {SECOND}")), &["timeout x1 a.log:2", "gone x1 a.log:1"]),
        (one("gone\ntimeout".to_owned()), &["timeout x2 a.log:2"]),
        // Other failures stay apart, even if they are near.
        (one(format!("disk\ntimeout {FIRST}")), &["disk x1 a.log:1", "timeout x1 a.log:2"]),
        (one("disk\ntimeout".to_owned()), &["disk x1 a.log:1", "timeout x1 a.log:2"]),
        // Without a migration, the same failure again is the same incident; far from one with a migration it is not.
        (one(format!("timeout\n{far}timeout")), &["timeout x2 a.log:1"]),
        (one(format!("timeout {FIRST}\ntimeout")), &["timeout x2 a.log:1"]),
        (one(format!("timeout {FIRST}\n{far}timeout")), &["timeout x1 a.log:7", "timeout x1 a.log:1"]),
    ];
    for (logs, expected) in cases {
        let inquiry = read(&logs);
        assert_eq!(inquiry.found_nothing(), expected.is_empty(), "{logs:?}");
        assert_eq!(inquiry.conclude().iter().map(brief).collect::<Vec<_>>(), expected, "{logs:?}");
    }
}

#[test]
fn an_incident_has_its_times_its_code_its_endpoint_and_the_lines_before_it() {
    let text = format!(
        "one\ntwo\n2026-01-01T00:00:09Z timeout 0xbad003f {FIRST_ALONE}\nthree\nfour\n\
         2026-01-01T00:00:05Z disk 0xbad0109 {FIRST}\n2026-01-01T00:00:07Z gone {FIRST_ALONE}\n"
    );
    let incidents = read(&[("a.log", 100, text)]).conclude();
    let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
    // A log that is read from its middle counts the lines before.
    assert_eq!(brief(incident), "disk x3 a.log:106");
    let before: Vec<(u64, &str)> = incident.before.iter().map(|line| (line.number, line.text.as_str())).collect();
    assert_eq!(before, [(104, "three"), (105, "four")]);
    let times = [incident.first_time(), incident.last_time()].map(|time| time.unwrap().to_string());
    assert_eq!(times, ["2026-01-01T00:00:05.000Z", "2026-01-01T00:00:09.000Z"]);
    assert_eq!(incident.status.unwrap().hex(), "0xbad003f");
    assert_eq!(incident.migration.unwrap().peer.unwrap().to_string(), "172.30.0.80");
}

#[test]
fn of_many_lines_the_first_and_the_last_are_kept() {
    let most = u64::try_from(LINES).unwrap();
    for (count, second) in [(most, 2), (most + 5, 7)] {
        let text = format!("timeout {FIRST}\n").repeat(usize::try_from(count).unwrap());
        let incident = read(&[("a.log", 0, text)]).conclude().remove(0);
        let numbers: Vec<u64> = incident.lines.iter().map(|line| line.number).collect();
        assert_eq!((incident.count, numbers.len()), (count, LINES));
        assert_eq!((numbers[0], numbers[1], numbers[LINES - 1]), (1, second, count));
    }
}

#[test]
fn of_many_incidents_those_are_kept_that_tell_most_and_were_seen_last() {
    let timeouts = |count: usize| (0..count).map(|at| format!("timeout [ac1e0050:{}]\n", 1_312_133_702_562_144 + at));
    for (count, dropped) in [(INCIDENTS - 1, 0), (INCIDENTS + 1, 2)] {
        let text = format!("disk [ac1e0050:1412133702562144]\n{}", timeouts(count).collect::<String>());
        let inquiry = read(&[("a.log", 0, text)]);
        assert_eq!(inquiry.dropped(), dropped);
        let incidents = inquiry.conclude();
        let shown: Vec<String> = [0, 1, INCIDENTS - 1].map(|at| brief(&incidents[at])).into();
        let (last, first) = (format!("timeout x1 a.log:{}", count + 1), format!("timeout x1 a.log:{}", dropped + 2));
        assert_eq!((incidents.len(), shown), (INCIDENTS, vec!["disk x1 a.log:1".to_owned(), last, first]));
    }
}
