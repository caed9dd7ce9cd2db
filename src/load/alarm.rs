//! Waits for moments more finely than the runtime's own timers do, whose millisecond would be
//! most of what a quick target takes. One thread has one of these.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Never goes off more often than this: what is due within it is handed out together, and so
/// late that many requests a second cost no wake-up each.
const BREATH: Duration = Duration::from_micros(200);

pub struct Alarm {
    fine: Option<fine::Timer>,
    last: Cell<Option<Instant>>,
}

impl Alarm {
    /// By the runtime's clock, which tests stop.
    pub fn coarse() -> Self {
        Alarm {
            fine: None,
            last: Cell::new(None),
        }
    }

    /// By the system's, where it has one that is finer.
    pub fn fine() -> Self {
        Alarm {
            fine: fine::Timer::new(),
            ..Alarm::coarse()
        }
    }

    pub async fn until(&self, at: Instant) {
        let Some(timer) = &self.fine else {
            return sleep_until(at).await;
        };
        let breath = self.last.get().map_or(at, |last| last + BREATH);
        if timer.until(at.max(breath)).await.is_err() {
            sleep_until(at).await;
        }
        self.last.set(Some(Instant::now()));
    }
}

#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
    use rustix::time::{timerfd_create, timerfd_settime};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;
    use tokio::time::Instant;

    pub struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        /// In a runtime only.
        #[expect(
            deprecated,
            reason = "sound for an `OwnedFd`, and its successor is unsafe to call"
        )]
        pub fn new() -> Option<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags).ok()?;
            AsyncFd::with_interest(timer, Interest::READABLE).ok().map(Timer)
        }

        pub async fn until(&self, at: Instant) -> io::Result<()> {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // Whoever is always late lets others have their turn.
                tokio::task::yield_now().await;
                return Ok(());
            }
            let zero = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let once = Itimerspec {
                it_interval: zero,
                it_value: Timespec {
                    tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: left.subsec_nanos().into(),
                },
            };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            let read = |timer: &OwnedFd| Ok(rustix::io::read(timer, &mut [0; 8])?);
            self.0.async_io(Interest::READABLE, read).await.map(drop)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod fine {
    use std::io;

    use tokio::time::Instant;

    /// There is none.
    pub enum Timer {}

    impl Timer {
        pub fn new() -> Option<Self> {
            None
        }

        pub async fn until(&self, _: Instant) -> io::Result<()> {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_never_goes_off_early_and_takes_the_past_for_now() {
        for alarm in [Alarm::coarse(), Alarm::fine()] {
            for wait in [0, 30, 700, 2_500].map(Duration::from_micros) {
                let at = Instant::now() + wait;
                alarm.until(at).await;
                assert!(Instant::now() >= at, "{wait:?}");
            }
            let past = Instant::now() - Duration::from_secs(1);
            alarm.until(past).await;
        }
    }
}
