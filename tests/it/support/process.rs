//! Runs the program in separate processes: servers and workers that can be watched and killed, and commands that end.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use reqwest::Url;
use songda::demo::fresh_key;
use songda::demo::http::Caller;
use songda::kill_point::Boundary;
use tokio::process::{Child, Command};

use super::desk::Desk;
use super::people::PASSWORD;
use super::proxy::Proxy;
use super::settings::owned;
use super::wait::{TIMEOUT, wait_until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_songda");
const ANY_PORT: &str = "127.0.0.1:0";
const SIGKILL: i32 = 9;

/// `songda serve` as a process.
pub struct Server {
    /// The process is killed when this is dropped.
    pub process: Child,
    /// The API of the process, called without a token.
    pub api: Caller,
    log: PathBuf,
}

impl Server {
    /// Returns the log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

/// A process with a watch listener.
pub struct Watched {
    /// The process is killed when this is dropped.
    pub process: Child,
    /// The process's watch listener: metrics, health and readiness.
    pub watch: Caller,
    log: PathBuf,
}

impl Watched {
    /// The API of the process, called without a token.
    pub async fn api(&self) -> Caller {
        logged_address(&self.log, "listening on ").await
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Desk {
    /// Starts `songda work`. The process is killed when the returned value is dropped.
    pub fn worker(&self) -> Child {
        self.worker_with(&[])
    }

    /// Starts a worker that kills itself at a step of processing a job.
    pub fn worker_dying_at(&self, step: Boundary) -> Child {
        self.worker_with(&[("SONGDA_KILL_AT", step.name())])
    }

    /// Starts a worker that kills itself at a step of processing a job of this lane.
    pub fn worker_dying_in(&self, lane: &str, step: Boundary) -> Child {
        self.worker_with(&[("SONGDA_KILL_AT", &format!("{}@{lane}", step.name()))])
    }

    /// Starts a worker with some settings changed.
    pub fn worker_with(&self, changed: &[(&str, &str)]) -> Child {
        self.process("work", changed).0.spawn().unwrap()
    }

    /// Starts `songda serve` and waits until it listens.
    pub async fn server(&self) -> Server {
        self.server_with(&[]).await
    }

    /// Starts a server that kills itself at a step of its work, such as after a commit.
    pub async fn server_dying_at(&self, step: Boundary) -> Server {
        self.server_with(&[("SONGDA_KILL_AT", step.name())]).await
    }

    async fn server_with(&self, changed: &[(&str, &str)]) -> Server {
        let (mut command, log) = self.process("serve", changed);
        let process = command.spawn().unwrap();
        let api = logged_address(&log, "listening on ").await;
        Server { process, api, log }
    }

    /// Starts a server and a worker that reach the address in this setting through a proxy.
    pub async fn processes_behind(&self, proxy: &Proxy, setting: &str) -> (Server, Child) {
        let mut url: Url = self.setting(setting).parse().unwrap();
        url.set_port(Some(proxy.address().port())).unwrap();
        let changed = [(setting, url.as_str())];
        (self.server_with(&changed).await, self.worker_with(&changed))
    }

    /// Starts `serve`, `work` or `all` with a watch listener and some settings changed.
    pub async fn watched(&self, part: &str, changed: &[(&str, &str)]) -> Watched {
        let (mut command, log) = self.process(part, changed);
        let process = command.env("SONGDA_WATCH_LISTEN", ANY_PORT).spawn().unwrap();
        let watch = logged_address(&log, "watched on ").await;
        Watched { process, watch, log }
    }

    /// Prepares a sub-command that keeps running. Returns also the file to which it logs.
    fn process(&self, part: &str, changed: &[(&str, &str)]) -> (Command, PathBuf) {
        let log = self.folder.join(format!("{part}-{}.log", fresh_key()));
        let mut command = Command::new(PROGRAM);
        command.arg(part).env("SONGDA_LISTEN", ANY_PORT).envs(self.settings().iter().cloned());
        command.envs(changed.iter().copied()).stderr(File::create(&log).unwrap()).kill_on_drop(true);
        (command, log)
    }

    /// Runs a command of the program, which must succeed, and returns what it prints.
    pub async fn songda(&self, arguments: &[&str]) -> String {
        songda(arguments, self.settings()).await
    }

    /// Runs a command of the program with some settings changed, and returns how it ended.
    pub async fn outcome(&self, arguments: &[&str], changed: &[(&str, &str)]) -> Output {
        outcome(PROGRAM, arguments, &self.changed(changed)).await
    }

    /// Runs a script of the project, which must succeed, with some settings changed.
    pub async fn script(&self, name: &str, arguments: &[&str], changed: &[(&str, &str)]) {
        let output = outcome(&format!("script/{name}"), arguments, &self.changed(changed)).await;
        assert!(output.status.success(), "script/{name}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn changed(&self, changed: &[(&str, &str)]) -> Vec<(String, String)> {
        self.settings().iter().cloned().chain(owned(changed)).collect()
    }
}

/// Runs a command of the program, which must succeed, and returns what it prints.
pub async fn songda(arguments: &[&str], settings: &[(String, String)]) -> String {
    let output = outcome(PROGRAM, arguments, settings).await;
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "songda {}: {words}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn outcome(program: &str, arguments: &[&str], settings: &[(String, String)]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).envs(settings.iter().cloned()).env("SONGDA_PASSWORD", PASSWORD);
    command.output().await.unwrap()
}

/// Waits until a process logs an address after these words. Returns the address.
async fn logged_address(log: &Path, words: &str) -> Caller {
    const HOST: &str = "127.0.0.1:";
    let port = || {
        let text = fs::read_to_string(log).unwrap();
        let (_, address) = text.split_once(words)?.1.split_once(HOST)?;
        let digits = address.find(|letter: char| !letter.is_ascii_digit())?;
        address[..digits].parse::<u16>().ok()
    };
    wait_until(words, async || port().is_some()).await;
    Caller::new(format!("http://{HOST}{}", port().unwrap()).parse().unwrap()).unwrap()
}

/// Sends a signal, as the command `kill` names it.
pub async fn signal(process: &Child, signal: &str) {
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
}

/// Sends SIGTERM, and asserts that the process ends with success.
pub async fn stop_gracefully(process: &mut Child) {
    signal(process, "-TERM").await;
    let ended = tokio::time::timeout(TIMEOUT, process.wait()).await;
    assert!(ended.expect("it stops when it is asked to").unwrap().success(), "it ends with success");
}

/// Waits until a process killed itself at its kill point.
pub async fn assert_killed(desk: &Desk, mut doomed: Child, step: Boundary) {
    let Ok(ended) = tokio::time::timeout(TIMEOUT, doomed.wait()).await else {
        panic!("the process did not reach the step {}: {:#?}", step.name(), desk.unfinished().await)
    };
    assert_eq!(ended.unwrap().signal(), Some(SIGKILL), "killed at {}", step.name());
}
