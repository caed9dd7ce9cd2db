//! What the system says of this process, by the names that every Prometheus client gives them.
//! Systems that say nothing in `/proc` have none of these.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::param::{clock_ticks_per_second, page_size};

/// A reading of `/proc/self`.
#[derive(Debug, PartialEq)]
struct Process {
    /// User and system time.
    cpu_s: f64,
    resident_bytes: u64,
    threads: u64,
    open_files: u64,
}

impl Process {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let open_files = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        Self::parse(&stat, open_files)
    }

    /// See proc_pid_stat(5).
    fn parse(stat: &str, open_files: u64) -> Option<Self> {
        // The second field is the program's name, which may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let (user, system) = (field(14)?, field(15)?);
        Some(Process {
            cpu_s: (user + system) as f64 / clock_ticks_per_second() as f64,
            resident_bytes: field(24)? * page_size() as u64,
            threads: field(20)?,
            open_files,
        })
    }
}

/// Reads when somebody asks.
#[derive(Debug)]
pub struct ProcessMetrics;

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder) -> std::fmt::Result {
        let Some(process) = Process::read() else {
            return Ok(());
        };
        let cpu = ConstCounter::new(process.cpu_s);
        let help = "User and system CPU time";
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, cpu.metric_type())?)?;
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Resident memory",
                process.resident_bytes,
            ),
            ("process_threads", "Threads", process.threads),
            ("process_open_fds", "Open file descriptors", process.open_files),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value as i64);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let stat = "7 (sky (haul) 1) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 1000 8192 30 1 1";
        let process = Process::parse(stat, 9).expect("it is whole");
        let ticks = clock_ticks_per_second() as f64;
        let expected = Process {
            cpu_s: 300.0 / ticks,
            resident_bytes: 30 * page_size() as u64,
            threads: 5,
            open_files: 9,
        };
        assert_eq!(process, expected);
        assert_eq!(Process::parse("7 (skyhaul) S 1", 9), None);
    }
}
