//! Whether what is reported is what was: against a target in this process, in a time of its
//! own, so that every percentile can be told beforehand.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::testing::{load_of, stage};
use super::{Dial, Op, Outcome, Plan, Progress, Stopped, Target, conduct};
use crate::scenario::{Limit, Load, Measure, Model, Objective, Test};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A target that answers when the test says, and in words that it chooses.
#[derive(Clone, Copy)]
struct Stub {
    began: Instant,
    /// What is asked within it is answered at its end.
    stall: (Duration, Duration),
    /// Otherwise, and after a stall, this much later.
    takes: Duration,
    /// Nobody is there any more.
    gone_at: Duration,
    /// From then on it refuses.
    full_at: Duration,
    /// Each answer keeps the generator itself busy for so long.
    starves: Duration,
}

impl Stub {
    fn quick() -> Self {
        Stub {
            began: Instant::now(),
            stall: (Duration::MAX, Duration::MAX),
            takes: Duration::ZERO,
            gone_at: Duration::MAX,
            full_at: Duration::MAX,
            starves: Duration::ZERO,
        }
    }

    fn stalling(from_s: u64, until_s: u64) -> Self {
        Stub {
            stall: (Duration::from_secs(from_s), Duration::from_secs(until_s)),
            ..Stub::quick()
        }
    }

    async fn answer<B>(self, _: Request<B>) -> io::Result<Response<String>> {
        let now = self.began.elapsed();
        if (self.stall.0..self.stall.1).contains(&now) {
            sleep_until(self.began + self.stall.1).await;
        }
        if !self.takes.is_zero() {
            sleep(self.takes).await;
        }
        if !self.starves.is_zero() {
            tokio::time::advance(self.starves).await;
        }
        let mut answer = Response::new(r#"{"deliveryId":"01932a5e-7e1c-7b3a-8c1d-2f0e5a6b7c8d"}"#.to_owned());
        let is_full = now >= self.full_at;
        *answer.status_mut() = if is_full {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::ACCEPTED
        };
        Ok(answer)
    }
}

impl Dial for Stub {
    type Io = DuplexStream;

    async fn dial(&self) -> io::Result<DuplexStream> {
        let stub = *self;
        if stub.began.elapsed() >= stub.gone_at {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (near, far) = tokio::io::duplex(16 * 1024);
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| stub.answer(request));
            let serving =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
            let _ended = tokio::select! {
                served = serving => served,
                () = sleep_until_elapsed(stub.began, stub.gone_at) => Ok(()),
            };
        });
        Ok(near)
    }
}

