use crate::testing::{Args, Lamps, OPEN_SESSIONS, RACES, WARMING, args, lit, run};
use crate::{Kind, Outcome};

use super::Ended;

/// Runs to the end, or until `signal` ends, on this thread; every session that was opened must be closed.
fn ended(args: &Args, check: bool, signal: impl Future<Output = &'static str>) -> Ended<Lamps> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let ended = runtime.block_on(super::run::<Lamps>(args, &run(check), signal));
    assert_eq!(OPEN_SESSIONS.get(), 0, "sessions left open");
    ended
}

fn never() -> impl Future<Output = &'static str> {
    std::future::pending()
}

fn told(outcome: &Outcome<Lamps>) -> (bool, Option<Kind>, Option<bool>) {
    (outcome.changed, outcome.error.as_ref().map(|error| error.kind), outcome.after)
}

/// The report for each lamp, and whether the lamp is on afterwards.
#[test]
fn what_is_said_is_what_happened() {
    let cases = [
        ("good", (true, None, Some(true)), true),
        // The server accepts and does nothing.
        ("ignored", (false, Some(Kind::Fault), Some(false)), false),
        ("broken", (false, Some(Kind::Fault), Some(false)), false),
        // An error after the change: the change is reported.
        ("half", (true, Some(Kind::Fault), Some(true)), true),
        ("unreadable", (false, Some(Kind::Permission), None), false),
        // Somebody else did it.
        ("helped", (false, None, Some(true)), true),
    ];
    for (lamp, expected, really) in cases {
        let ended = ended(&args(&[lamp]), false, never());
        assert_eq!((told(&ended.outcomes[0]), lit(lamp)), (expected, really), "{lamp}");
    }
}

#[test]
fn a_second_run_finds_nothing_to_do() {
    assert!(ended(&args(&["good"]), false, never()).outcomes[0].changed);
    assert!(!ended(&args(&["good"]), false, never()).outcomes[0].changed);
}

#[test]
fn what_is_waited_for_is_no_change_and_is_warned_of_only_if_it_did_not_come() {
    for (lamp, warns) in [("good", false), ("dim", true)] {
        crate::testing::LIT.with_borrow_mut(|lit| lit.insert(lamp.to_owned(), true));
        WARMING.set(true);
        assert_eq!(ended(&args(&[lamp]), true, never()).outcomes[0].warnings.len(), 1, "a check run does not wait");
        let outcome = &ended(&args(&[lamp]), false, never()).outcomes[0];
        assert_eq!((told(outcome), outcome.warnings.len()), ((false, None, Some(true)), usize::from(warns)), "{lamp}");
    }
}

#[test]
fn a_check_run_says_the_same_and_does_nothing() {
    let checked = ended(&args(&["good"]), true, never());
    assert_eq!((told(&checked.outcomes[0]), lit("good")), ((true, None, Some(true)), false));
}

#[test]
fn what_stands_in_the_way_stops_a_run_and_warns_a_check_run() {
    let dark = Args { house: Some("dark".to_owned()), ..args(&["good"]) };
    let real = ended(&dark, false, never());
    assert_eq!((told(&real.outcomes[0]), lit("good")), ((false, Some(Kind::Conflict), None), false));
    assert_eq!(real.outcomes[0].error.as_ref().unwrap().message(), "the main fuse is out. Put it in.");
    let checked = ended(&dark, true, never());
    assert!(
        checked.outcomes[0].changed && checked.outcomes[0].warnings[0].contains("the main fuse is out. Put it in.")
    );
}

#[test]
fn a_race_is_run_again_and_not_for_ever() {
    for (races, expected) in [(0, None), (20, None), (1000, Some(Kind::Conflict))] {
        RACES.set(races);
        let outcome = &ended(&args(&["contested"]), false, never()).outcomes[0];
        assert_eq!(outcome.error.as_ref().map(|error| error.kind), expected, "{races} races");
        crate::testing::LIT.with_borrow_mut(std::collections::BTreeMap::clear);
    }
}

#[test]
fn what_somebody_else_did_is_no_difference_of_this_run() {
    let outcome = &ended(&args(&["helped"]), false, never()).outcomes[0];
    assert_eq!((outcome.before, outcome.after, outcome.changed), (Some(true), Some(true), false));
}

#[test]
fn what_a_round_wrote_is_told_when_a_later_one_fails() {
    for (races, changed) in [(0, false), (1, true)] {
        RACES.set(races);
        let outcome = &ended(&args(&["limping"]), false, never()).outcomes[0];
        assert_eq!(told(outcome), (changed, Some(Kind::Fault), Some(false)), "{races} races");
    }
}

