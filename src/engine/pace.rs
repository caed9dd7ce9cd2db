//! When the next tick is due, and how late it is. Never changes what a tick does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::sim::time::{SimTime, Tick};
use crate::view::commands::PaceChange;
use crate::view::reading::{Pace as PaceReading, RunState, Speed};

/// The real-time factor is measured over this much wall time.
const WINDOW: Duration = Duration::from_secs(3);

pub struct Pace {
    speed: Speed,
    paused: bool,
    pause_at: Option<Tick>,
    /// Where wall and simulated time were last set equal; none until the first tick after.
    anchor: Option<(Instant, SimTime)>,
    slip: Duration,
    /// Smoothed over some ten ticks; seconds.
    tick_s: f64,
    /// When recent ticks began.
    marks: VecDeque<(Instant, SimTime)>,
}

impl Pace {
    pub fn new(speed: Speed, paused: bool) -> Self {
        Pace {
            speed,
            paused,
            pause_at: None,
            anchor: None,
            slip: Duration::ZERO,
            tick_s: 0.0,
            marks: VecDeque::new(),
        }
    }

    pub fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether this tick is to be the last for now.
    pub fn pauses_after(&self, tick: Tick) -> bool {
        self.pause_at == Some(tick)
    }

    /// Takes effect at once. A pause that was set for a tick holds until its tick, or another
    /// one, whoever pauses and resumes meanwhile.
    pub fn change(&mut self, change: PaceChange) {
        let before = (self.paused, self.speed);
        if let Some(paused) = change.paused {
            self.paused = paused;
        }
        if let Some(speed) = change.speed {
            self.speed = speed;
        }
        if change.pause_at_tick.is_some() {
            self.pause_at = change.pause_at_tick;
        }
        if before != (self.paused, self.speed) {
            self.set_anew();
        }
    }

    /// After a standstill nothing is caught up: the clock goes on from where it stood.
    pub fn set_anew(&mut self) {
        self.anchor = None;
        self.slip = Duration::ZERO;
        self.marks.clear();
    }

    /// When the tick that starts at `sim` is due; `None` means at once.
    pub fn due(&mut self, now: Instant, sim: SimTime) -> Option<Instant> {
        let Speed::Times(times) = self.speed else {
            return None;
        };
        let (wall_anchor, sim_anchor) = *self.anchor.get_or_insert((now, sim));
        let ahead = Duration::try_from_secs_f64(sim.since(sim_anchor).as_secs() / times);
        let due = ahead.ok().and_then(|ahead| wall_anchor.checked_add(ahead));
        due.filter(|due| *due > now)
    }

    /// A tick that starts at `sim` begins now.
    pub fn tick_begins(&mut self, now: Instant, sim: SimTime) {
        self.slip = match (self.speed, self.anchor) {
            (Speed::Times(times), Some((wall_anchor, sim_anchor))) => {
                let ahead = Duration::try_from_secs_f64(sim.since(sim_anchor).as_secs() / times);
                now.saturating_duration_since(wall_anchor)
                    .saturating_sub(ahead.unwrap_or(Duration::MAX))
            }
            _ => Duration::ZERO,
        };
        self.marks.push_back((now, sim));
        while self
            .marks
            .front()
            .is_some_and(|(wall, _)| now.saturating_duration_since(*wall) > WINDOW)
        {
            self.marks.pop_front();
        }
    }

    /// A tick took this long to compute.
    pub fn tick_took(&mut self, time: Duration) {
        self.tick_s += (time.as_secs_f64() - self.tick_s) * 0.1;
    }

    /// Pauses where that was asked for; answers whether it has just paused.
    pub fn tick_ended(&mut self, tick: Tick) -> bool {
        let reached = self.pause_at.is_some_and(|pause_at| tick >= pause_at);
        if reached {
            self.pause_at = None;
            self.paused = true;
            self.set_anew();
        }
        reached
    }

