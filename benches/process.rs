//! A process of the product or of a peer, with what it costs: processor time and memory, as Linux counts them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::Measured;

/// Linux counts processor time for `/proc` in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// A running process; it is killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    id: u32,
}

impl Process {
    /// Starts a program, with a log beside it that others may write to as well.
    pub fn start<E, K, V>(name: &str, command: &mut Command, environment: E, log: &Path) -> Measured<Self>
    where
        E: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        let log = File::options().create(true).append(true).open(log)?;
        command.envs(environment).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        let child = command.spawn()?;
        let id = child.id().ok_or("a process ended before it began")?;
        Ok(Self { name: name.to_owned(), child, id })
    }

    /// Processor time so far, of all its threads.
    pub fn cpu(&self) -> Measured<Duration> {
        cpu_of(self.id)
    }

    /// Memory that it holds now, in MB.
    pub fn memory(&self) -> Measured<f64> {
        self.status("VmRSS:")
    }

    /// The most memory that it ever held, in MB.
    pub fn peak_memory(&self) -> Measured<f64> {
        self.status("VmHWM:")
    }

    /// What of its memory are pages of the program's file, in MB. All processes of the program share them, and Linux drops
    /// them when it needs room.
    pub fn program_memory(&self) -> Measured<f64> {
        self.status("RssFile:")
    }

    fn status(&self, field: &str) -> Measured<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no memory is reported")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024.0 / 1e6)
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> Measured<()> {
        Command::new("kill").arg(self.id.to_string()).status().await?;
        const PATIENCE: Duration = Duration::from_secs(30);
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| format!("{} does not stop", self.name))??;
        Ok(())
    }
}

/// Processor time of a process of this machine, in user and kernel mode.
pub fn cpu_of(id: u32) -> Measured<Duration> {
    Ok(Stat::read(&format!("/proc/{id}/stat"))?.own)
}

/// The same of a process and all its children, those that ended included.
pub fn cpu_of_family(id: u32) -> Measured<Duration> {
    let eldest = Stat::read(&format!("/proc/{id}/stat"))?;
    let mut sum = eldest.own + eldest.ended_children;
    for entry in fs::read_dir("/proc")? {
        // A process may end while we look.
        let Ok(stat) = Stat::read(&entry?.path().join("stat").to_string_lossy()) else { continue };
        if stat.parent == id {
            sum += stat.own;
        }
    }
    Ok(sum)
}

/// Processor time of the thread that asks: the load generator's.
pub fn cpu_of_this_thread() -> Measured<Duration> {
    Ok(Stat::read("/proc/thread-self/stat")?.own)
}

/// Processor time of a thread of this program, by its name.
pub fn cpu_of_thread(name: &str) -> Measured<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        if fs::read_to_string(path.join("comm"))?.trim_end() == name {
            return Ok(Stat::read(&path.join("stat").to_string_lossy())?.own);
        }
    }
    Err(format!("no thread is called {name}").into())
}

/// What Linux tells of a process or a thread.
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn read(path: &str) -> Measured<Self> {
        let stat = fs::read_to_string(path)?;
        // The name may hold blanks; it stands in brackets, and what is counted stands after it.
        let (_, fields) = stat.rsplit_once(") ").ok_or("the processor time cannot be read")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |at: usize| -> Measured<u32> { Ok(fields.get(at).ok_or("a field is missing")?.parse()?) };
        let (own, ended_children) = (number(11)? + number(12)?, number(13)? + number(14)?);
        Ok(Self { parent: number(1)?, own: TICK * own, ended_children: TICK * ended_children })
    }
}
