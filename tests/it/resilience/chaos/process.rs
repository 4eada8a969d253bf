//! A process of the product with a supervisor as in production, which restarts it whenever it ends. An end without a
//! kill is recorded, because the product never ends by itself.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use songda::lifecycle::Tasks;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

/// How a process is started.
#[derive(Clone)]
pub struct Blueprint {
    /// The name of the process and of its log.
    pub name: String,
    /// The sub-command.
    pub part: &'static str,
    pub settings: Vec<(String, String)>,
    /// The folder of the logs.
    pub logs: PathBuf,
}

impl Blueprint {
    /// Starts the process with some variables added to its environment.
    pub fn start(&self, added: &[(&str, String)]) -> Child {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_songda"));
        command
            .arg(self.part)
            .envs(self.settings.iter().cloned())
            .envs(added.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true).spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.logs.join(format!("{}.log", self.name))
    }

    /// Returns the log from this offset on.
    fn logged_since(&self, length: u64) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(log.get(usize::try_from(length).unwrap()..).unwrap_or_default()).into_owned()
    }

    fn log_length(&self) -> u64 {
        File::open(self.log()).and_then(|log| log.metadata()).map_or(0, |log| log.len())
    }
}

/// An order to the supervisor of a process.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// SIGKILL. The clock of the restarted process is wrong by this many seconds.
    Kill(i64),
    /// SIGSTOP, and SIGCONT after this time.
    Pause(Duration),
}

/// A process that is restarted whenever it ends.
pub struct Supervised {
    pub name: String,
    pid: Arc<AtomicU32>,
    orders: mpsc::Sender<(Order, oneshot::Sender<()>)>,
}

impl Supervised {
    /// Runs the process until the tasks are stopped. Every end without an order is added to `surprises`.
    pub fn start(blueprint: Blueprint, tasks: &Tasks, surprises: Arc<Mutex<Vec<String>>>) -> Self {
        let (orders, ordered) = mpsc::channel(1);
        let name = blueprint.name.clone();
        let pid = Arc::new(AtomicU32::new(0));
        let supervisor = Supervisor { blueprint, pid: Arc::clone(&pid), ordered, surprises };
        let stop = tasks.stopping();
        tasks.spawn(async move {
            stop.run_until_cancelled(supervisor.run()).await;
        });
        Self { name, pid, orders }
    }

    /// Returns the present process id.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::SeqCst)
    }

    /// Sends SIGKILL. Returns after the process was restarted with a clock that is wrong by `skew` seconds.
    pub async fn kill(&self, skew: i64) {
        self.order(Order::Kill(skew)).await;
    }

    /// Stops the process for this time.
    pub async fn pause(&self, time: Duration) {
        self.order(Order::Pause(time)).await;
    }

    async fn order(&self, order: Order) {
        let (done, is_done) = oneshot::channel();
        if self.orders.send((order, done)).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

struct Supervisor {
    blueprint: Blueprint,
    pid: Arc<AtomicU32>,
    ordered: mpsc::Receiver<(Order, oneshot::Sender<()>)>,
    surprises: Arc<Mutex<Vec<String>>>,
}

impl Supervisor {
    async fn run(mut self) {
        let mut skew = 0;
        let mut killed = None::<oneshot::Sender<()>>;
        loop {
            let length = self.blueprint.log_length();
            let mut child = self.blueprint.start(&[("SONGDA_CLOCK_SKEW", skew.to_string())]);
            self.pid.store(child.id().unwrap_or_default(), Ordering::SeqCst);
            if let Some(done) = killed.take() {
                let _ = done.send(());
            }
            match self.until_killed(&mut child).await {
                Some((wrong_by, done)) => {
                    skew = wrong_by;
                    killed = Some(done);
                }
                None => self.record_end(&mut child, length).await,
            }
        }
    }

    /// Obeys orders until the process is killed. `None` if it ended by itself.
    async fn until_killed(&mut self, child: &mut Child) -> Option<(i64, oneshot::Sender<()>)> {
        loop {
            let (order, done) = tokio::select! {
                _ = child.wait() => return None,
                order = self.ordered.recv() => order?,
            };
            match order {
                Order::Kill(skew) => {
                    child.kill().await.unwrap();
                    return Some((skew, done));
                }
                Order::Pause(time) => {
                    signal(child, "-STOP").await;
                    tokio::time::sleep(time).await;
                    signal(child, "-CONT").await;
                    let _ = done.send(());
                }
            }
        }
    }

    /// Records that a process ended by itself. A process is allowed to end at its start if the database is away, but
    /// must not end after its start.
    async fn record_end(&self, child: &mut Child, log_length: u64) {
        const A_MOMENT: Duration = Duration::from_millis(300);
        let status = child.wait().await.unwrap();
        let log = self.blueprint.logged_since(log_length);
        if log.contains("listening on") || log.contains("working") || log.contains("panicked") {
            let last = log.lines().last().unwrap_or_default();
            self.surprises.lock().unwrap().push(format!("{} ended by itself: {status}: {last}", self.blueprint.name));
        }
        tokio::time::sleep(A_MOMENT).await;
    }
}

/// Sends a signal to a child. No task has waited for the child yet, so its process id cannot belong to another process.
async fn signal(child: &Child, signal: &str) {
    if let Some(pid) = child.id() {
        Command::new("kill").args([signal, &pid.to_string()]).status().await.unwrap();
    }
}