async fn sleep_until_elapsed(began: Instant, at: Duration) {
    match began.checked_add(at) {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn plan(load: Load, objectives: Vec<Objective>) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tiny.toml");
    let world = crate::scenario::load(&path).expect("it has no mistakes").world;
    Plan {
        world: Arc::new(world),
        load,
        test: Test {
            objectives,
            ..Test::default()
        },
        target: Target::parse("http://stub.example", None).expect("it is one"),
        accept_only: true,
        finds_limit: false,
        workers: 1,
        samples: None,
    }
}

async fn test(plan: &Plan, stub: Stub) -> Outcome {
    let unseen = &mut |_: &Progress<'_>| {};
    let run = conduct(plan, stub, std::future::pending(), unseen);
    LocalSet::new().run_until(run).await.expect("it begins")
}

fn ms(outcome: &Outcome, quantile: f64) -> f64 {
    let accept = &outcome.recorder.of(Op::Accept).total;
    accept.quantile(quantile).expect("it was timed").as_secs_f64() * 1e3
}

#[track_caller]
fn assert_near(found: f64, theory: f64) {
    // A timer's step, and the histogram's three digits.
    let near = (found - theory).abs() <= 2.0 + theory * 0.002;
    assert!(near, "{found} ms, and {theory} ms by theory");
}

/// Of an open run at a steady rate over T with one stall of S, a share S/T of the requests is
/// due in the stall, and waits for what is left of it: evenly from 0 to S. So the quantile q
/// beyond 1 − S/T is S − T (1 − q), and everything below is what an answer takes.
#[tokio::test(start_paused = true)]
async fn a_stall_is_seen_by_all_who_were_due_in_it() {
    let plan = plan(load_of(vec![stage(100.0, 100.0, 20.0)]), Vec::new());
    let outcome = test(
        &plan,
        Stub {
            takes: 5 * MS,
            ..Stub::stalling(8, 12)
        },
    )
    .await;
    let accept = &outcome.recorder.of(Op::Accept).total;
    assert_eq!((accept.count, accept.error_count()), (2_000, 0));
    let theory = |q: f64| {
        if q <= 0.8 {
            5.0
        } else {
            4_000.0 - 20_000.0 * (1.0 - q) + 5.0
        }
    };
    for quantile in [0.1, 0.5, 0.79, 0.85, 0.9, 0.95, 0.99, 0.999] {
        // A request is one part in two thousand, which is 10 ms on that line.
        let found = ms(&outcome, quantile);
        assert!(
            (found - theory(quantile)).abs() <= 13.0,
            "{quantile}: {found} {}",
            theory(quantile)
        );
    }
    assert_near(ms(&outcome, 1.0), 4_005.0);
    assert_eq!(outcome.summary.void_reason, None);
}

/// What a tool that waits for answers would have told of the same: one slow request.
#[tokio::test(start_paused = true)]
async fn a_user_who_waits_sees_the_stall_once() {
    let mut load = load_of(vec![stage(1.0, 1.0, 20.0)]);
    load.model = Model::Closed { think: 10 * MS };
    let outcome = test(&plan(load, Vec::new()), Stub::stalling(8, 12)).await;
    let accept = &outcome.recorder.of(Op::Accept).total;
    let slow = accept.histogram().len() - accept.histogram().count_between(0, 1_000_000);
    assert_eq!(slow, 1);
    assert!(ms(&outcome, 0.99) < 20.0, "{}", ms(&outcome, 0.99));
    assert!(accept.count > 700, "{}", accept.count);
}

/// One connection, and answers that take twice as long as there is time: the nth request
/// waits for n others, and its time counts from when it was due.
#[tokio::test(start_paused = true)]
async fn who_finds_no_connection_free_has_waited_since_it_was_due() {
    let mut load = load_of(vec![stage(10.0, 10.0, 5.0)]);
    load.connections = 1;
    let stub = Stub {
        takes: 200 * MS,
        ..Stub::quick()
    };
    let outcome = test(&plan(load, Vec::new()), stub).await;
    let accept = &outcome.recorder.of(Op::Accept).total;
    assert_eq!((accept.count, accept.error_count()), (50, 0));
    assert_eq!(outcome.summary.generator.connections, 1);
    assert_eq!(accept.late_starts, 49);
    // The last of them begins after 49 × 200 ms, 4.9 s of which were there before it was due.
    let last = 49.0 * 200.0 - 4_900.0 + 200.0;
    let found = ms(&outcome, 1.0);
    assert!((found - last).abs() <= 110.0, "{found} {last}");
}

#[tokio::test(start_paused = true)]
async fn who_is_given_up_stands_among_the_times() {
    let mut load = load_of(vec![stage(10.0, 10.0, 10.0)]);
    load.timeout = SECOND;
    let outcome = test(&plan(load, Vec::new()), Stub::stalling(0, 1_000)).await;
    let accept = &outcome.recorder.of(Op::Accept).total;
    assert_eq!((accept.count, accept.errors["timeout"]), (100, 100));
    assert_near(ms(&outcome, 0.5), 1_000.0);
}

/// A timetable of 10 s and a drain of 2: the nth of a hundred has waited 12 s − n/10.
#[tokio::test(start_paused = true)]
async fn who_has_no_answer_at_the_end_or_was_never_sent_is_not_forgotten() {
    let mut load = load_of(vec![stage(10.0, 10.0, 10.0)]);
    (load.connections, load.drain) = (5, 2 * SECOND);
    let outcome = test(&plan(load, Vec::new()), Stub::stalling(0, 1_000)).await;
    let accept = &outcome.recorder.of(Op::Accept).total;
    assert_eq!(
        (accept.count, accept.dropped, accept.errors["unanswered"]),
        (100, 95, 5)
    );
    let found = ms(&outcome, 0.5);
    assert!((found - 7_000.0).abs() <= 110.0, "{found}");
    assert_eq!(outcome.summary.ops["accept"].late_starts, 95);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_errors_by_kind_and_of_the_stage_in_which_they_were_due() {
    let load = load_of(vec![stage(10.0, 10.0, 5.0), stage(20.0, 20.0, 5.0)]);
    let outcome = test(
        &plan(load, Vec::new()),
        Stub {
            full_at: 5 * SECOND,
            ..Stub::quick()
        },
    )
    .await;
    let [first, second] = outcome.summary.stages.as_slice() else {
        panic!("there are two stages");
    };
    assert_eq!((first.ops["accept"].count, first.ops["accept"].errors), (50, 0));
    assert_eq!(first.accepted_per_second, 10.0);
    assert_eq!(second.ops["accept"].error_kinds["503"], 100);
    assert_eq!(second.ops["accept"].p99_ms, None);
    let wall: Vec<u64> = outcome
        .seconds
        .iter()
        .map(|second| second.accepted + second.errors)
        .collect();
    assert_eq!(wall.iter().sum::<u64>(), 150, "{wall:?}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_dies_ends_the_test_and_leaves_what_was_measured() {
    let load = load_of(vec![stage(50.0, 50.0, 600.0)]);
    let outcome = test(
        &plan(load, Vec::new()),
        Stub {
            gone_at: 10 * SECOND,
            ..Stub::quick()
        },
    )
    .await;
    assert_eq!(outcome.stopped, Some(Stopped::TargetGone));
    let accept = &outcome.recorder.of(Op::Accept).total;
    let well = accept.count - accept.error_count();
    assert!((495..=505).contains(&well), "{well}");
    assert!(outcome.seconds.len() < 20, "{}", outcome.seconds.len());
    assert!(
        accept.errors.contains_key("connection refused"),
        "{:?}",
        accept.errors
    );
}

#[tokio::test(start_paused = true)]
async fn objectives_are_judged_and_one_that_is_missed_for_long_ends_the_test() {
    let objective = |max_ms: u32, abort_after| Objective {
        measure: Measure::Accept,
        quantile: 0.99,
        max: Limit::Latency(max_ms * MS),
        stage: None,
        window: None,
        abort_after,
    };
    let load = || load_of(vec![stage(50.0, 50.0, 60.0)]);
    let stub = Stub {
        takes: 100 * MS,
        ..Stub::quick()
    };
    let both = plan(load(), vec![objective(50, None), objective(150, None)]);
    let outcome = test(&both, stub).await;
    let met: Vec<bool> = outcome.summary.slo.iter().map(|verdict| verdict.met).collect();
    assert_eq!(met, [false, true]);
    assert_eq!(outcome.stopped, None);
    let impatient = plan(load(), vec![objective(50, Some(5 * SECOND))]);
    let outcome = test(
        &impatient,
        Stub {
            began: Instant::now(),
            ..stub
        },
    )
    .await;
    assert_eq!(
        outcome.stopped,
        Some(Stopped::Objective("accept p99 ≤ 50 ms".into()))
    );
    assert!(outcome.seconds.len() <= 8, "{}", outcome.seconds.len());
}

#[tokio::test(start_paused = true)]
async fn users_come_and_go_with_the_stages() {
    let mut load = load_of(vec![
        stage(4.0, 4.0, 10.0),
        stage(8.0, 8.0, 10.0),
        stage(2.0, 2.0, 10.0),
    ]);
    load.model = Model::Closed {
        think: Duration::ZERO,
    };
    let outcome = test(
        &plan(load, Vec::new()),
        Stub {
            takes: 100 * MS,
            ..Stub::quick()
        },
    )
    .await;
    // Each of them asks ten times a second.
    for (stage, users) in outcome.summary.stages.iter().zip([4.0, 8.0, 2.0]) {
        let found = stage.accepted_per_second;
        assert!((found / users - 10.0).abs() < 0.5, "{}: {found}", stage.name);
    }
    assert_eq!(outcome.summary.generator.connections, 8);
}

#[tokio::test(start_paused = true)]
async fn whoever_interrupts_a_test_keeps_what_it_has_measured() {
    let plan = plan(load_of(vec![stage(10.0, 10.0, 600.0)]), Vec::new());
    let unseen = &mut |_: &Progress<'_>| {};
    let run = conduct(&plan, Stub::quick(), sleep(5 * SECOND + 50 * MS), unseen);
    let outcome = LocalSet::new().run_until(run).await.expect("it begins");
    assert_eq!(outcome.stopped, Some(Stopped::Interrupted));
    assert_eq!(outcome.recorder.of(Op::Accept).total.count, 51);
}

/// Forty connections and 100 ms an answer are 400 requests a second by Little's law.
#[tokio::test(start_paused = true)]
async fn the_limit_that_is_found_is_the_one_that_is_there() {
    let mut load = load_of(vec![stage(100.0, 100.0, 1.0)]);
    (load.connections, load.timeout) = (40, SECOND);
    let objective = Objective {
        measure: Measure::Accept,
        quantile: 0.95,
        max: Limit::Latency(300 * MS),
        stage: None,
        window: None,
        abort_after: None,
    };
    let plan = plan(load, vec![objective]);
    let unseen = &mut |_: &Progress<'_>| {};
    let stub = Stub {
        takes: 100 * MS,
        ..Stub::quick()
    };
    let search = super::find(&plan, stub, std::future::pending(), unseen);
    let outcome = LocalSet::new().run_until(search).await.expect("it begins");
    let limit = outcome.summary.limit.expect("it was looked for");
    let (held, broke) = (limit.held_per_second, limit.broke_per_second);
    let (held, broke) = (held.expect("some load holds"), broke.expect("some does not"));
    assert!(
        (350.0..=400.0).contains(&held) && (390.0..=430.0).contains(&broke),
        "{held} {broke}"
    );
    let level = limit
        .levels
        .iter()
        .find(|level| level.asked_per_second == 100.0)
        .expect("the first");
    let concurrency = level.concurrency.expect("it was measured");
    assert!((concurrency - 10.0).abs() < 0.5, "{concurrency}");
}

/// A generator that is kept busy for 20 ms by each request cannot ask for more than 50 a second,
/// and what it then finds is its own limit.
#[tokio::test(start_paused = true)]
async fn a_search_that_the_generator_does_not_survive_names_no_limit() {
    let plan = plan(load_of(vec![stage(10.0, 10.0, 1.0)]), Vec::new());
    let unseen = &mut |_: &Progress<'_>| {};
    let stub = Stub {
        starves: 20 * MS,
        ..Stub::quick()
    };
    let search = super::find(&plan, stub, std::future::pending(), unseen);
    let outcome = LocalSet::new().run_until(search).await.expect("it begins");
    assert!(outcome.summary.void);
    let limit = outcome.summary.limit.expect("it was looked for");
    let held = limit.held_per_second.expect("the first level held");
    assert!((20.0..50.0).contains(&held), "{held}");
    let reason = outcome.summary.void_reason.expect("it is void");
    let said = "the generator itself came late";
    assert!(
        reason.contains(said) && reason.ends_with(&format!("the target held {held:.0}/s at least")),
        "{reason}"
    );
    let asked: Vec<f64> = limit.levels.iter().map(|level| level.asked_per_second).collect();
    let [.., once, again] = asked.as_slice() else {
        panic!("it was tried once more: {asked:?}");
    };
    assert_eq!(once, again);
}
