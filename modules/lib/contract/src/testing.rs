//! A module for this crate's own tests: lamps that are switched on and off, some of them faulty.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    About, Applied, Arguments, Change, Close, Context, Error, Kind, Module, Observed, Outcome, Plan, Progress, Rule,
    Run, Scalar, Write,
};

thread_local! {
    /// The lamps that are on.
    pub static LIT: RefCell<BTreeMap<String, bool>> = RefCell::default();
    /// The number of times that another client is faster.
    pub static RACES: Cell<u32> = const { Cell::new(0) };
    /// True if lamps that are on still get brighter.
    pub static WARMING: Cell<bool> = const { Cell::new(false) };
    /// The number of reads before the lamp `late` shows that it is on.
    pub static SHOWS_LATE: Cell<u32> = const { Cell::new(0) };
    pub static OPEN_SESSIONS: Cell<i32> = const { Cell::new(0) };
}

pub fn lit(lamp: &str) -> bool {
    LIT.with_borrow(|lit| lit.get(lamp).copied().unwrap_or_default())
}

fn switch(lamp: &str, on: bool) {
    LIT.with_borrow_mut(|lit| lit.insert(lamp.to_owned(), on));
}

#[derive(Debug, Deserialize, JsonSchema)]
#[allow(dead_code)] // some are only there to be understood
pub struct Args {
    /// Names of the lamps. The name says what is wrong with a lamp.
    pub lamps: Vec<String>,
    /// Whether they are on.
    #[serde(default)]
    pub on: bool,
    /// Who switches them.
    #[schemars(extend("x-env" = "LAMP_USER", "x-aliases" = ["login", "who"]), length(min = 1))]
    pub user: String,
    /// The user's word.
    #[schemars(extend("writeOnly" = true))]
    pub password: Option<String>,
    /// Brightness.
    #[schemars(range(min = 1, max = 10))]
    pub brightness: Option<u8>,
    /// Where.
    pub room: Option<String>,
    /// Where else.
    pub house: Option<String>,
    /// Colours.
    #[serde(default)]
    pub colours: BTreeMap<String, Scalar>,
}

impl Arguments for Args {
    const RULES: &'static [Rule] = &[
        Rule::AtMostOne(&["room", "house"]),
        Rule::Needs("brightness", "room"),
        Rule::AtMostOne(&["colours", "brightness"]),
    ];

    // Says again what RULES say, as modules do whose rules depend on the arguments.
    fn rules(given: &Map<String, Value>) -> Vec<Rule> {
        let mut rules = vec![Rule::AtMostOne(&["room", "house"])];
        if given.get("room") == Some(&json!("vault")) {
            rules.push(Rule::Required(&["password"]));
        }
        rules
    }

    fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.room.as_deref() == Some("vault") && self.password.as_ref().is_none_or(|word| word.len() < 8) {
            problems.push("`password`: the vault wants 8 characters".to_owned());
        }
        if self.lamps.is_empty() {
            problems.push("`lamps`: give at least one".to_owned());
        }
        problems
    }
}

#[derive(Debug)]
pub struct Session;

