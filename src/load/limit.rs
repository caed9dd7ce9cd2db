//! How much a target can take: the load grows level by level until an objective is missed, or
//! the target falls behind what is asked of it; then the last step is halved.
//!
//! Each level is a test of its own, with a warm-up in which it settles, and begins when what
//! the last one left is scheduled, or its drain is over.

use std::pin::pin;
use std::time::Duration;

use serde::Serialize;

use super::conduct::conduct;
use super::monitor::{Progress, Stopped};
use super::record::Op;
use super::scaling::{Estimate, Fit, Level, NoFit};
use super::summary::Outcome;
use super::target::Dial;
use super::{Plan, Trouble};
use crate::scenario::{Load, Model, Stage};

/// Each level settles for so long, and is then measured.
const SETTLE: Duration = Duration::from_secs(3);
const HOLD: Duration = Duration::from_secs(8);
const DRAIN: Duration = Duration::from_secs(10);
/// From one level to the next, as long as they hold.
const GROWTH: f64 = 1.5;
/// So often the step that broke is halved.
const HALVINGS: u32 = 3;
const MOST_LEVELS: usize = 24;
/// So often a level is tried once more at which the generator itself gave out.
const AGAIN: u32 = 1;
/// A target that accepts, or schedules, less than this share has fallen behind.
const KEEPS_UP: f64 = 0.95;
/// Left of the highest load that held, for what no test foresees.
const SAFE_SHARE: f64 = 0.7;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Requests a second that held; null where none did.
    pub held_per_second: Option<f64>,
    /// The lowest that did not, and why; null where the search ended before.
    pub broke_per_second: Option<f64>,
    pub why: Option<String>,
    /// What seems to have given out at that level.
    pub gave_out: Option<String>,
    /// Left of the knee, where there is one, and of what held.
    pub safe_per_second: Option<f64>,
    /// The Universal Scalability Law over the levels that held; null where it does not fit.
    pub fit: Option<Fitted>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_fit: Option<String>,
    pub levels: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    pub asked_per_second: f64,
    pub accepted_per_second: f64,
    /// Null where deliveries are not followed.
    pub scheduled_per_second: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    /// Requests under way on average: throughput times the mean time (Little's law).
    pub concurrency: Option<f64>,
    /// Of one processor.
    pub target_cpu_share: Option<f64>,
    /// Null where it held.
    pub broke: Option<String>,
}

/// The law's parameters, and what follows from them, with 95 % intervals.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fitted {
    pub alone_per_second: f64,
    pub contention: f64,
    pub coherency: f64,
    pub r_squared: f64,
    pub knee_per_second: Interval,
    /// Null where throughput only comes closer to a limit.
    pub peak_per_second: Option<Interval>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl From<Estimate> for Interval {
    fn from(Estimate { value, low, high }: Estimate) -> Self {
        Interval { value, low, high }
    }
}

impl From<Fit> for Fitted {
    fn from(fit: Fit) -> Self {
        Fitted {
            alone_per_second: fit.law.alone_per_s,
            contention: fit.law.contention,
            coherency: fit.law.coherency,
            r_squared: fit.r_squared,
            knee_per_second: fit.knee.into(),
            peak_per_second: fit.peak.map(Interval::from),
        }
    }
}

/// Levels that did not hold were in no steady state.
fn fit(levels: &[Step]) -> Result<Fit, NoFit> {
    let held = levels.iter().filter(|level| level.broke.is_none());
    let held: Vec<Level> = held
        .filter_map(|level| {
            Some(Level {
                concurrency: level.concurrency?,
                throughput_per_s: level.accepted_per_second,
            })
        })
        .collect();
    Fit::of(&held)
}

/// Which rate is tried next.
#[derive(Debug)]
struct Search {
    next: f64,
    held: Option<f64>,
    broke: Option<f64>,
    halvings: u32,
    levels: usize,
}

impl Search {
    fn from(rate: f64) -> Self {
        Search {
            next: rate,
            held: None,
            broke: None,
            halvings: 0,
            levels: 0,
        }
    }

    /// `None` when enough is known.
    fn next(&mut self) -> Option<f64> {
        /// Nobody asks for less.
        const LEAST: f64 = 0.5;
        let is_over = self.levels == MOST_LEVELS || self.halvings > HALVINGS || self.next < LEAST;
        self.levels += 1;
        (!is_over).then_some(self.next)
    }

