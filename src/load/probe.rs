//! What the target says of itself while it is tested: processor, memory, and what waits there
//! to be admitted, off its `/metrics`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::exchange::Line;
use super::stand::Stand;
use super::target::Dial;

/// Telling costs the target something too.
const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

/// The target's own figures; what it does not tell is null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inside {
    /// Of one processor, since the look before.
    pub cpu_share: Option<f64>,
    pub resident_bytes: Option<f64>,
    /// Accepted and not admitted.
    pub inbox: Option<f64>,
}

/// Looks until it is aborted, and puts what it finds where the monitor looks.
pub(super) async fn watch<D: Dial>(stand: Rc<Stand<D>>, found: Rc<Cell<Option<Inside>>>) {
    let (path, lines) = (stand.target.path("/metrics"), stand.target.lines());
    let mut line = Line::default();
    let mut before: Option<(Instant, f64)> = None;
    loop {
        let asked = line.ask_for(&stand.dial, usize::MAX, |request| {
            request.begin("GET", &path, &lines);
        });
        let answered = timeout(PATIENCE, asked).await;
        let text = std::str::from_utf8(line.body());
        if let (Ok(Ok(200)), Ok(text)) = (answered, text) {
            let now = Instant::now();
            let cpu_s = gauge(text, "process_cpu_seconds_total");
            let cpu_share = cpu_s
                .zip(before)
                .map(|(cpu_s, (then, earlier_s))| (cpu_s - earlier_s) / (now - then).as_secs_f64());
            before = cpu_s.map(|cpu_s| (now, cpu_s));
            found.set(Some(Inside {
                cpu_share,
                resident_bytes: gauge(text, "process_resident_memory_bytes"),
                inbox: gauge(text, "skyhaul_queue_depth{queue=\"inbox\"}"),
            }));
        }
        sleep(EVERY).await;
    }
}

/// One number of the Prometheus text format.
fn gauge(text: &str, name: &str) -> Option<f64> {
    let rest = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_is_found_by_its_whole_name() {
        let text = "# TYPE a gauge\nab 1\na{b=\"c\"} 2.5\na 3 1700000000\n# EOF\n";
        assert_eq!(gauge(text, "a"), Some(3.0));
        assert_eq!(gauge(text, "a{b=\"c\"}"), Some(2.5));
        assert_eq!(gauge(text, "c"), None);
    }
}
