//! A test from its preflight to its outcome.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::{AbortHandle, LocalSet};
use tokio::time::{Instant, sleep_until};

use super::asking::{self, Asking};
use super::begin::{self, Begun, Following};
use super::crew::Crew;
use super::drive::{self, Share};
use super::follow::Followed;
use super::generator::{Effort, Lag};
use super::monitor::{Monitor, Progress, Stopped};
use super::record::Op;
use super::slo::Judge;
use super::stand::Stand;
use super::summary::{DeliverySummary, Outcome, StageSummary, Summary, ops};
use super::target::Dial;
use super::watchers::{self, Seen, WatcherSummary};
use super::{Plan, Trouble, limit, preflight, probe};
use crate::scenario::Audience;

const SECOND: Duration = Duration::from_secs(1);
/// Whoever has waited longer than this when a test is interrupted hangs; the others had no time.
const HANGS: Duration = Duration::from_secs(1);
/// How soon it is noticed that nothing is under way any more.
const LOOK: Duration = Duration::from_millis(50);

/// Conducts the test over the network, on this thread, until it is over or `stop` is.
///
/// # Errors
/// Why it cannot begin.
pub fn run<S: Future<Output = ()>>(
    plan: &Plan,
    stop: impl FnOnce() -> S,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Result<Outcome, Trouble> {
    let sources = preflight::room(plan)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Trouble::Start)?;
    LocalSet::new().block_on(&runtime, async {
        let way = plan.target.resolve(sources).await?;
        match plan.finds_limit {
            true => limit::find(plan, way, stop(), show).await,
            false => conduct(plan, way, stop(), show).await,
        }
    })
}

