//! `[load]`: the load that `skyhaul load` makes, stage by stage.

use std::time::Duration as Span;

use super::audience::span;
use super::diagnostic::At;
use super::fields::{Fields, List, Table};
use super::kinds::{Choice, Integer, Text};
use super::times::{ANY_DURATION, Duration, LONGEST, Rate};
use crate::sim::time::SimDuration;

/// What is asked of a server, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Goes before the stages, as the first of them begins, and is not measured.
    pub warmup: Span,
    /// So long what is still under way at the end is waited for.
    pub drain: Span,
    pub model: Model,
    pub arrivals: Arrivals,
    /// Connections for requests, at most: so many can be under way at once.
    pub connections: usize,
    /// A request without an answer so long after it was due is given up.
    pub timeout: Span,
    /// Accounts that are made before, and order by turns; 0 where the scenario's own do.
    pub accounts: usize,
    pub stages: Vec<Stage>,
}

/// Who decides when the next request begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Model {
    /// The timetable, whatever the answers do. Stages count requests a second.
    Open,
    /// Each user, this long after the last answer. Stages count users.
    Closed { think: Span },
}

/// How a timetable is spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    Even,
    /// As people come who do not know of each other.
    Poisson,
}

/// A stretch of the test in which requests a second, or users, go from one number to
/// another in a straight line.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub name: String,
    pub lasts: Span,
    pub from: f64,
    pub to: f64,
}

const MOST_USERS: u64 = 100_000;

/// `None` where a stage is wrong.
pub(super) fn load(f: &mut Fields<'_>) -> Option<Load> {
    let warmup = f.or(
        "warmup",
        "time before anything is measured, in which the load is that of the first stage's beginning (a tenth of what it rises to from nothing)",
        ANY_DURATION,
        "\"0s\"",
    );
    let drain = f.or(
        "drain",
        "time to wait for what is still under way at the end",
        ANY_DURATION,
        "\"10s\"",
    );
    let arrivals = f.or(
        "arrivals",
        "how requests of a rate are spaced",
        Choice(&[("even", Arrivals::Even), ("poisson", Arrivals::Poisson)]),
        "\"even\"",
    );
    let think = f.or(
        "think",
        "how long a user waits after an answer, where stages count users",
        ANY_DURATION,
        "\"0s\"",
    );
    let connections = f.or(
        "connections",
        "the most requests that can be under way at once; more wait for their turn, from when they were due",
        Integer(1..=60_000),
        "2000",
    );
    let timeout = f.or(
        "timeout",
        "a request without an answer so long after it was due is given up",
        Duration(SimDuration(1_000)..=LONGEST),
        "\"10s\"",
    );
    let accounts = f.or(
        "accounts",
        "accounts that are made before the test, and order by turns; without them the scenario's own customers do",
        Integer(0..=100_000),
        "0",
    );
    let stages = f.required(
        "stages",
        "what is asked for, one stage after another",
        List {
            of: Table(stage),
            at_least: 1,
        },
    );
    let (is_closed, stages) = in_line(f, &stages?.value)?;
    let think = span(think.value);
    let count = |number: At<u64>| usize::try_from(number.value).unwrap_or(usize::MAX);
    Some(Load {
        warmup: span(warmup.value),
        drain: span(drain.value),
        model: if is_closed {
            Model::Closed { think }
        } else {
            Model::Open
        },
        arrivals: arrivals.value,
        connections: count(connections),
        timeout: span(timeout.value),
        accounts: count(accounts),
        stages,
    })
}

/// One stage as it is written.
struct Written {
    name: Option<At<String>>,
    lasts: SimDuration,
    aim: Aim,
    is_ramp: bool,
}

#[derive(Clone, Copy)]
enum Aim {
    Rate(f64),
    Users(u64),
}

fn stage(f: &mut Fields<'_>) -> Option<Written> {
    let span_of_time = || Duration(SimDuration(1_000)..=LONGEST);
    let name = f.optional(
        "name",
        "what reports and `[[slo]]` call it; its number otherwise",
        Text,
    );
    let rate = f.optional("rate", "a steady rate, held for `for`", Rate);
    let users = f.optional(
        "users",
        "users who each wait for their answer before they ask again: held for `for`, or reached over `over`",
        Integer(0..=MOST_USERS),
    );
    let hold = f.optional("for", "how long a steady load is held", span_of_time());
    let to = f.optional(
        "to",
        "a rate that is reached in a straight line over `over`",
        Rate,
    );
    let over = f.optional("over", "how long the way to it takes", span_of_time());
    let whole = f.span();
    let given = ["rate", "to", "users", "for", "over"].map(|key| f.has(key));
    match given {
        [true, false, false, true, false]
        | [false, true, false, false, true]
        | [false, false, true, true, false]
        | [false, false, true, false, true] => {}
        _ => {
            f.log().missing(
                &whole,
                "a stage of `load` is neither steady nor a ramp",
                "write { rate = \"200/s\", for = \"30s\" } or { to = \"2000/s\", over = \"60s\" }, or for users { users = 40, for = \"30s\" } or { users = 40, over = \"60s\" }",
            );
            return None;
        }
    }
    let rate = rate.or(to).map(|rate| Aim::Rate(rate.value));
    let users = users.map(|users| Aim::Users(users.value));
    Some(Written {
        name,
        is_ramp: given[4],
        lasts: hold.or(over)?.value,
        aim: rate.or(users)?,
    })
}

/// Each ramp begins where the stage before it ended. Tells too whether they count users.
fn in_line(f: &mut Fields<'_>, written: &[At<Option<Written>>]) -> Option<(bool, Vec<Stage>)> {
    let mut stages = Vec::new();
    let (mut last, mut first_counts_users) = (0.0, None);
    for (number, at) in (1..).zip(written) {
        let stage = at.value.as_ref()?;
        let (counts_users, aim) = match stage.aim {
            Aim::Rate(rate) => (false, rate),
            Aim::Users(users) => (true, users as f64),
        };
        if *first_counts_users.get_or_insert(counts_users) != counts_users {
            f.log().error(
                &at.span,
                "some stages of `load` are rates, and some count users",
                "give all of them `rate` or `to`, or all of them `users`",
            );
            return None;
        }
        let given = stage.name.as_ref();
        let name = given.map_or_else(|| number.to_string(), |name| name.value.clone());
        if stages.iter().any(|earlier: &Stage| earlier.name == name) {
            f.log().error(
                given.map_or(&at.span, |name| &name.span),
                format!("two stages of `load` have the name \"{name}\""),
                "give each a name of its own; a stage without one has its number",
            );
            return None;
        }
        stages.push(Stage {
            name,
            lasts: span(stage.lasts),
            from: if stage.is_ramp { last } else { aim },
            to: aim,
        });
        last = aim;
    }
    if stages.iter().all(|stage| stage.from == 0.0 && stage.to == 0.0) {
        let whole = f.span();
        f.log().error(
            &whole,
            "no stage of `load` asks for anything",
            "give one a rate, or users, above 0",
        );
        return None;
    }
    Some((first_counts_users?, stages))
}
