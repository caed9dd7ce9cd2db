//! What machine a test ran on, as far as the system tells.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    pub processor: Option<String>,
    /// That this process may use.
    pub cores: usize,
    pub memory_bytes: Option<u64>,
    pub system: Option<String>,
    pub version: &'static str,
}

impl Machine {
    pub fn here() -> Self {
        let read = |path| std::fs::read_to_string(path).ok();
        Machine {
            processor: read("/proc/cpuinfo").as_deref().and_then(processor),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: read("/proc/meminfo").as_deref().and_then(memory_bytes),
            system: read("/proc/sys/kernel/osrelease").map(|release| format!("Linux {}", release.trim())),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_own_words_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC 7763\ncpu MHz\t: 2445\n";
        assert_eq!(processor(cpuinfo).as_deref(), Some("AMD EPYC 7763"));
        assert_eq!(
            memory_bytes("MemTotal:       16384 kB\nMemFree: 1 kB\n"),
            Some(16 << 20)
        );
        assert_eq!((processor(""), memory_bytes("")), (None, None));
    }
}
