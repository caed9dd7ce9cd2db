//! When what is due: simulated against wall time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// As good as never.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Begins with the first wait.
pub struct Schedule {
    /// Simulated seconds a second.
    speed: f64,
    began: Option<Instant>,
    stop: watch::Receiver<bool>,
}

/// It is to end before that.
pub struct Stopped;

impl Schedule {
    pub fn new(speed: f64, stop: watch::Receiver<bool>) -> Self {
        Schedule {
            speed,
            began: None,
            stop,
        }
    }

    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Whether it is to end.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Until so many simulated seconds have gone by; answers at once where they have. Nothing is
    /// left out: who is late catches up.
    pub async fn wait(&mut self, sim_s: f64) -> Result<(), Stopped> {
        let due = self.due(now(), sim_s);
        tokio::select! {
            () = sleep_until(due) => Ok(()),
            _ = self.stop.wait_for(|stop| *stop) => Err(Stopped),
        }
    }

    /// Wall seconds since that was due.
    pub fn late_s(&mut self, sim_s: f64) -> f64 {
        let now = now();
        now.saturating_duration_since(self.due(now, sim_s)).as_secs_f64()
    }

    fn due(&mut self, now: Instant, sim_s: f64) -> Instant {
        let began = *self.began.get_or_insert(now);
        began + Duration::try_from_secs_f64(sim_s / self.speed).unwrap_or(FAR)
    }
}

fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_follows_from_the_first_moment_alone() {
        let (_stop, stopped) = watch::channel(false);
        let mut schedule = Schedule::new(10.0, stopped);
        let began = now();
        assert_eq!(schedule.due(began, 0.0), began);
        let late = began + Duration::from_millis(5_500);
        assert_eq!(schedule.due(late, 40.0), began + Duration::from_secs(4));
        assert_eq!(
            schedule.due(late, 60.0),
            began + Duration::from_secs(6),
            "on time again"
        );
        assert!(schedule.due(late, 1e30) > began + FAR / 2);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_a_stop() {
        let (stop, stopped) = watch::channel(false);
        let mut schedule = Schedule::new(1.0, stopped);
        assert!(schedule.wait(0.0).await.is_ok());
        let (woken, ()) = tokio::join!(schedule.wait(1e9), async {
            stop.send(true).expect("it listens");
        });
        assert!(woken.is_err());
    }
}
