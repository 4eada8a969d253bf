//! The process itself: version, memory, processor time and open files, under the names that all Prometheus clients use.
//! On systems without `/proc`, all values but the version are missing.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub(super) fn register(registry: &mut Registry) {
    let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("songda_build", "The program", version);
    registry.register_collector(Box::new(Process));
}

/// Reads the values of the process from `/proc` at each scrape.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(bytes) = resident_bytes() {
            let help = "Resident memory of the process";
            encode(&mut encoder, "process_resident_memory", help, Some(&Unit::Bytes), &ConstGauge::new(bytes))?;
        }
        if let Some(seconds) = cpu_seconds() {
            let help = "Processor time of the process, user and system";
            encode(&mut encoder, "process_cpu", help, Some(&Unit::Seconds), &ConstCounter::new(seconds))?;
        }
        if let Some(seconds) = started_at() {
            let help = "The start of the process, in seconds since 1970";
            encode(&mut encoder, "process_start_time", help, Some(&Unit::Seconds), &ConstGauge::new(seconds))?;
        }
        if let Some(open) = open_files() {
            encode(&mut encoder, "process_open_fds", "Open files and sockets", None, &ConstGauge::new(open))?;
        }
        if let Some(limit) = file_limit() {
            let help = "The most files and sockets that may be open";
            encode(&mut encoder, "process_max_fds", help, None, &ConstGauge::new(limit))?;
        }
        Ok(())
    }
}

fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    metric: &impl EncodeMetric,
) -> fmt::Result {
    metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
}

/// The resident memory in bytes, from `VmRSS` of proc_pid_status(5), which counts units of 1024 bytes.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The processor time in seconds, from the fields `utime` and `stime` of proc_pid_stat(5).
fn cpu_seconds() -> Option<f64> {
    Some(stat_seconds(14)? + stat_seconds(15)?)
}

/// The start of the process in seconds since 1970: `btime` of proc_stat(5) plus `starttime` of proc_pid_stat(5).
fn started_at() -> Option<f64> {
    let machine = fs::read_to_string("/proc/stat").ok()?;
    let booted: f64 = machine.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(booted + stat_seconds(22)?)
}

/// Returns a field of proc_pid_stat(5) that counts clock ticks, converted to seconds. Fields are numbered from 1. The
/// second field, a name in brackets, may contain spaces, so only the text behind the last bracket is split.
fn stat_seconds(field: usize) -> Option<f64> {
    /// `USER_HZ`, the number of clock ticks per second in the kernel's interface.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, from_the_third) = stat.rsplit_once(')')?;
    let ticks: f64 = from_the_third.split_whitespace().nth(field.checked_sub(3)?)?.parse().ok()?;
    Some(ticks / TICKS_A_SECOND)
}

fn open_files() -> Option<u64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as u64)
}

/// The soft limit of open files: the first number in the line `Max open files` of `/proc/self/limits`.
pub fn file_limit() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn linux_reports_what_the_process_uses() {
        use super::*;

        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(cpu_seconds().unwrap() >= 0.0);
        assert!(started_at().unwrap() > 1.7e9, "it is later than 2023");
        assert!((3..file_limit().unwrap()).contains(&open_files().unwrap()));
    }
}
