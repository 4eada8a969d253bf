//! A process of the product, and whoever looks after it as a supervisor does in production: it is started again when it
//! ended, whatever ended it. One that ends and was not killed is written down: the product never does that by itself.

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
    /// Its name, and that of its log.
    pub name: String,
    /// The sub-command.
    pub part: &'static str,
    /// Its settings.
    pub settings: Vec<(String, String)>,
    /// Where logs are.
    pub logs: PathBuf,
}

impl Blueprint {
    /// Starts it, with something added to its environment.
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

    /// What it logged after its log had this length.
    fn logged_since(&self, length: u64) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(log.get(usize::try_from(length).unwrap()..).unwrap_or_default()).into_owned()
    }

    fn log_length(&self) -> u64 {
        File::open(self.log()).and_then(|log| log.metadata()).map_or(0, |log| log.len())
    }
}

/// What can be done to it.
#[derive(Debug, Clone, Copy)]
enum Order {
    /// SIGKILL. The next one's clock is wrong by so many seconds.
    Kill(i64),
    /// SIGSTOP, and after a while SIGCONT.
    Pause(Duration),
}

/// A process that is always started again.
pub struct Kept {
    /// Its name.
    pub name: String,
    pid: Arc<AtomicU32>,
    orders: mpsc::Sender<(Order, oneshot::Sender<()>)>,
}

impl Kept {
    /// Starts it, until the tasks are stopped. `surprises` hears of every end that nobody ordered.
    pub fn start(blueprint: Blueprint, tasks: &Tasks, surprises: Arc<Mutex<Vec<String>>>) -> Self {
        let (orders, ordered) = mpsc::channel(1);
        let (name, pid) = (blueprint.name.clone(), Arc::new(AtomicU32::new(0)));
        let (keeper, stop) = (Keeper { blueprint, pid: Arc::clone(&pid), ordered, surprises }, tasks.stopping());
        tasks.spawn(async move {
            stop.run_until_cancelled(keeper.keep()).await;
        });
        Self { name, pid, orders }
    }

    /// Its number at the moment.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::SeqCst)
    }

    /// SIGKILL; returns when it is dead and the next one is started, whose clock is wrong by so many seconds.
    pub async fn kill(&self, skew: i64) {
        self.order(Order::Kill(skew)).await;
    }

    /// SIGSTOP for a while.
    pub async fn pause(&self, time: Duration) {
        self.order(Order::Pause(time)).await;
    }

    async fn order(&self, order: Order) {
        let (tell, told) = oneshot::channel();
        if self.orders.send((order, tell)).await.is_ok() {
            let _ = told.await;
        }
    }
}

struct Keeper {
    blueprint: Blueprint,
    pid: Arc<AtomicU32>,
    ordered: mpsc::Receiver<(Order, oneshot::Sender<()>)>,
    surprises: Arc<Mutex<Vec<String>>>,
}

impl Keeper {
    async fn keep(mut self) {
        let (mut skew, mut killer) = (0, None::<oneshot::Sender<()>>);
        loop {
            let length = self.blueprint.log_length();
            let mut child = self.blueprint.start(&[("SONGDA_CLOCK_SKEW", skew.to_string())]);
            self.pid.store(child.id().unwrap_or_default(), Ordering::SeqCst);
            if let Some(told) = killer.take() {
                let _ = told.send(());
            }
            match self.until_killed(&mut child).await {
                Some((wrong_by, told)) => (skew, killer) = (wrong_by, Some(told)),
                None => self.wonder(&mut child, length).await,
            }
        }
    }

    /// Obeys until the process is killed; `None` when it ended by itself.
    async fn until_killed(&mut self, child: &mut Child) -> Option<(i64, oneshot::Sender<()>)> {
        loop {
            let (order, told) = tokio::select! {
                _ = child.wait() => return None,
                order = self.ordered.recv() => order?,
            };
            match order {
                Order::Kill(skew) => {
                    child.kill().await.unwrap();
                    return Some((skew, told));
                }
                Order::Pause(time) => {
                    signal(child, "-STOP").await;
                    tokio::time::sleep(time).await;
                    signal(child, "-CONT").await;
                    let _ = told.send(());
                }
            }
        }
    }

    /// It ended. Without a database it may refuse to start, and is started again; once it ran, it does not end.
    async fn wonder(&self, child: &mut Child, log_length: u64) {
        const A_MOMENT: Duration = Duration::from_millis(300);
        let (status, log) = (child.wait().await.unwrap(), self.blueprint.logged_since(log_length));
        if log.contains("listening on") || log.contains("working") || log.contains("panicked") {
            let last = log.lines().last().unwrap_or_default();
            self.surprises.lock().unwrap().push(format!("{} ended by itself: {status}: {last}", self.blueprint.name));
        }
        tokio::time::sleep(A_MOMENT).await;
    }
}

/// The child is not waited for yet, so its number cannot be another's.
async fn signal(child: &Child, signal: &str) {
    if let Some(pid) = child.id() {
        Command::new("kill").args([signal, &pid.to_string()]).status().await.unwrap();
    }
}
