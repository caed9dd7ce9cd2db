//! `[separation]`: how far drones must be apart, and how that is seen to.

use super::diagnostic::{At, Log};
use super::fields::{Fields, List, defaults_of};
use super::kinds::{Choice, Number};
use super::times::{Duration, SECOND};
use crate::sim::separation::{Means, Rules, Strategic};
use crate::sim::time::SimDuration;

/// What `[separation]` means where it is left out: each of its keys' default.
pub(super) fn default() -> Rules {
    defaults_of(separation)
}

const MEANS: Choice<Means> = Choice(&[
    ("level", Means::Level),
    ("slow", Means::Slow),
    ("hold", Means::Hold),
]);

pub(super) fn separation(f: &mut Fields<'_>) -> Rules {
    Rules {
        horizontal_m: f
            .or(
                "horizontal",
                "two drones lose separation where they are closer than this over the ground, m, and than `vertical` in height",
                Number(1.0..=1_000.0),
                "50.0",
            )
            .value,
        vertical_m: f
            .or("vertical", "how far apart in height is far enough, m", Number(1.0..=200.0), "15.0")
            .value,
        terminal_m: f
            .or(
                "terminal",
                "radius of the volume around each hub in which losses are counted apart, m",
                Number(0.0..=5_000.0),
                "150.0",
            )
            .value,
        look_ahead: f
            .or(
                "look_ahead",
                "so far ahead losses are predicted: each is a conflict",
                Duration(SimDuration(SECOND)..=SimDuration(120 * SECOND)),
                "\"20s\"",
            )
            .value,
        tactical: f
            .optional(
                "tactical",
                "by what drones make way for each other in the air, the first that works: \"level\", \"slow\", \"hold\"; by nothing where it is left out",
                List { of: MEANS, at_least: 0 },
            )
            .map_or_else(Vec::new, |at| each_once(at.value, f.log())),
        strategic: f
            .or(
                "strategic",
                "whether take-offs are put off until nobody's planned flight is in their way",
                Choice(&[("none", Strategic::None), ("ground_delay", Strategic::GroundDelay)]),
                "\"none\"",
            )
            .value,
    }
}

/// What is named a second time would not be tried again.
fn each_once(named: Vec<At<Means>>, log: &mut Log) -> Vec<Means> {
    let mut means = Vec::new();
    for At { value, span } in named {
        if means.contains(&value) {
            let remedy = "name each means once, the one to be tried first at the front";
            log.warn(&span, "`tactical` names this twice", remedy);
        } else {
            means.push(value);
        }
    }
    means
}
