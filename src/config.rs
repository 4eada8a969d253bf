//! All settings, read from the environment; every fault is reported at once. `docs/settings.md` lists them, written from
//! what is read here and in the gateways' own folders.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::api::edge::limits::rate_limit::Policies;
use crate::api::edge::middleware::cors::Origins;
use crate::auth::signing_keys::SigningKeys;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Chain;
use crate::env::Env;
use crate::files::Files;
use crate::gateway::courier::{self, Carriers};
use crate::gateway::identity::{self, IdentityGateway};
use crate::gateway::login::wechat::{self, LoginGateway};
use crate::gateway::push::Channels;
use crate::queue::connection::address::Address;
use crate::registry::Registry;
use crate::store::{KeyRing, Store};
use crate::telemetry::logs::LogSettings;
use crate::telemetry::traces::TraceSettings;
use crate::worker::WorkerSettings;
use crate::wrong_clock;

/// The settings of a serving process.
pub struct Config {
    /// How to log.
    pub log: LogSettings,
    /// Where spans go.
    pub traces: TraceSettings,
    /// The record.
    pub record: RecordSettings,
    /// Redis.
    pub redis: RedisSettings,
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where whoever watches over this process asks, if anybody does.
    pub watch_listen: Option<SocketAddr>,
    /// How the world reaches the API.
    pub public_url: Url,
    /// The keys that sign access tokens.
    pub signing_keys: SigningKeys,
    /// The last part of the paths on which gateways call us: the one in use, and the one before, while gateways change.
    pub callback_secrets: Vec<Private<String>>,
    /// Where the contents of uploads are kept.
    pub files: Files,
    /// How long an applicant is given to answer a supplement notice.
    pub answer_within: Duration,
    /// From which web pages the API may be called.
    pub origins: Origins,
    /// How often the API may be called.
    pub policies: Policies,
    /// How many proxies of ours stand before the API.
    pub proxies: usize,
    /// The worker's limits and time-outs.
    pub worker: WorkerSettings,
    /// Ways to reach a phone.
    pub channels: Channels,
    /// The order in which they are tried.
    pub chain: Chain,
    /// The channel that carries one-time codes.
    pub code_channel: ChannelCode,
    /// Courier companies.
    pub carriers: Carriers,
    /// Who sends parcels.
    pub office: PostalAddress,
    /// WeChat's sign-in.
    pub login: Option<Arc<dyn LoginGateway>>,
    /// The real-name check.
    pub identity: Option<Arc<dyn IdentityGateway>>,
    /// What tells the time.
    pub clock: Clock,
}

impl Config {
    /// Reads them, those of the gateways in the registry included.
    ///
    /// # Errors
    /// All faults, each with the name of its setting and what to do.
    pub fn read(env: &mut Env, registry: &Registry) -> Result<Self, Vec<String>> {
        let config = Self::try_read(env, registry);
        match config {
            Some(config) if env.faults().is_empty() => Ok(config),
            _ => Err(env.faults().to_vec()),
        }
    }

    // Every setting is read before the first missing one ends it, so that all faults are found.
    fn try_read(env: &mut Env, registry: &Registry) -> Option<Self> {
        let clock = wrong_clock::clock();
        let log = LogSettings::read(env);
        let traces = TraceSettings::read(env);
        let record = RecordSettings::read(env);
        let redis = RedisSettings::read(env);
        let listen = listen(env);
        let watch_listen = watch_listen(env);
        let public_url = env.or(
            "SONGDA_PUBLIC_URL",
            "http://localhost:8080",
            "how the world reaches the API; API clients name it in their assertions",
        );
        let signing_keys = signing_keys(env);
        let callback_secret =
            env.secret("SONGDA_CALLBACK_SECRET", "unguessable last part of the paths on which gateways call us");
        let callback_secret_before = env.optional_secret(
            "SONGDA_CALLBACK_SECRET_PREVIOUS",
            "the one before the last change, until every gateway knows the new address",
        );
        let files = Files::read(env);
        let answer_within = answer_within(env);
        let origins = Origins::from_env(env);
        let policies = Policies::from_env(env);
        let proxies = env.or(
            "SONGDA_PROXIES",
            "0",
            "how many reverse proxies of ours stand before the API, each adding to X-Forwarded-For",
        );
        let worker = WorkerSettings::read(env);
        let channels = Channels::read(env, registry.channels(), &clock);
        let chain = channels.chain(env, registry.channels());
        let code_channel = env.or("SONGDA_CODE_CHANNEL", "sms_aliyun", "channel that carries one-time sign-in codes");
        let carriers = Carriers::read(env, registry.carriers(), &clock);
        if let Some(worker) = &worker {
            let channels = channels.iter().map(|channel| (channel.code().as_str(), channel.time_limit()));
            let carriers = carriers.iter().map(|carrier| (carrier.code().as_str(), carrier.time_limit()));
            channels.chain(carriers).for_each(|(gateway, limit)| worker.check_time_limit(env, gateway, limit));
        }
        let office = courier::office(env);
        let login = wechat::gateway(env);
        let identity = identity::aliyun::gateway(env, &clock);
        let code_channel: String = code_channel?;
        Some(Self {
            log: log?,
            traces: traces?,
            record: record?,
            redis: redis?,
            listen: listen?,
            watch_listen,
            public_url: public_url?,
            signing_keys: signing_keys?,
            callback_secrets: std::iter::once(callback_secret?).chain(callback_secret_before).collect(),
            files: files?,
            answer_within: answer_within?,
            origins: origins?,
            policies: policies?,
            proxies: proxies?,
            worker: worker?,
            channels,
            chain: chain?,
            code_channel: ChannelCode::new(code_channel),
            carriers,
            office: office?,
            login,
            identity,
            clock,
        })
    }
}

