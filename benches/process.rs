//! A process of the product or of a peer, with the processor time and the memory that it takes, as Linux counts them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::Measured;

/// The unit of processor time in `/proc/<pid>/stat`.
const TICK: Duration = Duration::from_millis(10);

/// A running process. It is killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    id: u32,
}

impl Process {
    /// Starts a program that appends its output to a log.
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

    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Returns the processor time of all threads so far.
    pub fn cpu(&self) -> Measured<Duration> {
        cpu_of(self.id)
    }

    /// Returns resident memory in MB.
    pub fn memory(&self) -> Measured<f64> {
        self.status("VmRSS:")
    }

    /// Returns the most resident memory so far, in MB.
    pub fn peak_memory(&self) -> Measured<f64> {
        self.status("VmHWM:")
    }

    /// Returns the part of the resident memory that holds pages of the program's file and its libraries, in MB. All
    /// processes of the program share these pages, and Linux drops them if memory is short.
    pub fn program_memory(&self) -> Measured<f64> {
        self.status("RssFile:")
    }

    fn status(&self, field: &str) -> Measured<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no memory is reported")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1_024.0 / 1e6)
    }

    /// Sends SIGTERM, and waits until the process has ended.
    pub async fn stop(mut self) -> Measured<()> {
        const TIMEOUT: Duration = Duration::from_secs(30);
        Command::new("kill").arg(self.id.to_string()).status().await?;
        let ended = tokio::time::timeout(TIMEOUT, self.child.wait()).await;
        ended.map_err(|_| format!("{} does not stop", self.name))??;
        Ok(())
    }
}

/// Returns the processor time of a process so far, in user and kernel mode.
pub fn cpu_of(id: u32) -> Measured<Duration> {
    Ok(Stat::read(&format!("/proc/{id}/stat"))?.own)
}

/// Returns the processor time of a process and all its children so far, including children that ended.
pub fn cpu_of_family(id: u32) -> Measured<Duration> {
    let parent = Stat::read(&format!("/proc/{id}/stat"))?;
    let mut sum = parent.own + parent.ended_children;
    for child in children(id)? {
        // A child can end before its processor time is read.
        let Ok(child) = cpu_of(child) else { continue };
        sum += child;
    }
    Ok(sum)
}

/// Returns the processes that a process started and that still run.
pub fn children(id: u32) -> Measured<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(other) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        let stat = Stat::read(&format!("/proc/{other}/stat"));
        if stat.is_ok_and(|stat| stat.parent == id) {
            children.push(other);
        }
    }
    Ok(children)
}

/// Returns the processor time of the calling thread so far.
pub fn cpu_of_this_thread() -> Measured<Duration> {
    Ok(Stat::read("/proc/thread-self/stat")?.own)
}

/// Returns the processor time of a thread of this program so far, found by its name.
pub fn cpu_of_thread(name: &str) -> Measured<Duration> {
    for task in fs::read_dir("/proc/self/task")? {
        let path = task?.path();
        if fs::read_to_string(path.join("comm"))?.trim_end() == name {
            return Ok(Stat::read(&path.join("stat").to_string_lossy())?.own);
        }
    }
    Err(format!("no thread is called {name}").into())
}

/// The part of `/proc/<pid>/stat` that the bench needs.
struct Stat {
    parent: u32,
    own: Duration,
    ended_children: Duration,
}

impl Stat {
    fn read(path: &str) -> Measured<Self> {
        let stat = fs::read_to_string(path)?;
        // The second field, the name, is in brackets and can contain spaces.
        let (_, fields) = stat.rsplit_once(") ").ok_or("the processor time cannot be read")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |at: usize| -> Measured<u32> { Ok(fields.get(at).ok_or("a field is missing")?.parse()?) };
        let own = number(11)? + number(12)?;
        let ended_children = number(13)? + number(14)?;
        Ok(Self { parent: number(1)?, own: TICK * own, ended_children: TICK * ended_children })
    }
}