/// The same over any connection, in a [`LocalSet`].
///
/// # Errors
/// Why it cannot begin.
pub async fn conduct<D: Dial>(
    plan: &Plan,
    dial: D,
    stop: impl Future<Output = ()>,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Result<Outcome, Trouble> {
    let begun = Begun::with(plan, &dial).await?;
    let mut warnings = begun.warnings;
    let stand = begin::stand(plan, dial, &begun.accounts, begun.following.as_ref());
    let mut company = Company::default();
    let followed = company.follow(&stand, begun.following);
    let seen = begin::audience(plan).map(|audience| company.admit(&stand, plan, audience));
    let judges = plan.test.objectives.iter().map(|objective| {
        let stage = objective.stage.map(|stage| plan.load.stages[stage].name.clone());
        Judge::new(objective.clone(), stage)
    });
    let mut monitor = Monitor::new(Rc::clone(&stand), judges.collect(), followed);
    if begin::is_own(plan) {
        company.add(probe::watch(Rc::clone(&stand), Rc::clone(&monitor.inside)));
    }
    let crew = match plan.workers {
        ..2 => None,
        count => Some(Crew::muster(&stand, &plan.load, count)?),
    };
    let sent = send_and_drain(plan, &stand, crew.as_deref(), &mut monitor, stop, show).await;
    // What is left of a second is taken down too.
    monitor.second(true, show);
    drop(company);
    warnings.extend(monitor.followed.as_ref().and_then(|told| told.warning()));
    warnings.extend(stand.asking.as_ref().and_then(Asking::warning));
    warnings.extend(nameless(&stand));
    let Sent { stopped, effort } = sent;
    let ended = Ended {
        effort,
        stopped,
        warnings,
        seen: seen.map(|(seen, sessions)| seen.summary(sessions)),
    };
    Ok(outcome(plan, &stand, monitor, ended))
}

/// Those who take part beside the senders, until they are dropped.
#[derive(Default)]
struct Company(Vec<AbortHandle>);

impl Drop for Company {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Company {
    fn add(&mut self, task: impl Future<Output = ()> + 'static) {
        self.0.push(tokio::task::spawn_local(task).abort_handle());
    }

    /// Whoever hears of deliveries, or asks for them.
    fn follow<D: Dial>(
        &mut self,
        stand: &Rc<Stand<D>>,
        following: Option<Following<D>>,
    ) -> Option<Rc<Followed>> {
        match following? {
            Following::Events(follower) => {
                let told = Rc::clone(&follower.told);
                self.add(follower.follow(Rc::clone(stand)));
                Some(told)
            }
            Following::Asking(status) => {
                (0..status.at_once).for_each(|_| self.add(asking::ask(Rc::clone(stand))));
                None
            }
        }
    }

    /// The audience, and how many it is to be.
    fn admit<D: Dial>(
        &mut self,
        stand: &Rc<Stand<D>>,
        plan: &Plan,
        audience: &Audience,
    ) -> (Rc<Seen>, usize) {
        stand.deliveries.borrow_mut().keeps_fresh = audience.follow.delivery > 0.0;
        let seen = watchers::admit(stand, &plan.world, audience, &mut self.0);
        (seen, audience.sessions)
    }
}

/// Deliveries that cannot be followed, since nobody said what they are called.
fn nameless<D: Dial>(stand: &Stand<D>) -> Option<String> {
    let deliveries = stand.deliveries.borrow();
    (deliveries.is_followed && deliveries.nameless > 0).then(|| {
        format!(
            "{} of {} answers that accepted did not say what the delivery is called: these were not followed",
            deliveries.nameless, deliveries.accepted
        )
    })
}

/// How sending went.
struct Sent {
    stopped: Option<Stopped>,
    effort: Effort,
}

/// Everything that is sent, from the first request until nobody waits for an answer any more.
async fn send_and_drain<D: Dial>(
    plan: &Plan,
    stand: &Rc<Stand<D>>,
    crew: Option<&Crew>,
    monitor: &mut Monitor<D>,
    stop: impl Future<Output = ()>,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Sent {
    let lag = Lag::new();
    let driving = async {
        match crew {
            Some(crew) => crew.driven().await,
            None => drive::drive(Rc::clone(stand), &plan.load, Share::ALL, &lag).await,
        }
    };
    let stopped = drive_and_drain(plan, stand, driving, monitor, stop, show).await;
    let at_least = match stopped {
        Some(Stopped::Interrupted) => HANGS,
        _ => Duration::ZERO,
    };
    let effort = match crew {
        None => monitor.watch.effort(&lag, stand.tally.most_connections.get(), 1),
        Some(crew) => crew.end(at_least, monitor.watch.effort(&lag, 0, 0)).await,
    };
    stand.give_up(at_least);
    Sent { stopped, effort }
}

/// Lets the timetable be driven and waits for what is under way then, unless something breaks it
/// off.
async fn drive_and_drain<D: Dial>(
    plan: &Plan,
    stand: &Stand<D>,
    driving: impl Future<Output = ()>,
    monitor: &mut Monitor<D>,
    stop: impl Future<Output = ()>,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Option<Stopped> {
    let mut stop = pin!(stop);
    let mut next = stand.began + SECOND;
    let stopped = {
        let mut driving = pin!(driving);
        loop {
            tokio::select! {
                () = &mut stop => break Some(Stopped::Interrupted),
                () = &mut driving => break None,
                () = sleep_until(next) => {
                    next += SECOND;
                    if let Some(stopped) = monitor.second(false, show) {
                        break Some(stopped);
                    }
                }
            }
        }
    };
    if let Some(Stopped::Interrupted | Stopped::TargetGone) = stopped {
        return stopped;
    }
    let end = Instant::now() + plan.load.drain;
    while !is_drained(stand) && Instant::now() < end {
        tokio::select! {
            () = &mut stop => return stopped.or(Some(Stopped::Interrupted)),
            () = sleep_until(next.min(end).min(Instant::now() + LOOK)) => {}
        }
        if Instant::now() >= next {
            next += SECOND;
            monitor.second(true, show);
        }
    }
    stopped
}

fn is_drained<D: Dial>(stand: &Stand<D>) -> bool {
    let tally = &stand.tally;
    let deliveries = stand.deliveries.borrow();
    let is_answered = tally.under_way.get() == 0 && tally.waiting.get() == 0;
    is_answered && (!deliveries.is_followed || deliveries.are_all_over())
}

/// What is known when a test is over, beside its figures.
struct Ended {
    effort: Effort,
    stopped: Option<Stopped>,
    warnings: Vec<String>,
    seen: Option<WatcherSummary>,
}

fn outcome<D: Dial>(plan: &Plan, stand: &Stand<D>, monitor: Monitor<D>, ended: Ended) -> Outcome {
    let Ended {
        effort,
        stopped,
        warnings,
        seen,
    } = ended;
    let recorder = stand.recorder.borrow().clone();
    let void_reason = effort.void();
    let stages = plan.load.stages.iter().enumerate().map(|(number, stage)| {
        let of_stage = |op| &recorder.of(op).by_stage[number];
        let accept = of_stage(Op::Accept);
        let seconds = stage.lasts.as_secs_f64();
        StageSummary {
            name: stage.name.clone(),
            seconds,
            from: stage.from,
            to: stage.to,
            accepted_per_second: (accept.count - accept.error_count()) as f64 / seconds,
            ops: ops(of_stage),
        }
    });
    let summary = Summary {
        scenario: plan.world.name.clone(),
        target: plan.target.shown(),
        seed: plan.world.seed,
        ops: ops(|op| &recorder.of(op).total),
        stages: stages.collect(),
        slo: monitor.verdicts(),
        deliveries: deliveries(stand, &monitor),
        watchers: seen,
        generator: effort,
        void: void_reason.is_some(),
        void_reason,
        stopped: stopped.as_ref().map(Stopped::words),
        warnings: warnings.clone(),
        limit: None,
    };
    Outcome {
        summary,
        seconds: monitor.seconds,
        recorder,
        stopped,
        warnings,
    }
}

fn deliveries<D: Dial>(stand: &Stand<D>, monitor: &Monitor<D>) -> DeliverySummary {
    let deliveries = stand.deliveries.borrow();
    let (unscheduled, unfinished) = deliveries.unfinished();
    let told = monitor.followed.as_ref();
    DeliverySummary {
        followed: deliveries.is_followed,
        accepted: deliveries.accepted,
        scheduled: deliveries.scheduled,
        picked_up: deliveries.picked_up,
        completed: deliveries.completed,
        failed: deliveries.failed,
        unscheduled,
        unfinished,
        events_missed: told.map_or(0, |told| told.missed.get()),
        events_repeated: told.map_or(0, |told| told.repeated.get()),
        resumed: told.map_or(0, |told| told.resumed.get()),
        track_lost: told.map_or(0, |told| told.lost_track.get()),
        asked: stand.asking.as_ref().map(Asking::summary),
    }
}