impl Close for Session {
    async fn close(&self) {
        OPEN_SESSIONS.set(OPEN_SESSIONS.get() - 1);
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Switch {
    switch: Option<bool>,
    /// It is on, and not bright yet.
    warms_up: bool,
}

impl Observed for bool {
    fn view(&self) -> Value {
        json!({ "lit": self })
    }
}

impl Change for Switch {
    type Observed = bool;

    fn is_empty(&self) -> bool {
        self.switch.is_none()
    }
    fn waits(&self) -> bool {
        self.warms_up
    }
    fn predict(&self, lit: &bool) -> bool {
        self.switch.unwrap_or(*lit)
    }
}

#[derive(Default, Serialize, JsonSchema)]
pub struct Report {
    /// How many lamps were looked at.
    pub lamps: usize,
}

pub struct Lamps;

impl Module for Lamps {
    const ABOUT: About = About {
        name: "lamps",
        summary: "Lamps are on or off",
        description: &["Switches lamps."],
        examples: "- name: Light\n  lamps:\n    lamps: [hall]\n",
        sample: r#"{"lamps": 1}"#,
        example: r#"{"lamps": ["hall"]}"#,
    };

    type Args = Args;
    type Session = Session;
    type Target = String;
    type Observed = bool;
    type Change = Switch;
    type Report = Report;

    async fn open(args: &Args, _: &Run) -> Result<Session, Error> {
        if args.lamps.iter().any(|lamp| lamp == "unreachable") {
            return Err(Error::new(Kind::Connection, "no answer"));
        }
        OPEN_SESSIONS.set(OPEN_SESSIONS.get() + 1);
        Ok(Session)
    }

    async fn targets(args: &Args, _: &Session) -> Result<Vec<String>, Error> {
        Ok(args.lamps.clone())
    }

    async fn observe(at: Context<'_, Self>, _: Option<&bool>) -> Result<bool, Error> {
        match at.target.as_str() {
            "unheard" => std::future::pending().await,
            "unverified" if lit("unverified") => std::future::pending().await,
            "late" if SHOWS_LATE.get() > 0 => {
                SHOWS_LATE.set(SHOWS_LATE.get() - 1);
                Ok(false)
            }
            "unreadable" => Err(Error::new(Kind::Permission, "it cannot be read")),
            lamp => Ok(lit(lamp)),
        }
    }

    fn plan(args: &Args, lit: &bool) -> Result<Plan<Switch>, Error> {
        let warms_up = *lit && WARMING.get();
        let mut plan = Plan::from(Switch { switch: (*lit != args.on).then_some(args.on), warms_up });
        if warms_up {
            plan.warnings.push("it is not bright yet".to_owned());
        }
        if args.house.as_deref() == Some("dark") {
            plan.blockers.push((Kind::Conflict, "the main fuse is out".to_owned(), Some("Put it in.".to_owned())));
        }
        Ok(plan)
    }

    async fn apply(at: Context<'_, Self>, _: &bool, change: &Switch) -> Result<Applied, Error> {
        let lamp = at.target;
        let on = change.switch == Some(true);
        let broken = || Err(Error::new(Kind::Fault, "it is broken"));
        match lamp.as_str() {
            "ignored" => {}
            // A part is written that the state does not show, then it breaks.
            "limping" if RACES.get() > 0 => {
                RACES.set(RACES.get() - 1);
                return Ok(Applied::Stale { wrote: true });
            }
            "broken" | "limping" => return broken(),
            "unsettled" => return Err(Error::new(Kind::Timeout, "it takes long").unsettled()),
            "late" => {
                SHOWS_LATE.set(3);
                switch(lamp, on);
                return Err(Error::new(Kind::Timeout, "it takes long").unsettled());
            }
            "refused" => {
                switch(lamp, on);
                return Err(Error::new(Kind::Permission, "not yours").write(Write::Refused));
            }
            "occupied" => {
                return Ok(Applied::Busy { wrote: false, error: Error::new(Kind::Conflict, "somebody is at it") });
            }
            "half" => {
                switch(lamp, on);
                return broken();
            }
            "panics" => panic!("hunter2 fell into the lamp"),
            "slow" => {
                switch(lamp, on);
                std::future::pending::<()>().await;
            }
            "never" => std::future::pending::<()>().await,
            "contested" if RACES.get() > 0 => {
                RACES.set(RACES.get() - 1);
                return Ok(Applied::Stale { wrote: false });
            }
            "helped" => {
                switch(lamp, on);
                return Ok(Applied::Stale { wrote: false });
            }
            _ => switch(lamp, on),
        }
        Ok(Applied::Done)
    }

    async fn verify(at: Context<'_, Self>, lit: &bool, change: &Switch) -> Result<bool, Error> {
        if change.warms_up && at.target != "dim" {
            WARMING.set(false);
        }
        let now = Self::observe(at, Some(lit)).await?;
        if now == at.args.on { Ok(now) } else { Err(change.unapplied()) }
    }

    fn label(lamp: &String, _: Option<&bool>) -> String {
        lamp.clone()
    }

    fn report(_: &Args, outcomes: &[Outcome<Self>]) -> Report {
        Report { lamps: outcomes.len() }
    }

    fn message(_: &Args, _: &Report, _: &[Outcome<Self>], _: &Run) -> String {
        "done".to_owned()
    }
}

pub fn args(lamps: &[&str]) -> Args {
    Args {
        lamps: lamps.iter().map(|lamp| (*lamp).to_owned()).collect(),
        on: true,
        user: "me".to_owned(),
        password: None,
        brightness: None,
        room: None,
        house: None,
        colours: BTreeMap::new(),
    }
}

pub fn run(check: bool) -> Run {
    Run::new(check, true, false, 0, Progress::silent())
}
