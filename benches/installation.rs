//! An installation of the product for measurements: a migrated database with the catalogue in it, and the settings of
//! its processes. The sink (`sink.rs`) plays all gateways that a measurement needs, and the gateways' rate limits are
//! too high to slow a measurement down.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::Datelike;
use reqwest::Url;
use tokio::process::Command;

use crate::Measured;
use crate::library::{BackOffice, Caller, Clock, beijing_day};
use crate::process::Process;
use crate::program::Program;
use crate::serving::{answers, free_address};

/// The settings that all measured processes share: one `NAME=value` per line.
const SETTINGS: &str = include_str!("settings.env");

/// A migrated database with the catalogue in it, and the settings that all processes share.
#[derive(Clone)]
pub struct Installation {
    program: Program,
    home: PathBuf,
    settings: Vec<(String, String)>,
    source: &'static str,
    client: String,
}

/// A running API that is ready.
pub struct Api {
    pub process: Process,
    pub address: SocketAddr,
    /// Makes the calls that are not measured.
    pub caller: Caller,
}

/// The values in which the installations of one run differ.
pub struct Site<'a> {
    /// The name of the installation's folder, and the prefix of the installation's keys in Redis.
    pub name: &'a str,
    pub database_url: &'a str,
    /// The address of the sink.
    pub gateways: SocketAddr,
}

impl Installation {
    /// Makes the installation's keys. Then creates the tables, the catalogue and a back-office client in its empty
    /// database.
    pub async fn prepare(program: Program, site: Site<'_>) -> Measured<Self> {
        let homes = PathBuf::from(env::var("SERVICES_HOME").unwrap_or_else(|_| "var/bench".to_owned()));
        let home = homes.join(site.name);
        fs::create_dir_all(&home)?;
        program.copy_catalogue(&home, beijing_day(Clock::system().now()).year()).await?;
        let settings = settings(&home, &site);
        let installation = Self { program, home, settings, source: "", client: String::new() };
        installation.songda(&["keys", "init", &installation.keys().to_string_lossy()]).await?;
        installation.set_up("bench").await
    }

    /// Makes tables, catalogue and a back-office client called `source` in an empty database.
    pub async fn set_up(mut self, source: &'static str) -> Measured<Self> {
        self.songda(&["migrate"]).await?;
        // The command reads the default folder: `catalog`, below the current folder.
        self.songda(&["catalog", "load"]).await?;
        self.source = source;
        let key_file = self.key_file();
        let add = ["clients", "add", "--source", source, "--name", source, "--agencies", "human-resources"];
        let with_key = ["--key-file", &key_file.to_string_lossy()];
        self.client = self.songda(&[&add[..], &with_key].concat()).await?.trim().to_owned();
        Ok(self)
    }

    /// Returns the same installation with some settings changed.
    pub fn with(&self, changed: &[(&str, &str)]) -> Self {
        let mut other = self.clone();
        other.settings.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        other
    }

    /// Runs a command to its end and returns what it printed.
    pub async fn songda(&self, arguments: &[&str]) -> Measured<String> {
        let mut command = Command::new(self.program.file());
        command.args(arguments).current_dir(&self.home).envs(self.settings.iter().cloned());
        let output = command.output().await?;
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
        let process = self.start(&self.program.file(), "serve", &own)?;
        answers(address, "/readyz").await?;
        Ok(Api { process, address, caller: Caller::new(base)? })
    }

    /// Starts a worker.
    pub fn work(&self) -> Measured<Process> {
        self.start(&self.program.file(), "work", &[])
    }

    /// Starts a sub-command of a program with the settings of this installation and the additional settings in `own`.
    pub fn start(&self, program: &Path, part: &str, own: &[(&str, String)]) -> Measured<Process> {
        let log = self.home.join(format!("{part}.log"));
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let settings = self.settings.iter().cloned().chain(own);
        Process::start(part, Command::new(program).arg(part).current_dir(&self.home), settings, &log)
    }

    /// Returns an access token of the back-office client.
    pub async fn token(&self, api: &Api) -> Measured<String> {
        Ok(BackOffice::token(&api.caller, &self.client, &self.key_file()).await?)
    }

    /// The folder with the key ring and the token keys.
    pub fn keys(&self) -> PathBuf {
        self.home.join("keys")
    }

    fn key_file(&self) -> PathBuf {
        self.home.join(format!("{}.pem", self.source))
    }
}

/// Returns the settings of all processes: those in `settings.env`, then those that depend on the run.
fn settings(home: &Path, site: &Site<'_>) -> Vec<(String, String)> {
    let given = SETTINGS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let gateway = |path: &str| format!("http://{}{path}", site.gateways);
    let own = [
        ("SONGDA_DATABASE_URL", site.database_url.to_owned()),
        ("SONGDA_REDIS_PREFIX", format!("{}:", site.name)),
        ("SONGDA_KEYS", home.join("keys").to_string_lossy().into_owned()),
        ("SONGDA_UPLOADS", home.join("uploads").to_string_lossy().into_owned()),
        ("SONGDA_SMS_ALIYUN_URL", gateway("")),
        ("SONGDA_WECHAT_URL", gateway("/wechat")),
        ("SONGDA_IDENTITY_URL", gateway("/identity")),
    ];
    given.chain(own.map(|(name, value)| (name.to_owned(), value))).collect()
}
