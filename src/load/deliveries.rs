//! What became of what was accepted: each delivery from its 202 to its end, as somebody who
//! follows it hears.
//!
//! Times count from when the request was due. What is heard of a delivery before the answer
//! that names it is kept for a moment.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::record::{End, Op, Recorder, Seen};
use super::timetable::Part;

#[expect(
    clippy::disallowed_types,
    reason = "walked through only where order shows nowhere"
)]
type ById<T> = std::collections::HashMap<u128, T>;

/// How far a delivery has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Milestone {
    /// Its workflow is done.
    Scheduled,
    PickedUp,
    Completed,
    /// It came to nothing, and this is why.
    Failed(String),
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    part: Part,
    due: Instant,
    is_scheduled: bool,
    is_picked_up: bool,
}

/// Those that wait for their next step, by when their requests were due.
#[derive(Default)]
struct Queue(BTreeSet<(Instant, u128)>);

impl Queue {
    fn age(&self, now: Instant) -> Option<Duration> {
        let (oldest, _) = self.0.first()?;
        Some(now.saturating_duration_since(*oldest))
    }
}

/// So long, and of so many, what is heard of unknown deliveries is kept: they may be ours, and
/// their answers on the way.
const KEPT: Duration = Duration::from_secs(15);
const MOST_KEPT: usize = 500_000;
/// Deliveries that watchers may still choose from.
const MOST_FRESH: usize = 10_000;

#[derive(Default)]
pub(super) struct Deliveries {
    /// Whether anybody hears how they go on.
    pub is_followed: bool,
    under_way: ById<UnderWay>,
    unscheduled: Queue,
    uncollected: Queue,
    early: ById<Vec<(Milestone, Instant)>>,
    early_since: VecDeque<(Instant, u128)>,
    /// Newest last.
    fresh: VecDeque<String>,
    /// Watchers will ask for some.
    pub keeps_fresh: bool,
    /// Whether or not their answers named them.
    pub accepted: u64,
    /// Accepted, and their answers did not.
    pub nameless: u64,
    pub scheduled: u64,
    pub picked_up: u64,
    pub completed: u64,
    pub failed: u64,
}

/// Ids are UUIDs; of others a hash stands for them.
fn key(id: &str) -> u128 {
    match uuid::Uuid::try_parse(id) {
        Ok(uuid) => uuid.as_u128(),
        Err(_) => {
            let hash = blake3::hash(id.as_bytes());
            u128::from_le_bytes(hash.as_bytes()[..16].try_into().expect("a hash has 32 bytes"))
        }
    }
}

impl Deliveries {
    pub fn new(is_followed: bool) -> Self {
        Deliveries {
            is_followed,
            ..Deliveries::default()
        }
    }

    pub fn accepted(&mut self, id: &str, part: Part, due: Instant, now: Instant, recorder: &mut Recorder) {
        if self.keeps_fresh {
            if self.fresh.len() == MOST_FRESH {
                self.fresh.pop_front();
            }
            self.fresh.push_back(id.to_owned());
        }
        if !self.is_followed {
            return;
        }
        let key = key(id);
        let delivery = UnderWay {
            part,
            due,
            is_scheduled: false,
            is_picked_up: false,
        };
        if let Some(namesake) = self.under_way.insert(key, delivery) {
            self.unscheduled.0.remove(&(namesake.due, key));
            self.uncollected.0.remove(&(namesake.due, key));
        }
        self.unscheduled.0.insert((due, key));
        for (milestone, at) in self.early.remove(&key).unwrap_or_default() {
            self.reached(key, &milestone, at, recorder);
        }
        self.forget(now);
    }

    /// One that was accepted a moment ago and that nobody watches yet.
    pub fn fresh(&mut self) -> Option<String> {
        self.fresh.pop_back()
    }

    pub fn heard(&mut self, id: &str, milestone: Milestone, now: Instant, recorder: &mut Recorder) {
        let key = key(id);
        if self.under_way.contains_key(&key) {
            self.reached(key, &milestone, now, recorder);
        } else if self.early_since.len() < MOST_KEPT {
            self.early.entry(key).or_default().push((milestone, now));
            self.early_since.push_back((now, key));
        }
        self.forget(now);
    }

