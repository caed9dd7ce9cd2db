//! Where the processor's time goes, by what the threads are there for: the kernel's own
//! account of each thread of this process, user and system together.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Processor time of this process's threads, by what they do.
#[derive(Clone, Default)]
pub struct Spent(BTreeMap<&'static str, Duration>);

impl Spent {
    /// By all threads that are alive, since they began.
    pub fn so_far() -> Self {
        let mut spent = Spent::default();
        for task in fs::read_dir("/proc/self/task").expect("Linux tells a process's threads") {
            let path = task.expect("a folder can be read").path();
            // A thread may end between the two.
            let (Ok(name), Ok(stat)) = (
                fs::read_to_string(path.join("comm")),
                fs::read_to_string(path.join("schedstat")),
            ) else {
                continue;
            };
            *spent.0.entry(work_of(name.trim())).or_default() += on_cpu(&stat);
        }
        spent
    }

    /// Since `before`, what each kind of thread spent on one of so many requests; all threads
    /// of both must have lived throughout.
    pub fn each_since(&self, before: &Spent, requests: usize) -> Vec<(&'static str, f64)> {
        let each = |(work, spent): (&&'static str, &Duration)| {
            let earlier = before.0.get(work).copied().unwrap_or_default();
            (*work, micros(spent.saturating_sub(earlier), requests))
        };
        self.0.iter().map(each).collect()
    }
}

/// Of the calling thread, since it began.
pub fn of_this_thread() -> Duration {
    on_cpu(&fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time"))
}

pub fn micros(spent: Duration, requests: usize) -> f64 {
    1e6 * spent.as_secs_f64() / requests.max(1) as f64
}

fn on_cpu(schedstat: &str) -> Duration {
    let nanos = schedstat
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("the first figure is the time on a processor"))
}

fn work_of(thread: &str) -> &'static str {
    match thread {
        "http" => "HTTP",
        "world" => "world: ticks and publication",
        "store-writer" => "store",
        "floor-http" => "floor's HTTP",
        "floor-store" => "floor's store",
        name if name.starts_with("actix") => "ingestion (and idle sessions)",
        _ => "rest",
    }
}
