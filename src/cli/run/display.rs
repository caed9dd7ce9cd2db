//! How far runs have come: a bar on a terminal, lines elsewhere. On standard error only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::{News, Progress};
use crate::sim::time::Tick;

/// Plain progress lines come this often where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A bar on a terminal, lines elsewhere.
pub(in crate::cli) struct Display {
    bar: Option<ProgressBar>,
    began: Instant,
    next: Instant,
}

impl Display {
    #[expect(clippy::disallowed_methods, reason = "shows progress to people")]
    pub(in crate::cli) fn new(until: Tick) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(until));
        let began = Instant::now();
        let first = if bar.is_some() { Duration::ZERO } else { LINE_EVERY };
        Display {
            bar,
            began,
            next: began + first,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "shows progress to people")]
    pub(in crate::cli) fn show(&mut self, progress: &Progress) {
        // The clock is not worth asking on every one of a million ticks.
        if !progress.tick.is_multiple_of(16) {
            return;
        }
        let now = Instant::now();
        if now < self.next {
            return;
        }
        let line = progress_line(progress, now - self.began);
        match &self.bar {
            Some(bar) => {
                self.next = now + Duration::from_millis(100);
                bar.set_position(progress.tick);
                bar.set_message(line);
            }
            None => {
                self.next = now + LINE_EVERY;
                eprintln!("{:>3} %  {line}", progress.tick * 100 / progress.until);
            }
        }
    }

    pub(in crate::cli) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Several runs at once: one bar for all of their ticks.
pub(super) struct Several {
    bar: Option<ProgressBar>,
    runs: usize,
    ended: AtomicUsize,
}

impl Several {
    pub(in crate::cli) fn new(runs: usize, until: Tick) -> Self {
        let all = until.saturating_mul(runs as u64);
        let bar = std::io::stderr().is_terminal().then(|| bar(all));
        Several {
            bar,
            runs,
            ended: AtomicUsize::new(0),
        }
    }

    /// From any of the threads.
    pub(in crate::cli) fn show(&self, news: &News<'_>) {
        match (news, &self.bar) {
            (News::Ticks(more), Some(bar)) => bar.inc(*more),
            (News::Ticks(_), None) => {}
            (News::Ended(run), bar) => {
                let ended = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
                let summary = &run.summary;
                let line = format!(
                    "{ended} of {} runs; {} with seed {}: {} of {} delivered",
                    self.runs,
                    summary.policy,
                    summary.seed,
                    summary.deliveries.completed,
                    summary.deliveries.requested,
                );
                match bar {
                    Some(bar) => bar.set_message(line),
                    None => eprintln!("{line}"),
                }
            }
        }
    }

    pub(in crate::cli) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(ticks: Tick) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3}%  {msg}  eta {eta}");
    ProgressBar::new(ticks).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn progress_line(progress: &Progress, wall: Duration) -> String {
    let deliveries = &progress.deliveries;
    format!(
        "{}  ×{:.0}  {} of {} delivered  {} aloft",
        clock(progress.at.as_secs()),
        progress.at.as_secs() / wall.as_secs_f64().max(1e-9),
        deliveries.completed,
        deliveries.requested,
        progress.airborne,
    )
}

/// `HH:MM:SS`
pub(in crate::cli) fn clock(secs: f64) -> String {
    let secs = secs as u64;
    format!("{:02}:{:02}:{:02}", secs / 3_600, secs / 60 % 60, secs % 60)
}
