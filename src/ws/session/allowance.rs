//! How much a client may still say: so many messages a second, saved for two at most.

use tokio::time::Instant;

pub(super) struct Allowance {
    per_second: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    pub fn full(per_second: u32) -> Self {
        let per_second = f64::from(per_second);
        Allowance {
            per_second,
            left: per_second * 2.0,
            at: Instant::now(),
        }
    }

    pub fn take(&mut self) -> bool {
        let now = Instant::now();
        let earned = now.duration_since(self.at).as_secs_f64() * self.per_second;
        self.at = now;
        self.left = (self.left + earned).min(self.per_second * 2.0);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}
