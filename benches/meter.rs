//! Measures the processor time of the product's processes, of the PostgreSQL backends that serve the product's
//! database, and of Redis. Each thread is counted to the nanosecond, from `/proc/<pid>/task/<tid>/schedstat`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use crate::Measured;
use crate::process::{Process, children};
use crate::stores;

/// The processor time that a number of operations took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub operations: usize,
    /// Time of the product's processes.
    pub product: Duration,
    /// Time of PostgreSQL and Redis on behalf of the product.
    pub stores: Duration,
}

/// The counters of all threads at one moment.
pub struct Meter {
    product: Threads,
    stores: Threads,
}

impl Meter {
    /// Reads the counters of these processes, of the PostgreSQL backends of `database`, and of Redis.
    pub fn read(database: &str, processes: &[&Process]) -> Measured<Self> {
        let product = Threads::of(processes.iter().map(|process| process.id()))?;
        let mut behind = backends(database)?;
        behind.push(stores::redis()?);
        let stores = Threads::of(behind)?;
        if stores.0.is_empty() {
            return Err("no processor time can be read: this kernel has no /proc/<pid>/task/<tid>/schedstat".into());
        }
        Ok(Self { product, stores })
    }

    /// Returns the processor time since an earlier reading, as the cost of this many operations.
    pub fn cost_since(&self, earlier: &Self, operations: usize) -> Cost {
        let product = self.product.since(&earlier.product);
        Cost { operations, product, stores: self.stores.since(&earlier.stores) }
    }
}

/// Processor time so far, by thread id.
struct Threads(HashMap<u32, Duration>);

impl Threads {
    /// Reads the counters of all threads of these processes.
    fn of(processes: impl IntoIterator<Item = u32>) -> Measured<Self> {
        let mut threads = HashMap::new();
        for process in processes {
            // A PostgreSQL backend can end before its threads are listed, and a thread before its counter is read.
            let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
            for task in tasks {
                let task = task?;
                let Ok(counters) = fs::read_to_string(task.path().join("schedstat")) else { continue };
                let on_processor = counters.split(' ').next().ok_or("a counter is missing")?.parse()?;
                threads.insert(task.file_name().to_string_lossy().parse()?, Duration::from_nanos(on_processor));
            }
        }
        Ok(Self(threads))
    }

    /// Returns the processor time since an earlier reading. A thread that has ended meanwhile is left out. The error is
    /// small: a pool thread ends only after it was idle for seconds, so it used little processor time in the measured
    /// period.
    fn since(&self, earlier: &Self) -> Duration {
        let before = |thread| earlier.0.get(thread).copied().unwrap_or_default();
        self.0.iter().map(|(thread, time)| time.saturating_sub(before(thread))).sum()
    }
}

/// PostgreSQL's backends of one database. Their titles are `postgres: <user> <database> <client> <activity>`.
fn backends(database: &str) -> Measured<Vec<u32>> {
    let mut backends = children(stores::postgres()?)?;
    backends.retain(|child| {
        let title = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        title.split([' ', '\0']).nth(2) == Some(database)
    });
    Ok(backends)
}
