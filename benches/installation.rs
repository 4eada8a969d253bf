//! An installation of Songda for measurements: the release build as processes of their own, on the private PostgreSQL
//! and Redis of `script/services`, with every gateway's limit out of the way and the sink in the gateways' place.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use songda::demo::back_office::BackOffice;
use songda::demo::http::Caller;
use songda::domain::kernel::clock::Stopwatch;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::Measured;
use crate::process::Process;
use crate::wire::{self, Connection};

const SONGDA: &str = env!("CARGO_BIN_EXE_songda");
const KEYS_OF_THE_SANDBOX: &str = include_str!("../script/sandbox.env");
/// How long a process may take to start, and a request at leisure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A migrated database with the catalogue in it, and the settings that all processes share.
#[derive(Clone)]
pub struct Installation {
    home: PathBuf,
    settings: Vec<(String, String)>,
    sandbox: SocketAddr,
    source: &'static str,
    client: String,
}

/// An API that is ready.
pub struct Api {
    /// Its process.
    pub process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// To call it at leisure.
    pub caller: Caller,
}

impl Installation {
    /// Makes keys, tables, catalogue and a back-office client.
    pub async fn prepare(gateways: SocketAddr) -> Measured<Self> {
        let home = PathBuf::from(env::var("SERVICES_HOME").unwrap_or_else(|_| "var/bench".to_owned())).join("songda");
        fs::create_dir_all(&home)?;
        let sandbox = free_address().await?;
        let settings = settings(&home, gateways, sandbox);
        let installation = Self { settings, sandbox, source: "", client: String::new(), home };
        let keys = installation.home.join("keys");
        installation.songda(&["keys", "init", &keys.to_string_lossy()]).await?;
        installation.set_up("bench").await
    }

    /// Makes tables, catalogue and a back-office client of this name in an empty database.
    pub async fn set_up(mut self, source: &'static str) -> Measured<Self> {
        self.songda(&["migrate"]).await?;
        self.songda(&["catalog", "load", "--rehearse"]).await?;
        self.source = source;
        let key_file = self.key_file();
        let add = ["clients", "add", "--source", source, "--name", source, "--agencies", "human-resources"];
        let with_key = ["--key-file", &key_file.to_string_lossy()];
        self.client = self.songda(&[&add[..], &with_key].concat()).await?.trim().to_owned();
        Ok(self)
    }

    /// Where the sandbox is, once it plays.
    pub fn world(&self) -> Measured<Url> {
        Ok(format!("http://{}", self.sandbox).parse()?)
    }

    /// The same one, for processes with some settings changed.
    pub fn with(&self, changed: &[(&str, &str)]) -> Self {
        let mut other = self.clone();
        other.settings.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        other
    }

    /// Runs a command to its end; what it printed.
    pub async fn songda(&self, arguments: &[&str]) -> Measured<String> {
        let output = Command::new(SONGDA).args(arguments).envs(self.settings.iter().cloned()).output().await?;
        if !output.status.success() {
            return Err(format!("songda {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts an API and waits until it is ready.
    pub async fn serve(&self) -> Measured<Api> {
        let address = free_address().await?;
        let base: Url = format!("http://{address}").parse()?;
        let own = [("SONGDA_LISTEN", address.to_string()), ("SONGDA_PUBLIC_URL", base.to_string())];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let process = self.start("serve", self.settings.iter().cloned().chain(own))?;
        answers(address, "/readyz").await?;
        Ok(Api { process, address, caller: Caller::new(base)? })
    }

    /// Starts a worker.
    pub fn work(&self) -> Measured<Process> {
        self.start("work", self.settings.iter().cloned())
    }

    /// Starts the sandbox, which plays WeChat's sign-in and the real-name check.
    pub async fn play_the_world(&self) -> Measured<Process> {
        let listen = ("SONGDA_SANDBOX_LISTEN".to_owned(), self.sandbox.to_string());
        let process = self.start("sandbox", self.settings.iter().cloned().chain([listen]))?;
        answers(self.sandbox, "/_sandbox/phones").await?;
        Ok(process)
    }

    /// An access token of the back-office client.
    pub async fn token(&self, api: &Api) -> Measured<String> {
        Ok(BackOffice::token(&api.caller, &self.client, &self.key_file()).await?)
    }

    fn start(&self, part: &str, settings: impl Iterator<Item = (String, String)>) -> Measured<Process> {
        let log = self.home.join(format!("{part}.log"));
        Process::start(part, Command::new(SONGDA).arg(part), settings, &log)
    }

    fn key_file(&self) -> PathBuf {
        self.home.join(format!("{}.pem", self.source))
    }
}

/// An address of this machine on which nobody listens now.
pub async fn free_address() -> Measured<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?)
}

/// Waits until a server answers well, looking often: starts are measured with it.
pub async fn answers(address: SocketAddr, path: &str) -> Measured<()> {
    const LOOK_EVERY: Duration = Duration::from_millis(2);
    let (request, watch) = (wire::request("GET", path, &[], ""), Stopwatch::start());
    while watch.elapsed() < PATIENCE {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.exchange(&request).await?.status() == Some(200)
        {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(format!("nobody answers at {address}{path}").into())
}

/// What differs from production: where the gateways are, and that nobody is slowed down on purpose.
fn settings(home: &Path, gateways: SocketAddr, sandbox: SocketAddr) -> Vec<(String, String)> {
    const NO_LIMIT: &str = "100000000";
    let of_sandbox = KEYS_OF_THE_SANDBOX.lines().filter(|line| !line.starts_with('#'));
    let of_sandbox = of_sandbox.filter_map(|line| line.split_once('='));
    let unlimited = ["SONGDA_SMS_ALIYUN_RATE", "SONGDA_RATE_SIGN_IN", "SONGDA_RATE_MOBILE", "SONGDA_RATE_INTEGRATION"];
    let gateway = format!("http://{gateways}");
    let own = [
        ("SONGDA_KEYS", home.join("keys").to_string_lossy().into_owned()),
        ("SONGDA_UPLOADS", home.join("uploads").to_string_lossy().into_owned()),
        ("SONGDA_SMS_ALIYUN_URL", gateway),
        ("SONGDA_WECHAT_URL", format!("http://{sandbox}/wechat")),
        ("SONGDA_IDENTITY_URL", format!("http://{sandbox}/identity")),
        ("SONGDA_SMS_ALIYUN_SLOTS", "64".to_owned()),
        ("SONGDA_LOG", "warn".to_owned()),
    ];
    let unlimited = unlimited.map(|name| (name.to_owned(), NO_LIMIT.to_owned()));
    let own = own.map(|(name, value)| (name.to_owned(), value));
    of_sandbox.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(unlimited).chain(own).collect()
}
