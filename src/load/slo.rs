//! Whether what was found is what must be found.

use std::time::Duration;

use serde::Serialize;

use super::record::{Figures, Op, Recorder};
use super::timetable::Part;
use crate::scenario::{Limit, Measure, Objective};

/// Holds one objective against the figures, second by second and at the end.
#[derive(Debug)]
pub(super) struct Judge {
    objective: Objective,
    stage_name: Option<String>,
    window: Window,
    /// Seconds in a row in which it was missed.
    missed_for: Duration,
}

/// The stretch under way, and the worst one that is over.
#[derive(Debug, Default)]
struct Window {
    figures: Figures,
    lasted: Duration,
    worst: Option<f64>,
}

/// What became of one objective.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub op: &'static str,
    /// Null for shares.
    pub quantile: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    /// Milliseconds, or a share.
    pub max: f64,
    /// As `max`; null where nothing was measured.
    pub value: Option<f64>,
    pub met: bool,
}

impl Judge {
    pub fn new(objective: Objective, stage_name: Option<String>) -> Self {
        Judge {
            objective,
            stage_name,
            window: Window::default(),
            missed_for: Duration::ZERO,
        }
    }

    fn op(&self) -> Op {
        match self.objective.measure {
            Measure::Accept | Measure::Errors | Measure::LateStart => Op::Accept,
            Measure::Schedule => Op::Schedule,
            Measure::PickUp => Op::PickUp,
            Measure::Deliver => Op::Deliver,
            Measure::Seen => Op::Seen,
            Measure::Frame => Op::Frame,
        }
    }

    /// As the objective counts it: milliseconds, or a share.
    fn value(&self, figures: &Figures) -> Option<f64> {
        let share = |share| (figures.count > 0).then_some(share);
        match self.objective.measure {
            Measure::Errors => share(figures.error_share()),
            Measure::LateStart => share(figures.late_share()),
            _ => figures.quantile(self.objective.quantile).map(millis),
        }
    }

    fn max(&self) -> f64 {
        match self.objective.max {
            Limit::Latency(latency) => millis(latency),
            Limit::Share(share) => share,
        }
    }

    /// A measured second is over. Tells whether the test is to be broken off.
    pub fn second(&mut self, recorder: &Recorder, part: Part, lasted: Duration) -> bool {
        if self.objective.stage.is_some() && part.stage() != self.objective.stage {
            return false;
        }
        let now = &recorder.of(self.op()).measured_now;
        if let Some(length) = self.objective.window {
            self.window.figures.merge(now);
            self.window.lasted += lasted;
            // Seconds are a hair longer or shorter than a second.
            if self.window.lasted + lasted / 2 > length {
                let window = std::mem::take(&mut self.window);
                let value = self.value(&window.figures);
                self.window.worst = window.worst.into_iter().chain(value).reduce(f64::max);
            }
        }
        match self.value(now) {
            Some(value) if value > self.max() => self.missed_for += lasted,
            Some(_) => self.missed_for = Duration::ZERO,
            None => {}
        }
        let patience = self.objective.abort_after;
        patience.is_some_and(|patience| self.missed_for + lasted / 2 > patience)
    }

    pub fn verdict(&self, recorder: &Recorder) -> Verdict {
        let record = recorder.of(self.op());
        let figures = match self.objective.stage {
            Some(stage) => &record.by_stage[stage],
            None => &record.total,
        };
        // What was given up at the end is in no window.
        let value = self
            .window
            .worst
            .into_iter()
            .chain(self.value(figures))
            .reduce(f64::max);
        let is_share = matches!(self.objective.max, Limit::Share(_));
        Verdict {
            op: self.objective.measure.as_str(),
            quantile: (!is_share).then_some(self.objective.quantile),
            stage: self.stage_name.clone(),
            window_seconds: self.objective.window.map(|window| window.as_secs_f64()),
            max: self.max(),
            value,
            met: value.is_some_and(|value| value <= self.max()),
        }
    }
}

pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl Verdict {
    /// What is wanted, in words.
    pub fn wanted(&self) -> String {
        let stage = self
            .stage
            .as_ref()
            .map_or(String::new(), |stage| format!(" of stage {stage}"));
        let window = match self.window_seconds {
            Some(seconds) => format!(" in every {seconds} s"),
            None => String::new(),
        };
        match self.quantile {
            Some(quantile) => format!(
                "{} p{}{stage}{window} ≤ {} ms",
                self.op,
                percent(quantile),
                shown(self.max)
            ),
            None => format!("{}{stage}{window} ≤ {} %", self.op, shown(self.max * 100.0)),
        }
    }

    /// What was found, and by how much that is too much.
    pub fn found(&self) -> String {
        let Some(value) = self.value else {
            return "nothing was measured".to_owned();
        };
        let found = match self.quantile {
            Some(_) => format!("{} ms", shown(value)),
            None => format!("{} %", shown(value * 100.0)),
        };
        match (self.met, self.max > 0.0) {
            (true, _) | (false, false) => found,
            (false, true) => format!("{found}, {:.1} times as much", value / self.max),
        }
    }
}

/// 0.999 is 99.9.
fn percent(quantile: f64) -> String {
    let percent = (quantile * 1e6).round() / 1e4;
    format!("{percent}")
}

/// Three digits at most, and no noise behind them.
fn shown(value: f64) -> String {
    let digits = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::record::{End, Seen};

    const SECOND: Duration = Duration::from_secs(1);

    fn p99_under(ms: u64) -> Objective {
        Objective {
            measure: Measure::Accept,
            quantile: 0.99,
            max: Limit::Latency(Duration::from_millis(ms)),
            stage: None,
            window: None,
            abort_after: None,
        }
    }

    /// Plays seconds whose requests all take this long, in milliseconds.
    fn play(judge: &mut Judge, recorder: &mut Recorder, seconds: &[u64]) -> Option<usize> {
        let part = Part::Stage(0);
        let mut broken_off = None;
        for (number, ms) in seconds.iter().enumerate() {
            (0..100).for_each(|_| recorder.well(Op::Accept, part, Duration::from_millis(*ms)));
            recorder.settle();
            if judge.second(recorder, part, SECOND) {
                broken_off.get_or_insert(number);
            }
        }
        broken_off
    }

    #[test]
    fn an_objective_is_of_the_whole_unless_it_names_a_window() {
        let seconds = [[10; 50].as_slice(), &[900], &[10; 49]].concat();
        for (window, met) in [(None, true), (Some(10 * SECOND), false)] {
            let objective = Objective {
                quantile: 0.9,
                window,
                ..p99_under(50)
            };
            let (mut judge, mut recorder) = (Judge::new(objective, None), Recorder::new(1));
            // A tenth and a bit of one window is slow, and a hundredth of the whole.
            let seconds: Vec<u64> = seconds
                .iter()
                .flat_map(|ms| [*ms, if *ms == 900 { 900 } else { 10 }])
                .collect();
            play(&mut judge, &mut recorder, &seconds);
            assert_eq!(judge.verdict(&recorder).met, met, "{window:?}");
        }
    }

    #[test]
    fn a_test_is_broken_off_when_it_was_bad_for_long_enough() {
        let objective = Objective {
            abort_after: Some(3 * SECOND),
            ..p99_under(50)
        };
        let (mut judge, mut recorder) = (Judge::new(objective, None), Recorder::new(1));
        let seconds = [80, 80, 10, 80, 80, 80, 80];
        assert_eq!(play(&mut judge, &mut recorder, &seconds), Some(5));
    }

    #[test]
    fn a_verdict_says_what_was_wanted_and_by_how_much_it_was_missed() {
        let (mut judge, mut recorder) = (Judge::new(p99_under(50), Some("peak".into())), Recorder::new(1));
        assert_eq!(judge.verdict(&recorder).found(), "nothing was measured");
        assert!(!judge.verdict(&recorder).met);
        play(&mut judge, &mut recorder, &[100]);
        let verdict = judge.verdict(&recorder);
        assert_eq!(verdict.wanted(), "accept p99 of stage peak ≤ 50 ms");
        assert!(verdict.found().contains("2.0 times"), "{}", verdict.found());
        let share = Objective {
            measure: Measure::Errors,
            max: Limit::Share(0.001),
            ..p99_under(1)
        };
        let judge = Judge::new(share, None);
        let refused = Seen {
            end: End::Refused("503"),
            is_late: false,
        };
        recorder.add(Op::Accept, Part::Stage(0), refused);
        recorder.settle();
        let verdict = judge.verdict(&recorder);
        assert_eq!(verdict.wanted(), "errors ≤ 0.1 %");
        assert_eq!((verdict.met, verdict.value), (false, Some(1.0 / 101.0)));
    }
}