    fn heard(&mut self, rate: f64, holds: bool) {
        let place = if holds { &mut self.held } else { &mut self.broke };
        *place = Some(rate);
        self.next = match (self.held, self.broke) {
            (Some(held), Some(broke)) => {
                self.halvings += 1;
                (held * broke).sqrt()
            }
            (Some(held), None) => held * GROWTH,
            (None, _) => rate / 2.0,
        };
    }
}

/// Searches over any connection, in a `LocalSet`. The outcome is that of the highest level that
/// held, or of the last one where none did.
///
/// # Errors
/// Why it cannot begin.
pub async fn find<D: Dial>(
    plan: &Plan,
    dial: D,
    stop: impl Future<Output = ()>,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Result<Outcome, Trouble> {
    let first = plan
        .load
        .stages
        .first()
        .map_or(0.0, |stage| stage.from.max(stage.to));
    if plan.load.model != Model::Open || first <= 0.0 {
        return Err(Trouble::NoRates);
    }
    let mut stop = pin!(stop);
    let mut search = Search::from(first);
    let (mut levels, mut best, mut broken): (Vec<Step>, Option<Outcome>, Option<Outcome>) =
        Default::default();
    let mut starved = 0;
    while let Some(rate) = search.next() {
        let outcome = conduct(&at(plan, rate), dial.clone(), stop.as_mut(), show).await?;
        let is_over = matches!(outcome.stopped, Some(Stopped::Interrupted | Stopped::TargetGone));
        let level = Step::of(rate, &outcome);
        let holds = level.broke.is_none();
        // What the generator could not ask for says nothing of the target.
        starved = if outcome.summary.void { starved + 1 } else { 0 };
        levels.push(level);
        if starved == 0 {
            search.heard(rate, holds);
        }
        *(if holds { &mut best } else { &mut broken }) = Some(outcome);
        if is_over || starved > AGAIN {
            break;
        }
    }
    // The lowest that broke, not the last that was tried.
    let broke = levels.iter().filter(|level| level.broke.is_some());
    let broke = broke
        .min_by(|a, b| a.asked_per_second.total_cmp(&b.asked_per_second))
        .cloned();
    let fit = fit(&levels);
    let no_fit = fit.as_ref().err().map(NoFit::to_string);
    let fit = fit.ok().map(Fitted::from);
    let knee = fit.as_ref().map_or(f64::INFINITY, |fit| fit.knee_per_second.low);
    let limit = Limit {
        held_per_second: search.held,
        broke_per_second: broke.as_ref().map(|level| level.asked_per_second),
        gave_out: broke.as_ref().and_then(Step::gave_out),
        why: broke.and_then(|level| level.broke),
        safe_per_second: search.held.map(|rate| (rate * SAFE_SHARE).min(knee).max(0.0)),
        fit,
        no_fit,
        levels,
    };
    let mut outcome = best.or(broken).ok_or(Trouble::NoRates)?;
    if starved > 0 {
        outcome.summary.void = true;
        outcome.summary.void_reason = Some(limit.outgrown());
    }
    outcome.summary.limit = Some(limit);
    Ok(outcome)
}

/// The plan at one level.
fn at(plan: &Plan, rate: f64) -> Plan {
    let stage = Stage {
        name: format!("{rate:.0}/s"),
        lasts: HOLD,
        from: rate,
        to: rate,
    };
    let mut level = plan.clone();
    level.load = Load {
        warmup: SETTLE,
        drain: DRAIN,
        stages: vec![stage],
        ..plan.load.clone()
    };
    // Those of single stages are of another load.
    level
        .test
        .objectives
        .retain(|objective| objective.stage.is_none());
    level
}

impl Limit {
    /// The generator gave out before the target did.
    fn outgrown(&self) -> String {
        let level = self.levels.last();
        let asked = level.map_or(0.0, |level| level.asked_per_second);
        let why = level.and_then(|level| level.broke.as_deref()).unwrap_or_default();
        let held = match self.held_per_second {
            Some(held) => format!("the target held {held:.0}/s at least"),
            None => "nothing is known of the target".to_owned(),
        };
        format!("the search ended at {asked:.0}/s, where {why}; {held}")
    }
}

impl Step {
    fn of(asked_per_second: f64, outcome: &Outcome) -> Self {
        let accept = &outcome.summary.ops[Op::Accept.as_str()];
        let held_s = HOLD.as_secs_f64();
        let accepted_per_second = (accept.count - accept.errors) as f64 / held_s;
        // By the clock: the last second of a stage may be told of when it is over already.
        let hold_s = SETTLE.as_secs_f64() + 0.5..SETTLE.as_secs_f64() + held_s + 0.5;
        let seconds = outcome.seconds.iter();
        let of_hold = || {
            seconds
                .clone()
                .filter(|second| hold_s.contains(&second.at_seconds))
        };
        let scheduled: u64 = of_hold().map(|second| second.scheduled).sum();
        let followed = outcome.summary.deliveries.followed;
        let shares = || of_hold().filter_map(|second| second.target?.cpu_share);
        let looks = shares().count();
        let mut level = Step {
            asked_per_second,
            accepted_per_second,
            scheduled_per_second: followed.then(|| scheduled as f64 / held_s),
            p50_ms: accept.p50_ms,
            p99_ms: accept.p99_ms,
            concurrency: accept.mean_ms.map(|ms| accepted_per_second * ms / 1e3),
            target_cpu_share: (looks > 0).then(|| shares().sum::<f64>() / looks as f64),
            broke: None,
        };
        level.broke = level.broken_by(outcome);
        level
    }

    /// Why it did not hold.
    fn broken_by(&self, outcome: &Outcome) -> Option<String> {
        let summary = &outcome.summary;
        if let Some(why) = summary.void_reason.as_ref().or(summary.stopped.as_ref()) {
            return Some(why.clone());
        }
        if let Some(missed) = summary.slo.iter().find(|verdict| !verdict.met) {
            return Some(format!("{}: {}", missed.wanted(), missed.found()));
        }
        if self.accepted_per_second < KEEPS_UP * self.asked_per_second {
            return Some(format!("{:.0}/s accepted", self.accepted_per_second));
        }
        let scheduled = self.scheduled_per_second?;
        let is_behind = scheduled < KEEPS_UP * self.accepted_per_second;
        is_behind.then(|| {
            format!(
                "{scheduled:.0}/s scheduled of {:.0}/s accepted",
                self.accepted_per_second
            )
        })
    }

    fn gave_out(&self) -> Option<String> {
        /// Of all the processors that this machine has, where the target is on it too.
        const BUSY: f64 = 0.85;
        let why = self.broke.as_deref()?;
        if why.starts_with("the generator") {
            return Some("the generator".to_owned());
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let share = self.target_cpu_share?;
        if share > BUSY * cores {
            return Some(format!("the target's processors: {share:.1} of {cores}"));
        }
        (share > BUSY && share < 1.1).then(|| "one of the target's threads: a whole processor".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a target that holds up to this rate; answers with what is known at the end.
    fn search(first: f64, holds_up_to: f64) -> (Option<f64>, Option<f64>, usize) {
        let mut search = Search::from(first);
        while let Some(rate) = search.next() {
            search.heard(rate, rate <= holds_up_to);
        }
        (search.held, search.broke, search.levels - 1)
    }

    #[test]
    fn the_search_steps_up_until_it_breaks_and_then_closes_in() {
        let (held, broke, levels) = search(100.0, 1_000.0);
        let (held, broke) = (held.expect("something holds"), broke.expect("something breaks"));
        assert!(held <= 1_000.0 && broke > 1_000.0);
        assert!(broke / held < 1.06, "{held} {broke}");
        assert!(levels <= 12, "{levels}");
    }

    #[test]
    fn a_target_that_cannot_bear_the_first_level_is_asked_for_less() {
        let (held, broke, _) = search(100.0, 30.0);
        let (held, broke) = (held.expect("something holds"), broke.expect("something breaks"));
        assert!(
            held <= 30.0 && broke > 30.0 && broke / held < 1.3,
            "{held} {broke}"
        );
        assert_eq!(search(100.0, 0.0).0, None);
        assert_eq!(search(100.0, f64::INFINITY).2, MOST_LEVELS);
    }
}