#[test]
fn one_target_that_fails_hides_none_of_the_others() {
    let names: Vec<String> = (0..40).map(|number| format!("lamp{number}")).collect();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names[7] = "broken";
    let ended = ended(&args(&names), false, never());
    for (outcome, name) in ended.outcomes.iter().zip(&names) {
        assert_eq!(outcome.target.as_str(), *name);
        assert_eq!(outcome.changed, *name != "broken");
    }
}

#[test]
fn a_panic_is_a_result() {
    let ended = ended(&args(&["panics", "good"]), false, never());
    assert!(ended.error.is_none(), "the run went on");
    // It panicked while it wrote: how far it came is not known.
    assert_eq!(told(&ended.outcomes[0]), (true, Some(Kind::Internal), Some(false)));
    assert_eq!(told(&ended.outcomes[1]), (true, None, Some(true)), "the other target is none the worse");
}

#[test]
fn a_signal_ends_the_run_and_what_was_done_is_told() {
    let soon = || async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        "SIGTERM"
    };
    // If the run ends during a change, the server may or may not continue with it.
    for (lamp, lit) in [("slow", true), ("never", false)] {
        let ended = ended(&args(&["good", lamp]), false, soon());
        let error = ended.error.unwrap();
        assert_eq!(error.kind, Kind::Interrupted);
        assert!(error.detail.contains("SIGTERM") && error.detail.contains("during a change"), "{}", error.detail);
        assert_eq!(told(&ended.outcomes[1]), (true, Some(Kind::Interrupted), Some(lit)), "{lamp}");
    }
}

#[test]
fn a_signal_is_told_with_what_was_done_until_then() {
    let soon = || async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        "SIGTERM"
    };
    let (nothing, made) = ("before anything was written", "after the change was made and before it was verified");
    for (lamps, says, says_of_last) in [
        (vec!["good", "unheard"], "after a part of the change was made", nothing),
        (vec!["unverified", "unheard"], "after a part of the change was made", nothing),
        (vec!["good", "unverified"], made, made),
        (vec!["unverified"], made, made),
        (vec!["lit", "unheard"], nothing, nothing),
    ] {
        crate::testing::LIT.set([("lit".to_owned(), true)].into());
        let ended = ended(&args(&lamps), false, soon());
        let detail = ended.error.unwrap().detail;
        assert!(detail.contains(says), "{lamps:?}: {detail}");
        let last = ended.outcomes.last().unwrap();
        assert_eq!(last.changed, says_of_last == made, "{lamps:?}");
        // The message covers this target only, not writes to others.
        assert!(last.error.as_ref().unwrap().detail.contains(says_of_last), "{lamps:?}");
    }
}

#[test]
fn a_write_whose_end_was_not_seen_is_looked_for() {
    let cases = [
        // It never shows: it may still come.
        ("unsettled", (true, Some(Kind::Timeout), Some(false))),
        ("late", (true, None, Some(true))),
        // A refused write changed nothing, even if another client made a change meanwhile.
        ("refused", (false, Some(Kind::Permission), Some(true))),
        ("occupied", (false, Some(Kind::Conflict), None)),
    ];
    for (lamp, expected) in cases {
        let outcome = &ended(&args(&[lamp]), false, never()).outcomes[0];
        assert_eq!(told(outcome), expected, "{lamp}");
    }
}

#[test]
fn a_session_that_cannot_be_opened_is_the_failure() {
    let ended = ended(&args(&["unreachable"]), false, never());
    assert_eq!(ended.error.unwrap().kind, Kind::Connection);
    assert!(ended.outcomes.is_empty());
}

/// A run looks again until its time is over, and its message names that time.
#[test]
fn a_wait_lasts_as_long_as_it_says() {
    for (lamp, seconds, says) in [
        ("occupied", 60, "somebody is at it; this had not changed after 60 s"),
        ("unsettled", 10, "it takes long; unsettled was still as before when it was last read"),
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let (took, ended) = runtime.block_on(async {
            let began = tokio::time::Instant::now();
            let ended = super::run::<Lamps>(&args(&[lamp]), &run(false), never()).await;
            (began.elapsed(), ended)
        });
        assert_eq!((took.as_millis() + 500) / 1000, seconds, "{lamp}");
        let error = ended.outcomes[0].error.as_ref().unwrap();
        assert!(error.detail.contains(says), "{lamp}: {}", error.detail);
    }
}