/// Where the API listens.
pub fn listen(env: &mut Env) -> Option<SocketAddr> {
    let meaning = "address and port that the API listens on; port 0 takes a free one";
    env.or("SONGDA_LISTEN", "127.0.0.1:8080", meaning)
}

/// Where a process, whatever it does, answers `/healthz`, `/readyz` and `/metrics`.
pub fn watch_listen(env: &mut Env) -> Option<SocketAddr> {
    env.optional(
        "SONGDA_WATCH_LISTEN",
        "address and port, not for the public, on which this process answers `/healthz`, `/readyz` and `/metrics`; none if not set",
    )
}

/// Where PostgreSQL is: all that a command needs which opens nothing sealed.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// Its address.
    pub url: Private<String>,
    /// How many connections one process opens at the most.
    pub connections: u32,
}

impl DatabaseSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Option<Self> {
        let url = env.secret("SONGDA_DATABASE_URL", "PostgreSQL: postgres://user:password@host:port/database");
        let connections =
            env.or("SONGDA_DATABASE_CONNECTIONS", "24", "how many database connections one process opens at the most");
        Some(Self { url: url?, connections: connections? })
    }
}

/// Where the record is, and the keys that open it: all that the administration's commands need.
#[derive(Clone)]
pub struct RecordSettings {
    /// PostgreSQL's address.
    pub url: Private<String>,
    /// How many connections one process opens at the most.
    pub connections: u32,
    /// The keys that seal personal data.
    pub keys: KeyRing,
}

impl RecordSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Option<Self> {
        let (database, keys) = (DatabaseSettings::read(env), key_ring(env));
        let DatabaseSettings { url, connections } = database?;
        Some(Self { url, connections, keys: keys? })
    }

    /// The record itself.
    ///
    /// # Errors
    /// When the address is none.
    pub fn store(&self, application: &str) -> Result<Store, crate::store::StoreError> {
        Store::new(self.url.expose(), self.connections, application, self.keys.clone())
    }
}

/// Where Redis is.
#[derive(Clone)]
pub struct RedisSettings {
    /// Its address.
    pub address: Address,
    /// What all keys of this installation begin with.
    pub prefix: String,
}

impl RedisSettings {
    /// Reads them.
    pub fn read(env: &mut Env) -> Option<Self> {
        let address = redis_address(env);
        let prefix =
            env.or("SONGDA_REDIS_PREFIX", "songda:", "what every key of this installation in Redis begins with");
        Some(Self { address: address?, prefix: prefix? })
    }
}

fn redis_address(env: &mut Env) -> Option<Address> {
    let url = env.secret(
        "SONGDA_REDIS_URL",
        "Redis: redis://host:port, redis+sentinel://host,host/name or redis+cluster://host,host; rediss… for TLS",
    )?;
    let address = url.expose().parse::<Address>();
    address.map_err(|fault| env.fault(format!("SONGDA_REDIS_URL {fault}"))).ok()
}

/// How long an applicant is given to answer a supplement notice.
pub fn answer_within(env: &mut Env) -> Option<Duration> {
    env.duration(
        "SONGDA_ANSWER_WITHIN",
        "30d",
        "how long an applicant is given to answer a supplement notice, in whole days; a later answer counts all the same",
    )
}

/// The folder that `songda keys init` makes.
pub fn keys_folder(env: &mut Env) -> Option<PathBuf> {
    env.required("SONGDA_KEYS", "folder with the key ring and the token keys, as made by `songda keys init`")
}

fn key_ring(env: &mut Env) -> Option<KeyRing> {
    let path = keys_folder(env)?.join(KEY_RING_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    match text.and_then(|text| KeyRing::parse(&text).map_err(|error| error.to_string())) {
        Ok(keys) => Some(keys),
        Err(error) => {
            env.fault(format!("SONGDA_KEYS: {}: {error}", path.display()));
            None
        }
    }
}

/// Loads the keys that sign access tokens.
pub fn signing_keys(env: &mut Env) -> Option<SigningKeys> {
    let folder = keys_folder(env)?.join(TOKEN_KEYS_FOLDER);
    match SigningKeys::load(&folder) {
        Ok(keys) => Some(keys),
        Err(error) => {
            env.fault(format!("SONGDA_KEYS: {}: {error}", folder.display()));
            None
        }
    }
}

/// The key ring's place in the keys' folder.
pub const KEY_RING_FILE: &str = "key-ring";
/// The token keys' place in the keys' folder: one `<kid>.pem` each; the last by name signs.
pub const TOKEN_KEYS_FOLDER: &str = "tokens";
