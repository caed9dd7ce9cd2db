//! Asks for deliveries one by one, now and then, where nobody tells what becomes of them.
//!
//! What is seen so is seen late, by up to the time between two questions, unless the answers
//! say since when it is so.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use super::deliveries::Milestone;
use super::exchange::{Line, PATIENCE};
use super::phrase;
use super::stand::Stand;
use super::target::Dial;
use crate::scenario::{Field, Route, Status, Template};
use crate::wire::time::parse_rfc3339;

/// Those that are to be asked for, and when.
pub(super) struct Asking {
    status: Status,
    run: String,
    /// The next first.
    queue: RefCell<VecDeque<(Instant, String)>>,
    came: Notify,
    asked: Cell<u64>,
    unanswered: Cell<u64>,
    latest: Cell<Duration>,
}

/// What there is to say of the questions themselves.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AskedSummary {
    /// Between two questions about the same delivery.
    pub every_seconds: f64,
    pub questions: u64,
    /// Without an answer, or with one that does not say how far the delivery is.
    pub unanswered: u64,
    /// How late one came at most, since too many were to be asked for at once.
    pub latest_ms: f64,
}

/// How this project's own servers are asked.
pub(super) fn own() -> Status {
    let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    Status {
        route: Route {
            method: "GET",
            path: Template::parse("/api/deliveries/{id}/status").expect("there is an id"),
            headers: Vec::new(),
            body: None,
        },
        stage: "/stage".to_owned(),
        time: None,
        scheduled: Vec::new(),
        picked_up: text(&["HeadedToDropoff", "AwaitingConfirmation"]),
        completed: text(&["Completed"]),
        failed: text(&["Failed", "Cancelled"]),
        every: Duration::from_secs(1),
        at_once: 16,
    }
}

impl Asking {
    pub fn new(status: Status, run: &str) -> Self {
        Asking {
            status,
            run: run.to_owned(),
            queue: RefCell::default(),
            came: Notify::new(),
            asked: Cell::new(0),
            unanswered: Cell::new(0),
            latest: Cell::new(Duration::ZERO),
        }
    }

    /// From now on it is asked for.
    pub fn about(&self, id: String) {
        let at = Instant::now() + self.status.every;
        self.queue.borrow_mut().push_back((at, id));
        self.came.notify_one();
    }

    pub fn summary(&self) -> AskedSummary {
        AskedSummary {
            every_seconds: self.status.every.as_secs_f64(),
            questions: self.asked.get(),
            unanswered: self.unanswered.get(),
            latest_ms: self.latest.get().as_secs_f64() * 1e3,
        }
    }

    /// What the figures do not show because of it.
    pub fn warning(&self) -> Option<String> {
        let AskedSummary {
            every_seconds,
            questions,
            unanswered,
            latest_ms,
        } = self.summary();
        if questions > 0 && unanswered == questions {
            return Some("none of the questions about deliveries was answered with a stage".to_owned());
        }
        (latest_ms > every_seconds * 1e3).then(|| {
            format!(
                "deliveries were asked for up to {:.1} s later than every {every_seconds} s: raise `at_once` or `every`",
                latest_ms / 1e3
            )
        })
    }
}

/// Asks over one connection, until it is aborted.
pub(super) async fn ask<D: Dial>(stand: Rc<Stand<D>>) {
    let Some(asking) = &stand.asking else { return };
    let mut line = Line::default();
    loop {
        let next = asking.queue.borrow_mut().pop_front();
        let Some((at, id)) = next else {
            asking.came.notified().await;
            continue;
        };
        sleep_until(at).await;
        let late = Instant::now().saturating_duration_since(at);
        asking.latest.set(asking.latest.get().max(late));
        asking.asked.set(asking.asked.get() + 1);
        let value = |field| match field {
            Field::Id => id.clone(),
            Field::Run => asking.run.clone(),
            _ => stand.target.token().to_owned(),
        };
        let head = phrase::head(&stand.target, &asking.status.route, &value);
        let asked = line.ask(&stand.dial, |request| head.write(0, &mut request.head));
        let answer = match timeout(PATIENCE, asked).await {
            // It is not there yet.
            Ok(Ok(404)) => Some(Standing::Unknown),
            Ok(Ok(200..300)) => standing(&asking.status, line.body(), Instant::now()),
            _ => None,
        };
        if answer.is_none() {
            asking.unanswered.set(asking.unanswered.get() + 1);
        }
        if !stand.stands(&id, answer.unwrap_or(Standing::Unknown)) {
            asking.about(id);
        }
    }
}

