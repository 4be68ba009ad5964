//! What the process itself takes, by `/proc/self`.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

/// Looks when it is asked.
#[derive(Debug)]
struct Process;

pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let cpu = ConstCounter::new(cpu_seconds());
        let (help, unit) = ("CPU time of this process", Some(&Unit::Seconds));
        let metric = encoder.encode_descriptor("process_cpu", help, unit, cpu.metric_type())?;
        cpu.encode(metric)?;
        let resident = ConstGauge::new(resident_bytes());
        let (help, unit) = ("Memory of this process", Some(&Unit::Bytes));
        let name = "process_resident_memory";
        let metric = encoder.encode_descriptor(name, help, unit, resident.metric_type())?;
        resident.encode(metric)?;
        let files = ConstGauge::new(open_files());
        let help = "Files and sockets that this process has open";
        let metric =
            encoder.encode_descriptor("process_open_fds", help, None, files.metric_type())?;
        files.encode(metric)
    }
}

fn cpu_seconds() -> f64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    std::time::Duration::new(seconds, nanos).as_secs_f64()
}

fn resident_bytes() -> i64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|it| it.strip_prefix("VmRSS:"));
    let kib = line.and_then(|it| it.trim().trim_end_matches(" kB").parse::<i64>().ok());
    kib.unwrap_or(0).saturating_mul(1024)
}

fn open_files() -> i64 {
    let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    i64::try_from(files).unwrap_or(i64::MAX)
}
