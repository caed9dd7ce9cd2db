//! How a test goes, while it does: a bar with the last second's figures on a terminal, a line
//! now and then elsewhere. On standard error only.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::table::{count, ms};
use crate::load::{Plan, Progress};

/// Seconds between plain lines where there is no terminal.
const LINE_EVERY: usize = 10;

pub(super) struct Display {
    bar: Option<ProgressBar>,
    seconds: usize,
}

impl Display {
    pub fn new(plan: &Plan) -> Self {
        let stages = plan.load.stages.iter().map(|stage| stage.lasts);
        let total = plan.load.warmup + stages.sum::<std::time::Duration>();
        let bar = std::io::stderr().is_terminal().then(|| bar(total.as_secs()));
        Display { bar, seconds: 0 }
    }

    pub fn show(&mut self, progress: &Progress<'_>) {
        self.seconds += 1;
        let line = line(progress);
        match &self.bar {
            Some(bar) => {
                bar.set_position(progress.elapsed.as_secs().min(progress.total.as_secs()));
                bar.set_message(line);
            }
            None if self.seconds.is_multiple_of(LINE_EVERY) => {
                eprintln!("{:>4} s  {line}", progress.elapsed.as_secs());
            }
            None => {}
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total_s: u64) -> ProgressBar {
    const TEMPLATE: &str = "{bar:24} {pos}/{len} s  {msg}";
    let bar = ProgressBar::new(total_s);
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar
}

fn line(progress: &Progress<'_>) -> String {
    let second = progress.second;
    let stage = match (&second.stage, progress.is_draining) {
        (_, true) => "drain".to_owned(),
        (Some(stage), false) => format!("stage {stage}"),
        (None, false) => "warm-up".to_owned(),
    };
    let mut line = format!(
        "{stage}  {}/s of {}/s  p50 {}  p99 {}",
        count(second.accepted),
        count(second.wanted.round() as u64),
        ms(second.p50_ms),
        ms(second.p99_ms),
    );
    if progress.errors > 0 {
        line += &format!("  {} errors", count(progress.errors));
    }
    if let Some(unscheduled) = progress.unscheduled {
        line += &format!("  {} to schedule", count(unscheduled));
        if second.unscheduled_age_ms.is_some() {
            line += &format!(", the oldest for {}", ms(second.unscheduled_age_ms));
        }
    }
    if second.frames > 0 {
        line += &format!(
            "  {} frames p99 {}",
            count(second.frames),
            ms(second.frame_p99_ms)
        );
    }
    if second.waiting > 0 {
        line += &format!("  {} wait for a connection", count(second.waiting as u64));
    }
    line
}