/// What an answer says of a delivery.
#[derive(Debug, PartialEq)]
pub(super) enum Standing {
    Unknown,
    Reached(Milestone, Instant),
}

/// `None` where the answer has no stage.
fn standing(status: &Status, answer: &[u8], now: Instant) -> Option<Standing> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let stage = match answer.pointer(&status.stage)? {
        Value::String(text) => text.clone(),
        Value::Null => return Some(Standing::Unknown),
        other => other.to_string(),
    };
    let milestone = if status.completed.contains(&stage) {
        Milestone::Completed
    } else if status.failed.contains(&stage) {
        Milestone::Failed(stage)
    } else if status.picked_up.contains(&stage) {
        Milestone::PickedUp
    } else if status.scheduled.is_empty() || status.scheduled.contains(&stage) {
        Milestone::Scheduled
    } else {
        return Some(Standing::Unknown);
    };
    let time = status.time.as_ref().and_then(|time| answer.pointer(time));
    let ago = time.and_then(seconds).map(|then_s| (wall_s() - then_s).max(0.0));
    let ago = ago.and_then(|ago_s| Duration::try_from_secs_f64(ago_s).ok());
    let at = ago.and_then(|ago| now.checked_sub(ago)).unwrap_or(now);
    Some(Standing::Reached(milestone, at))
}

/// Since 1970.
fn seconds(time: &Value) -> Option<f64> {
    /// In seconds that would be the year 5138.
    const MILLIS_FROM: f64 = 1e11;
    match time {
        Value::String(text) => parse_rfc3339(text).map(|micros| micros as f64 / 1e6),
        Value::Number(number) => {
            let number = number.as_f64()?;
            Some(if number < MILLIS_FROM {
                number
            } else {
                number / 1e3
            })
        }
        _ => None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "other servers' times are wall-clock time"
)]
fn wall_s() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> Status {
        Status {
            stage: "/job/state".to_owned(),
            time: Some("/job/since".to_owned()),
            scheduled: vec!["ASSIGNED".to_owned(), "2".to_owned()],
            picked_up: vec!["LOADED".to_owned()],
            completed: vec!["DONE".to_owned()],
            failed: vec!["REJECTED".to_owned()],
            ..own()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_is_found_where_the_pointer_says() {
        let now = Instant::now();
        let read = |answer: &str| standing(&status(), answer.as_bytes(), now);
        let reached = |milestone| Some(Standing::Reached(milestone, now));
        let scheduled = reached(Milestone::Scheduled);
        assert_eq!(read(r#"{"job":{"state":"ASSIGNED"}}"#), scheduled);
        assert_eq!(read(r#"{"job":{"state":2}}"#), scheduled);
        assert_eq!(
            read(r#"{"job":{"state":"LOADED"}}"#),
            reached(Milestone::PickedUp)
        );
        assert_eq!(read(r#"{"job":{"state":"DONE"}}"#), reached(Milestone::Completed));
        assert_eq!(
            read(r#"{"job":{"state":"REJECTED"}}"#),
            reached(Milestone::Failed("REJECTED".to_owned()))
        );
        for early in [r#"{"job":{"state":"NEW"}}"#, r#"{"job":{"state":null}}"#] {
            assert_eq!(read(early), Some(Standing::Unknown));
        }
        for other in ["{}", "busy", ""] {
            assert_eq!(read(other), None);
        }
    }

    #[tokio::test]
    async fn a_time_may_be_a_date_or_a_number_of_seconds_or_of_milliseconds() {
        let now = Instant::now();
        let two_minutes_ago_s = wall_s() - 120.0;
        let date = jiff::Timestamp::from_second(two_minutes_ago_s as i64).expect("it is a time");
        for time in [
            format!("\"{date}\""),
            format!("{two_minutes_ago_s}"),
            format!("{}", two_minutes_ago_s * 1e3),
        ] {
            let answer = format!(r#"{{"job":{{"state":"DONE","since":{time}}}}}"#);
            let Some(Standing::Reached(_, at)) = standing(&status(), answer.as_bytes(), now) else {
                panic!("it is done: {answer}");
            };
            let ago_s = (now - at).as_secs_f64();
            assert!((119.0..122.0).contains(&ago_s), "{time}: {ago_s}");
        }
    }
}
