use contract::Kind;
use vsphere::Version;

use crate::args::{Encryption, State, Wish};
use crate::plan::{Step, plan};
use crate::state::Observed;
use crate::testing::{encrypting, observed, wish};

/// The encryption is set first of all, and only while Fault Tolerance is off.
#[test]
fn encryption_is_set_before_fault_tolerance_is_turned_on() {
    use Encryption::{Disabled, Opportunistic, Required};
    let table = [
        // Current mode and state; wanted mode and state; the steps, or words of the error.
        (Opportunistic, "notConfigured", Required, State::Present, Ok(vec![Step::Encrypt(Required), Step::Create])),
        (Required, "notConfigured", Required, State::Present, Ok(vec![Step::Create])),
        (
            Opportunistic,
            "notConfigured",
            Disabled,
            State::Suspended,
            Ok(vec![Step::Encrypt(Disabled), Step::Create, Step::Disable]),
        ),
        (Required, "running", Required, State::Present, Ok(vec![])),
        (Disabled, "disabled", Disabled, State::Present, Ok(vec![Step::Enable])),
        (Opportunistic, "running", Required, State::Present, Err("is opportunistic, and can only change to required")),
        (Opportunistic, "disabled", Required, State::Suspended, Err("`state: absent`")),
        // Not part of turning it off.
        (Opportunistic, "running", Required, State::Absent, Ok(vec![Step::TurnOff])),
        (Opportunistic, "notConfigured", Required, State::Absent, Ok(vec![])),
    ];
    for (now, state, wanted, goal, expected) in table {
        let seen = encrypting(now, observed(state, "poweredOn"));
        let planned = plan(Wish { encryption: Some(wanted), ..wish(goal) }, &seen);
        match (&planned, &expected) {
            (Ok(plan), Ok(steps)) => assert_eq!(&plan.change.steps, steps, "{wanted:?} from {now:?}, {state}"),
            (Err(error), Err(words)) => assert!(error.message().contains(words), "{}", error.message()),
            _ => panic!("{wanted:?} from {now:?}, {state}: {planned:?}"),
        }
    }
}

#[test]
fn encryption_needs_a_release_that_has_it() {
    let required = Wish { encryption: Some(Encryption::Required), ..wish(State::Present) };
    for (host, server, has_it) in [
        ("6.7.0", "6.7", false),
        ("7.0.0", "7.0.0.0", false),
        ("6.7.0", "7.0.2.0", false),
        ("7.0.2", "7.0.2.0", true),
        ("8.0.3", "8.0.0.0", true),
    ] {
        let seen = Observed {
            spoken: Version::parse(server),
            host_version: Version::parse(host),
            ..encrypting(Encryption::Opportunistic, observed("notConfigured", "poweredOff"))
        };
        match plan(required, &seen) {
            Ok(plan) => {
                assert!(has_it && plan.change.steps[0] == Step::Encrypt(Encryption::Required), "{host}, {server}");
            }
            Err(error) => {
                assert!(!has_it && error.kind == Kind::Unsupported, "{host}, {server}: {}", error.message());
                for words in ["7.0 Update 2 (API 7.0.2.0)", host, server] {
                    assert!(error.message().contains(words), "{}", error.message());
                }
            }
        }
        // Without the wish, every release is supported.
        assert!(plan(wish(State::Present), &seen).is_ok());
    }
}

/// An encrypted virtual machine has one mode, whether Fault Tolerance is on or off.
#[test]
fn an_encrypted_machine_is_always_required() {
    use Encryption::{Disabled, Opportunistic, Required};
    for state in ["notConfigured", "running"] {
        let seen = Observed { encrypted: true, ..encrypting(Required, observed(state, "poweredOn")) };
        for wanted in [Disabled, Opportunistic, Required] {
            let planned = plan(Wish { encryption: Some(wanted), ..wish(State::Present) }, &seen);
            match planned {
                Ok(plan) => assert!(wanted == Required && !plan.change.steps.contains(&Step::Encrypt(wanted))),
                Err(error) => {
                    assert!(wanted != Required && error.message().contains("is an encrypted virtual machine"));
                }
            }
        }
    }
}
