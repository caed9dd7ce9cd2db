//! The keys of a scenario file that speak of what surrounds the simulation: receivers and
//! the load test. They are checked; nothing here acts on them.

use toml::de::DeValue;

use super::fields::{Fields, List, Table};
use super::kinds::{Choice, Either, Integer, Number, OneOf};
use super::times::{ANY_DURATION, Duration, LONGEST, Rate, SECOND};
use crate::sim::time::SimDuration;

pub(super) fn audience(f: &mut Fields<'_>) {
    f.optional("sessions", "how many connections", Integer(0..=10_000_000));
    f.optional("follow", "which share of them follows what", Table(follow));
}

fn follow(f: &mut Fields<'_>) {
    let topics = [
        ("delivery", "one delivery each"),
        ("drone", "one drone each"),
        ("hub", "one hub each"),
        ("area", "a piece of the map"),
        ("fleet", "the fleet's counts"),
        ("events", "every lifecycle event"),
    ];
    let shares = topics.map(|(topic, doc)| f.optional(topic, doc, Number(0.0..=1.0)));
    let sum: f64 = shares.iter().flatten().map(|share| share.value).sum();
    let span = f.span();
    if sum > 1.0 + 1e-9 {
        f.log().error(
            &span,
            format!("the shares of `follow` add up to {sum}"),
            "let them add up to 1 at most",
        );
    }
}

pub(super) fn load(f: &mut Fields<'_>) {
    f.optional("warmup", "time before anything is measured", ANY_DURATION);
    f.optional(
        "drain",
        "time to wait for what is still under way at the end",
        ANY_DURATION,
    );
    f.required(
        "stages",
        "rates one after another",
        List {
            of: Table(stage),
            at_least: 1,
        },
    );
}

fn stage(f: &mut Fields<'_>) {
    let span_of_time = || Duration(SimDuration(1_000)..=LONGEST);
    f.optional("rate", "a steady rate, held for `for`", Rate);
    f.optional("for", "how long a steady rate is held", span_of_time());
    f.optional(
        "to",
        "a rate that is reached in a straight line over `over`",
        Rate,
    );
    f.optional("over", "how long the way to it takes", span_of_time());
    let span = f.span();
    let given = ["rate", "for", "to", "over"].map(|key| f.has(key));
    let steady = given == [true, true, false, false];
    let ramp = given == [false, false, true, true];
    if !steady && !ramp {
        f.log().missing(
            &span,
            "a stage of `load` is neither steady nor a ramp",
            "write { rate = \"200/s\", for = \"30s\" } or { to = \"2000/s\", over = \"60s\" }",
        );
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Objective {
    Latency,
    Share,
}

pub(super) fn slo(f: &mut Fields<'_>) {
    let op = f.required(
        "op",
        "what is measured",
        Choice(&[
            ("accept", Objective::Latency),
            ("schedule", Objective::Latency),
            ("deliver", Objective::Latency),
            ("frame", Objective::Latency),
            ("errors", Objective::Share),
            ("late_start", Objective::Share),
        ]),
    );
    f.optional(
        "quantile",
        "which share of the measurements must be within `max`",
        Number(0.0..=1.0),
    );
    let limit = Either {
        first: Duration(SimDuration(1)..=SimDuration(24 * 3_600 * SECOND)),
        takes_first: |value: &DeValue<'_>| matches!(value, DeValue::String(_)),
        second: Number(0.0..=1.0),
    };
    let max = f.required(
        "max",
        "the most that is fine: a duration, or a share for errors and late starts",
        limit,
    );
    let (Some(op), Some(max)) = (op, max) else { return };
    let fits = matches!(
        (op.value, &max.value),
        (Objective::Latency, OneOf::First(_)) | (Objective::Share, OneOf::Second(_))
    );
    if !fits {
        f.log().error(
            &max.span,
            "`max` does not suit its `op`",
            "give a duration like \"50ms\", and for errors and late_start a share like 0.001",
        );
    }
}