    fn reached(&mut self, key: u128, milestone: &Milestone, at: Instant, recorder: &mut Recorder) {
        let Some(delivery) = self.under_way.get_mut(&key) else {
            return;
        };
        let UnderWay {
            part,
            due,
            is_scheduled,
            is_picked_up,
        } = *delivery;
        let took = at.saturating_duration_since(due);
        delivery.is_scheduled = true;
        delivery.is_picked_up |= *milestone == Milestone::PickedUp;
        self.unscheduled.0.remove(&(due, key));
        if *milestone != Milestone::Scheduled {
            self.uncollected.0.remove(&(due, key));
        }
        let mut seen = |op, end| recorder.add(op, part, Seen { end, is_late: false });
        match milestone {
            // A delivery that changes hands is scheduled anew.
            Milestone::Scheduled if is_scheduled => {}
            Milestone::Scheduled => {
                self.scheduled += 1;
                self.uncollected.0.insert((due, key));
                seen(Op::Schedule, End::Well(took));
            }
            // Nor is it picked up twice.
            Milestone::PickedUp if is_picked_up => {}
            Milestone::PickedUp => {
                self.picked_up += 1;
                seen(Op::PickUp, End::Well(took));
            }
            Milestone::Completed => {
                self.completed += 1;
                seen(Op::Deliver, End::Well(took));
                self.under_way.remove(&key);
            }
            Milestone::Failed(why) => {
                self.failed += 1;
                let op = if is_scheduled { Op::Deliver } else { Op::Schedule };
                seen(op, End::Refused(why));
                self.under_way.remove(&key);
            }
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some((since, key)) = self.early_since.front() {
            if now.saturating_duration_since(*since) < KEPT {
                break;
            }
            self.early.remove(key);
            self.early_since.pop_front();
        }
    }

    /// How long ago the request was due that waits the longest for its workflow to be done, and the
    /// one that waits the longest for a drone to have the package.
    pub fn ages(&self, now: Instant) -> (Option<Duration>, Option<Duration>) {
        (self.unscheduled.age(now), self.uncollected.age(now))
    }

    /// Those whose workflow is not done, and those that are not at their end.
    pub fn unfinished(&self) -> (u64, u64) {
        (self.unscheduled.0.len() as u64, self.under_way.len() as u64)
    }

    /// The test is over. A workflow that was waited for in vain, for so long at least, stands among
    /// the times with that. Deliveries under way do not: they take as long as drones fly.
    pub fn give_up(&self, now: Instant, at_least: Duration, recorder: &mut Recorder) {
        let waiting = self.under_way.values().filter(|delivery| !delivery.is_scheduled);
        for UnderWay { part, due, .. } in waiting {
            let waited = now.saturating_duration_since(*due);
            if waited >= at_least {
                let end = End::GivenUp {
                    kind: "unscheduled",
                    waited,
                };
                recorder.add(Op::Schedule, *part, Seen { end, is_late: false });
            }
        }
    }

    pub fn are_all_over(&self) -> bool {
        self.under_way.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01932a5e-7e1c-7b3a-8c1d-2f0e5a6b7c8d";
    const SECOND: Duration = Duration::from_secs(1);

    fn followed() -> Deliveries {
        Deliveries::new(true)
    }

    fn p50_s(recorder: &mut Recorder, op: Op) -> Option<u64> {
        recorder.settle();
        recorder.of(op).total.quantile(0.5).map(|time| time.as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_is_timed_from_when_its_request_was_due() {
        let (mut deliveries, mut recorder) = (followed(), Recorder::new(1));
        let due = Instant::now();
        let part = Part::Stage(0);
        deliveries.accepted(ID, part, due, due + SECOND, &mut recorder);
        assert_eq!(deliveries.ages(due + 2 * SECOND), (Some(2 * SECOND), None));
        deliveries.heard(ID, Milestone::Scheduled, due + 2 * SECOND, &mut recorder);
        assert_eq!(deliveries.unfinished(), (0, 1));
        assert_eq!(deliveries.ages(due + 3 * SECOND), (None, Some(3 * SECOND)));
        deliveries.heard(ID, Milestone::Scheduled, due + 5 * SECOND, &mut recorder);
        for later_s in [6, 7] {
            deliveries.heard(ID, Milestone::PickedUp, due + later_s * SECOND, &mut recorder);
        }
        assert_eq!(deliveries.ages(due + 8 * SECOND), (None, None));
        deliveries.heard(ID, Milestone::Completed, due + 9 * SECOND, &mut recorder);
        assert_eq!(p50_s(&mut recorder, Op::Schedule), Some(2));
        assert_eq!(p50_s(&mut recorder, Op::PickUp), Some(6));
        assert_eq!((deliveries.picked_up, deliveries.completed), (1, 1));
        assert_eq!(recorder.of(Op::Schedule).total.count, 1);
        assert_eq!(p50_s(&mut recorder, Op::Deliver), Some(9));
        assert_eq!(deliveries.unfinished(), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn news_may_come_before_the_answer_and_others_deliveries_are_not_ours() {
        let (mut deliveries, mut recorder) = (followed(), Recorder::new(1));
        let due = Instant::now();
        deliveries.heard(ID, Milestone::Scheduled, due + SECOND, &mut recorder);
        deliveries.heard(
            "somebody else's",
            Milestone::Completed,
            due + SECOND,
            &mut recorder,
        );
        deliveries.accepted(ID, Part::Stage(0), due, due + 2 * SECOND, &mut recorder);
        assert_eq!(p50_s(&mut recorder, Op::Schedule), Some(1));
        let later = due + KEPT + 2 * SECOND;
        deliveries.heard("later", Milestone::Scheduled, later, &mut recorder);
        assert_eq!((deliveries.early.len(), deliveries.early_since.len()), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_with_one_id_the_later_is_followed() {
        let (mut deliveries, mut recorder) = (followed(), Recorder::new(1));
        let due = Instant::now();
        for later in [Duration::ZERO, SECOND] {
            deliveries.accepted(ID, Part::Stage(0), due + later, due + SECOND, &mut recorder);
        }
        assert_eq!(deliveries.unfinished(), (1, 1));
        deliveries.heard(ID, Milestone::Completed, due + 2 * SECOND, &mut recorder);
        assert_eq!(deliveries.unfinished(), (0, 0));
        assert_eq!(deliveries.ages(due + 3 * SECOND), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_never_scheduled_is_not_left_out_of_the_times() {
        let (mut deliveries, mut recorder) = (followed(), Recorder::new(1));
        let due = Instant::now();
        for id in ["a", "b", "c"] {
            deliveries.accepted(id, Part::Stage(0), due, due, &mut recorder);
        }
        deliveries.heard("a", Milestone::Scheduled, due + SECOND, &mut recorder);
        deliveries.give_up(due + 30 * SECOND, SECOND, &mut recorder);
        assert_eq!(p50_s(&mut recorder, Op::Schedule), Some(30));
        assert_eq!(recorder.of(Op::Schedule).total.errors["unscheduled"], 2);
        assert_eq!(
            (recorder.of(Op::Deliver).total.count, deliveries.unfinished()),
            (0, (2, 3))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_an_error_of_where_it_had_come_to() {
        let (mut deliveries, mut recorder) = (followed(), Recorder::new(1));
        let due = Instant::now();
        for id in ["a", "b"] {
            deliveries.accepted(id, Part::Stage(0), due, due, &mut recorder);
        }
        deliveries.heard("a", Milestone::Failed("no_drone".into()), due, &mut recorder);
        deliveries.heard("b", Milestone::Scheduled, due, &mut recorder);
        deliveries.heard("b", Milestone::Failed("drone_lost".into()), due, &mut recorder);
        recorder.settle();
        assert_eq!(recorder.of(Op::Schedule).total.errors["no_drone"], 1);
        assert_eq!(recorder.of(Op::Deliver).total.errors["drone_lost"], 1);
        assert!(deliveries.are_all_over());
        assert_eq!(deliveries.ages(due + SECOND), (None, None));
    }
}