    pub fn reading(&self) -> PaceReading {
        let state = if self.paused {
            RunState::Paused
        } else {
            RunState::Running
        };
        PaceReading {
            state,
            speed: self.speed,
            real_time_factor: self.real_time_factor(),
            tick_slip_ms: self.slip.as_secs_f64() * 1_000.0,
            tick_ms: self.tick_s * 1_000.0,
        }
    }

    /// As measured; in the moment before anything is, what is aimed at.
    fn real_time_factor(&self) -> f64 {
        if self.paused {
            return 0.0;
        }
        let measured = self.marks.front().zip(self.marks.back());
        let measured = measured.and_then(|((wall0, sim0), (wall1, sim1))| {
            let wall = wall1.saturating_duration_since(*wall0).as_secs_f64();
            (wall > 0.0).then(|| sim1.since(*sim0).as_secs() / wall)
        });
        measured.unwrap_or(match self.speed {
            Speed::Times(times) => times,
            Speed::Max => 0.0,
        })
    }
}

/// The wall clock, for pace and telemetry only.
#[expect(
    clippy::disallowed_methods,
    reason = "pace ties simulated time to the wall clock"
)]
pub fn wall_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: f64) -> SimTime {
        SimTime::from_secs(secs)
    }

    #[test]
    fn ticks_are_due_by_the_speed_and_slip_is_told_not_hidden() {
        let start = wall_now();
        let mut pace = Pace::new(Speed::Times(2.0), false);
        assert_eq!(pace.due(start, secs(0.0)), None, "the first tick is due at once");
        pace.tick_begins(start, secs(0.0));
        let due = start + Duration::from_millis(50);
        assert_eq!(pace.due(start, secs(0.1)), Some(due));
        let late = due + Duration::from_millis(30);
        assert_eq!(pace.due(late, secs(0.1)), None);
        pace.tick_begins(late, secs(0.1));
        let reading = pace.reading();
        assert!((reading.tick_slip_ms - 30.0).abs() < 1e-6, "{reading:?}");
        assert!(
            (reading.real_time_factor - 0.1 / 0.08).abs() < 1e-6,
            "{reading:?}"
        );
        assert_eq!(
            pace.due(late, secs(0.2)),
            Some(start + Duration::from_millis(100)),
            "and caught up"
        );
    }

    #[test]
    fn a_new_speed_counts_from_now_on() {
        let start = wall_now();
        let mut pace = Pace::new(Speed::Times(1.0), false);
        pace.due(start, secs(0.0));
        pace.tick_begins(start, secs(0.0));
        let later = start + Duration::from_secs(60);
        pace.change(PaceChange {
            speed: Some(Speed::Times(4.0)),
            ..PaceChange::default()
        });
        assert_eq!(
            pace.reading().real_time_factor,
            4.0,
            "what is aimed at, until it is measured"
        );
        assert_eq!(pace.due(later, secs(60.0)), None);
        pace.tick_begins(later, secs(60.0));
        assert_eq!(pace.reading().tick_slip_ms, 0.0);
        assert_eq!(
            pace.due(later, secs(60.4)),
            Some(later + Duration::from_millis(100))
        );
    }

    #[test]
    fn a_pause_that_was_asked_for_comes_at_its_tick_and_nothing_is_caught_up() {
        let start = wall_now();
        let mut pace = Pace::new(Speed::Times(1.0), false);
        pace.change(PaceChange {
            pause_at_tick: Some(3),
            ..PaceChange::default()
        });
        assert!(!pace.tick_ended(2));
        assert!(pace.tick_ended(3) && pace.is_paused());
        assert_eq!(pace.reading().real_time_factor, 0.0);
        pace.change(PaceChange {
            paused: Some(false),
            ..PaceChange::default()
        });
        let much_later = start + Duration::from_secs(3_600);
        assert_eq!(pace.due(much_later, secs(0.3)), None);
        pace.tick_begins(much_later, secs(0.3));
        assert_eq!(pace.reading().tick_slip_ms, 0.0);
    }
}
