//! A test from its preflight to its outcome.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until};

use super::asking::{self, Asking};
use super::deliveries::Deliveries;
use super::follow::{self, Follower, NotFollowed};
use super::generator::Lag;
use super::monitor::{Monitor, Progress, Stopped};
use super::orders::{Orders, Wanted};
use super::record::{Op, Recorder};
use super::slo::Judge;
use super::socket::NoSocket;
use super::stand::{Names, Stand, Tally};
use super::summary::{DeliverySummary, Outcome, StageSummary, Summary, ops};
use super::target::Dial;
use super::timetable::Timetable;
use super::watchers::{self, WatcherSummary};
use super::{Plan, Trouble, drive, limit, preflight, probe};
use crate::scenario::{Audience, Model, Status};

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
    preflight::room(plan)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Trouble::Start)?;
    LocalSet::new().block_on(&runtime, async {
        let way = plan.target.resolve().await?;
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
    let mut begun = Begun::with(plan, &dial).await?;
    let follower = begun.follower.take();
    let stand = stand(plan, dial, &mut begun, follower.is_some());
    let mut warnings = begun.warnings;
    let followed = follower.as_ref().map(|follower| Rc::clone(&follower.told));
    let mut tasks = Vec::new();
    if let Some(follower) = follower {
        let following = tokio::task::spawn_local(follower.follow(Rc::clone(&stand)));
        tasks.push(following.abort_handle());
    }
    for _ in 0..stand.asking.as_ref().map_or(0, Asking::at_once) {
        tasks.push(tokio::task::spawn_local(asking::ask(Rc::clone(&stand))).abort_handle());
    }
    let audience = audience(plan).filter(|_| is_own(plan));
    let seen = audience.map(|audience| {
        let is_followed = audience.follow.delivery > 0.0;
        stand.deliveries.borrow_mut().keeps_fresh = is_followed;
        watchers::admit(&stand, &plan.world, audience, &mut tasks)
    });
    let judges = plan.test.objectives.iter().map(|objective| {
        let stage = objective.stage.map(|stage| plan.load.stages[stage].name.clone());
        Judge::new(objective.clone(), stage)
    });
    let mut monitor = Monitor::new(Rc::clone(&stand), judges.collect(), followed);
    if is_own(plan) {
        let probing = probe::watch(Rc::clone(&stand), Rc::clone(&monitor.inside));
        tasks.push(tokio::task::spawn_local(probing).abort_handle());
    }
    let lag = Lag::new();
    let stopped = drive_and_drain(plan, &stand, &mut monitor, &lag, stop, show).await;
    stand.give_up(match stopped {
        Some(Stopped::Interrupted) => HANGS,
        _ => Duration::ZERO,
    });
    // What is left of a second is taken down too.
    monitor.second(true, show);
    tasks.iter().for_each(tokio::task::AbortHandle::abort);
    let sessions = audience.map_or(0, |audience| audience.sessions);
    let seen = seen.map(|seen| seen.summary(sessions));
    warnings.extend(monitor.followed.as_ref().and_then(|told| told.warning()));
    warnings.extend(stand.asking.as_ref().and_then(Asking::warning));
    warnings.extend(nameless(&stand));
    Ok(outcome(
        plan,
        &stand,
        monitor,
        &lag,
        Ended {
            stopped,
            warnings,
            seen,
        },
    ))
}

/// The target is looked at as what it is, one of this project's servers.
fn is_own(plan: &Plan) -> bool {
    !plan.accept_only && plan.test.mapping.is_none()
}

fn audience(plan: &Plan) -> Option<&Audience> {
    let audience = plan.test.audience.as_ref();
    audience.filter(|audience| audience.sessions > 0)
}

/// What was found and made before the first request.
struct Begun<D: Dial> {
    warnings: Vec<String>,
    accounts: Vec<String>,
    /// Deliveries are heard of, or
    follower: Option<Follower<D>>,
    /// asked for, or neither.
    status: Option<Status>,
}

impl<D: Dial> Begun<D> {
    async fn with(plan: &Plan, dial: &D) -> Result<Self, Trouble> {
        let mut begun = Begun {
            warnings: Vec::new(),
            accounts: preflight::account_names(plan.load.accounts),
            follower: None,
            status: None,
        };
        if is_own(plan) {
            begun.warnings.extend(preflight::greet(dial, &plan.target).await?);
            preflight::accounts(dial, &plan.target, &begun.accounts).await?;
            match follow::open(dial, &plan.target).await {
                Ok(open) => begun.follower = Some(open),
                Err(why) => {
                    begun.warnings.push(not_followed(plan, why)?);
                    begun.status = Some(asking::own());
                }
            }
            return Ok(begun);
        }
        preflight::reach(dial, &plan.target).await?;
        let mapping = plan.test.mapping.as_ref().filter(|_| !plan.accept_only);
        begun.status = mapping.and_then(|mapping| mapping.status.clone());
        let mut absent = Vec::new();
        if begun.status.is_none() {
            absent.push("what becomes of requests is not followed");
        }
        if audience(plan).is_some() {
            absent.push("the audience stays away");
        }
        if !absent.is_empty() {
            let measured = if begun.status.is_none() { "only accepting" } else { "no frame" };
            begun
                .warnings
                .push(format!("{measured} is measured: {}", absent.join(", and ")));
        }
        Ok(begun)
    }
}

fn stand<D: Dial>(plan: &Plan, dial: D, begun: &mut Begun<D>, is_followed: bool) -> Rc<Stand<D>> {
    let timetable = Timetable::new(&plan.load, plan.world.seed);
    let count = match plan.load.model {
        Model::Open => timetable.requests().count(),
        Model::Closed { .. } => usize::MAX,
    };
    let run = uuid::Uuid::now_v7().simple().to_string();
    let wanted = Wanted {
        world: &plan.world,
        accounts: &begun.accounts,
        count,
        run: &run,
    };
    let mapping = plan.test.mapping.as_ref();
    let names = match mapping {
        None => Names::Own,
        Some(mapping) => mapping.id.clone().map_or(Names::Package, Names::Pointer),
    };
    let asking = begun.status.take().map(|status| Asking::new(status, &run));
    Rc::new(Stand {
        dial,
        names,
        target: plan.target.clone(),
        orders: Orders::draw(&wanted, &plan.target, mapping.map(|mapping| &mapping.request)),
        timetable,
        stage_names: plan.load.stages.iter().map(|stage| stage.name.clone()).collect(),
        timeout: plan.load.timeout,
        recorder: Recorder::new(plan.load.stages.len()).into(),
        deliveries: Deliveries::new(is_followed || asking.is_some()).into(),
        asking,
        tally: Tally::default(),
        open: Default::default(),
        began: Instant::now(),
    })
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

/// What that means for the test: a warning, or that it is none.
fn not_followed(plan: &Plan, why: NotFollowed) -> Result<String, Trouble> {
    let why = match why {
        NotFollowed::NoSocket(NoSocket::Foreign(said)) => {
            let target = plan.target.shown();
            return Err(Trouble::Version { target, said });
        }
        NotFollowed::NoSocket(other) => other.kind(),
        NotFollowed::Refused { code, message } => format!("{code}, {message}"),
    };
    Ok(format!(
        "events cannot be followed ({why}): each delivery is asked for every second instead, and times are known to within that; an operator's token lets them be"
    ))
}

/// Runs the timetable and waits for what is under way then, unless something breaks it off.
async fn drive_and_drain<D: Dial>(
    plan: &Plan,
    stand: &Rc<Stand<D>>,
    monitor: &mut Monitor<D>,
    lag: &Lag,
    stop: impl Future<Output = ()>,
    show: &mut dyn FnMut(&Progress<'_>),
) -> Option<Stopped> {
    let mut stop = pin!(stop);
    let mut next = stand.began + SECOND;
    let stopped = {
        let mut driving = pin!(async {
            match plan.load.model {
                Model::Open => drive::open(Rc::clone(stand), plan.load.connections, lag).await,
                Model::Closed { think } => drive::closed(Rc::clone(stand), think).await,
            }
        });
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
    stopped: Option<Stopped>,
    warnings: Vec<String>,
    seen: Option<WatcherSummary>,
}

fn outcome<D: Dial>(plan: &Plan, stand: &Stand<D>, monitor: Monitor<D>, lag: &Lag, ended: Ended) -> Outcome {
    let Ended {
        stopped,
        warnings,
        seen,
    } = ended;
    let recorder = stand.recorder.borrow().clone();
    let effort = monitor.watch.effort(lag, stand.tally.most_connections.get());
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
