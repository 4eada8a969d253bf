//! Reads all settings from the environment, and reports all faults at once. `docs/settings.md` is generated from the
//! settings that this file and the gateways' folders read.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::api::audiences::rate_policies;
use crate::api::edge::connections::limits::ConnectionLimits;
use crate::api::edge::limits::policies::Policies;
use crate::api::edge::middleware::cors::Origins;
use crate::api::edge::proxies::Proxies;
use crate::auth::signing_keys::SigningKeys;
use crate::domain::delivery::address::PostalAddress;
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::Chain;
use crate::domain::people::staff::{Role, StaffRules};
use crate::env::Env;
use crate::env::risk::{Risk, RiskySetting, SHORTEST_SECRET, is_this_machine};
use crate::files::Files;
use crate::gateway::courier::{self, Carriers};
use crate::gateway::identity::{self, IdentityGateway};
use crate::gateway::login::Logins;
use crate::gateway::malware::Clamd;
use crate::gateway::push::Channels;
use crate::queue::connection::address::RedisAddress;
use crate::registry::Registry;
use crate::store::{self, KeyRing, Store};
use crate::telemetry::logs::LogSettings;
use crate::telemetry::traces::TraceSettings;
use crate::worker::settings::WorkerSettings;
use crate::wrong_clock;

/// All settings of a process that serves the API, works on jobs, or does both.
pub struct Config {
    pub log: LogSettings,
    pub traces: TraceSettings,
    /// The address of PostgreSQL, and the keys that encrypt personal data in it.
    pub record: RecordSettings,
    pub redis: RedisSettings,
    pub listen: SocketAddr,
    pub watch_listen: Option<SocketAddr>,
    /// The API's public address.
    pub public_url: Url,
    pub signing_keys: SigningKeys,
    /// The object store of uploads.
    pub files: Files,
    /// The malware scanner; `None` if this installation has none.
    pub clamd: Option<Clamd>,
    /// The time that an applicant has to answer a supplement notice.
    pub answer_within: Duration,
    pub staff_rules: StaffRules,
    /// The web pages that may call the API.
    pub origins: Origins,
    /// The rate limits of the API.
    pub policies: Policies,
    /// Our own reverse proxies in front of the API.
    pub proxies: Proxies,
    /// How many connections the API may have, and how long.
    pub connections: ConnectionLimits,
    pub worker: WorkerSettings,
    /// The shortest time between two looks at a parcel that its carrier's unsigned callbacks cause.
    pub hinted_look_every: Duration,
    /// The dangerous settings that the operator accepts.
    pub accepted_risks: Vec<RiskySetting>,
    pub channels: Channels,
    /// The order in which channels are tried.
    pub chain: Chain,
    /// The channel through which one-time sign-in codes are sent.
    pub code_channel: ChannelCode,
    pub carriers: Carriers,
    /// The address of the sender on all parcels.
    pub office: PostalAddress,
    /// The platforms through which people sign in.
    pub logins: Logins,
    /// The gateway of the real-name check (实名认证); `None` if the check is off.
    pub identity: Option<Arc<dyn IdentityGateway>>,
    pub clock: Clock,
}

impl Config {
    /// Reads all settings, including those of the registry's gateways. Returns every fault as a text that names the
    /// setting and the action to take.
    pub fn read(env: &mut Env, registry: &Registry) -> Result<Self, Vec<String>> {
        let keys = signing_keys(env);
        let config = Self::try_read(env, registry, keys);
        config.filter(|_| env.faults().is_empty()).ok_or_else(|| env.faults().to_vec())
    }

    /// Reads the settings like [`Self::read`], for a process that serves no API. It needs no token keys, so it does not
    /// look for them: a stolen worker can then issue no token.
    pub fn read_to_work(env: &mut Env, registry: &Registry) -> Result<Self, Vec<String>> {
        let config = Self::try_read(env, registry, Some(SigningKeys::none()));
        config.filter(|_| env.faults().is_empty()).ok_or_else(|| env.faults().to_vec())
    }

    // All settings are read before the first `?`, so that all faults are found.
    fn try_read(env: &mut Env, registry: &Registry, signing_keys: Option<SigningKeys>) -> Option<Self> {
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
            "public address of the API; API clients name it in their assertions, and with https browsers are told to use nothing else",
        );
        let files = Files::read(env, record.as_ref().map(|record| record.keys.clone()));
        let answer_within = answer_within(env);
        let staff_rules = staff_rules(env);
        let origins = Origins::from_env(env);
        let policies = rate_policies(env);
        let proxies = Proxies::from_env(env);
        let connections = ConnectionLimits::from_env(env, proxies);
        let worker = WorkerSettings::read(env);
        let gateways = Gateways::read(env, registry, &clock, worker.as_ref());
        let hinted_look_every = hinted_look_every(env);
        let risks = env.risks();
        if env.is_deployed() {
            risks.refused.iter().for_each(|risky| env.fault(risky.to_string()));
        }
        Some(Self {
            log: log?,
            traces: traces?,
            record: record?,
            redis: redis?,
            listen: listen?,
            watch_listen,
            public_url: public_url?,
            signing_keys: signing_keys?,
            files: files?,
            clamd: gateways.clamd,
            answer_within: answer_within?,
            staff_rules: staff_rules?,
            origins: origins?,
            policies: policies?,
            proxies: proxies?,
            connections: connections?,
            worker: worker?,
            hinted_look_every: hinted_look_every?,
            accepted_risks: risks.accepted,
            channels: gateways.channels,
            chain: gateways.chain?,
            code_channel: gateways.code_channel?,
            carriers: gateways.carriers,
            office: gateways.office?,
            logins: gateways.logins,
            identity: gateways.identity,
            clock,
        })
    }
}

/// The gateways that are turned on, and the settings that concern several gateways: the order of the channels, the
/// channel of one-time sign-in codes, and the sender of parcels. Such a setting is `None` if it has a fault. `identity`
/// and `clamd` are `None` if they have a fault or are switched off.
struct Gateways {
    channels: Channels,
    chain: Option<Chain>,
    code_channel: Option<ChannelCode>,
    carriers: Carriers,
    office: Option<PostalAddress>,
    logins: Logins,
    identity: Option<Arc<dyn IdentityGateway>>,
    clamd: Option<Clamd>,
}

impl Gateways {
    /// Reads the settings. Without `worker`, whose settings then have a fault, time limits are not compared.
    fn read(env: &mut Env, registry: &Registry, clock: &Clock, worker: Option<&WorkerSettings>) -> Self {
        let channels = Channels::read(env, registry.channels(), clock);
        let chain = channels.chain(env, registry.channels());
        let code_channel: Option<String> =
            env.or("SONGDA_CODE_CHANNEL", "sms_aliyun", "channel that carries one-time sign-in codes");
        let gateways = Self {
            channels,
            chain,
            code_channel: code_channel.map(ChannelCode::new),
            carriers: Carriers::read(env, registry.carriers(), clock),
            office: courier::office(env),
            logins: Logins::read(env, registry.logins(), clock),
            identity: identity::read(env, registry.identities(), clock),
            clamd: Clamd::read(env),
        };
        if let Some(worker) = worker {
            gateways.check_time_limits(env, worker);
        }
        gateways
    }

    /// Reports a fault for each channel and each carrier whose time limit for a call is too long: all calls of one
    /// attempt at a job together must not take longer than the time-out of an attempt.
    fn check_time_limits(&self, env: &mut Env, worker: &WorkerSettings) {
        for channel in self.channels.iter() {
            worker.time_outs.check_time_limit(env, channel.code().as_str(), channel.time_limit());
        }
        for carrier in self.carriers.iter() {
            worker.time_outs.check_time_limit(env, carrier.code().as_str(), carrier.time_limit());
        }
        if let Some(clamd) = &self.clamd {
            worker.time_outs.check_scanner(env, clamd.time_limit());
        }
    }
}

pub fn listen(env: &mut Env) -> Option<SocketAddr> {
    let meaning = "address and port that the API listens on; port 0 takes a free one";
    env.or("SONGDA_LISTEN", "127.0.0.1:8080", meaning)
}

pub fn watch_listen(env: &mut Env) -> Option<SocketAddr> {
    env.optional(
        "SONGDA_WATCH_LISTEN",
        "address and port, not for the public, on which this process answers `/healthz`, `/readyz` and `/metrics`; none if not set",
    )
}

/// The settings of PostgreSQL. They suffice for commands that do not decrypt personal data.
#[derive(Clone)]
pub struct DatabaseSettings {
    pub url: Private<String>,
    /// The maximum number of connections of one process.
    pub connections: u32,
}

impl DatabaseSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let url = env.secret("SONGDA_DATABASE_URL", "PostgreSQL: postgres://user:password@host:port/database");
        if let Some(url) = &url {
            examine_database(env, url.expose());
        }
        let connections = env.or(
            "SONGDA_DATABASE_CONNECTIONS",
            "24",
            "the most database connections that one process opens for its work; its readiness check has one more",
        );
        Some(Self { url: url?, connections: connections? })
    }
}

/// The settings of PostgreSQL, and the keys that encrypt personal data in it.
#[derive(Clone)]
pub struct RecordSettings {
    pub database: DatabaseSettings,
    /// The keys that encrypt personal data in the database.
    pub keys: KeyRing,
}

impl RecordSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let database = DatabaseSettings::read(env);
        let keys = key_ring(env);
        Some(Self { database: database?, keys: keys? })
    }

    /// Creates the store. `application` is the name under which PostgreSQL shows the store's connections.
    pub fn store(&self, application: &str) -> Result<Store, crate::store::StoreError> {
        let DatabaseSettings { url, connections } = &self.database;
        Store::new(url.expose(), *connections, application, self.keys.clone())
    }
}

#[derive(Clone)]
pub struct RedisSettings {
    pub address: RedisAddress,
    /// The prefix of all keys of this installation in Redis.
    pub prefix: String,
}

impl RedisSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let address = redis_address(env);
        let prefix = env.or("SONGDA_REDIS_PREFIX", "songda:", "prefix of every key of this installation in Redis");
        Some(Self { address: address?, prefix: prefix? })
    }
}

fn redis_address(env: &mut Env) -> Option<RedisAddress> {
    let url = env.secret(
        "SONGDA_REDIS_URL",
        "Redis: redis://host:port, redis+sentinel://host,host/name or redis+cluster://host,host; rediss… for TLS",
    )?;
    let address = url.expose().parse::<RedisAddress>();
    let address = address.map_err(|fault| env.fault(format!("SONGDA_REDIS_URL {fault}"))).ok()?;
    if address.is_remote() && !address.is_encrypted() {
        env.risk(Risk::PlainRedis, "SONGDA_REDIS_URL names a server on a network, without TLS (rediss://)");
    }
    if address.is_remote() && address.shortest_password() < SHORTEST_SECRET {
        let what = format!("SONGDA_REDIS_URL has no password of at least {SHORTEST_SECRET} characters");
        env.risk(Risk::ShortSecrets, what);
    }
    Some(address)
}

/// Notes the risks of an address of PostgreSQL. If the address is invalid, opening the pool fails and says so.
fn examine_database(env: &mut Env, url: &str) {
    if store::is_unprotected(url).unwrap_or(false) {
        let what = "SONGDA_DATABASE_URL names a server on a network, without TLS (?sslmode=verify-full)";
        env.risk(Risk::PlainPostgres, what);
    }
    let Ok(url) = Url::parse(url) else { return };
    let is_short = url.password().is_some_and(|password| password.len() < SHORTEST_SECRET);
    if is_short && !url.host_str().is_some_and(is_this_machine) {
        let what = format!("the password in SONGDA_DATABASE_URL has fewer than {SHORTEST_SECRET} characters");
        env.risk(Risk::ShortSecrets, what);
    }
}

pub fn answer_within(env: &mut Env) -> Option<Duration> {
    env.duration(
        "SONGDA_ANSWER_WITHIN",
        "30d",
        "how long an applicant is given to answer a supplement notice, in whole days; a later answer counts all the same",
    )
}

fn staff_rules(env: &mut Env) -> Option<StaffRules> {
    let idle = env.duration(
        "SONGDA_STAFF_IDLE",
        "30m",
        "after how long without a refresh the session of an officer ends; longer than the 15 minutes of an access token",
    );
    let second_factor = second_factor(env);
    Some(StaffRules { idle: idle?, second_factor: second_factor?.into() })
}

fn second_factor(env: &mut Env) -> Option<BTreeSet<Role>> {
    let meaning = "roles whose officers need a second factor, separated by commas (`officer,supervisor,operator`): until one is enrolled, an officer can do nothing else; without a role any officer may enrol";
    let text: String = env.or("SONGDA_SECOND_FACTOR", "", meaning)?;
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let Ok(roles) = words.map(str::parse).collect::<Result<BTreeSet<Role>, _>>() else {
        env.fault("SONGDA_SECOND_FACTOR names something that is not a role: officer, supervisor or operator");
        return None;
    };
    if roles.len() < Role::ALL.len() {
        env.risk(
            Risk::NoSecondFactor,
            "SONGDA_SECOND_FACTOR does not name every role: a password alone opens accounts",
        );
    }
    Some(roles)
}

fn hinted_look_every(env: &mut Env) -> Option<Duration> {
    env.duration(
        "SONGDA_HINTED_LOOK_EVERY",
        "60s",
        "the shortest time between two questions about a parcel that a carrier's unsigned callbacks cause",
    )
}

/// Returns the folder that `songda keys init` creates. It contains the key ring and the token keys.
pub fn keys_folder(env: &mut Env) -> Option<PathBuf> {
    env.required("SONGDA_KEYS", "folder with the key ring and the token keys, as made by `songda keys init`")
}

/// Reads the key ring, which seals personal data and files.
pub fn key_ring(env: &mut Env) -> Option<KeyRing> {
    let path = keys_folder(env)?.join(KEY_RING_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let keys = text.and_then(|text| KeyRing::parse(&text).map_err(|error| error.to_string()));
    keys.map_err(|error| env.fault(format!("SONGDA_KEYS: {}: {error}", path.display()))).ok()
}

/// Loads the keys that sign access tokens.
pub fn signing_keys(env: &mut Env) -> Option<SigningKeys> {
    let folder = keys_folder(env)?.join(TOKEN_KEYS_FOLDER);
    let keys = SigningKeys::load(&folder);
    keys.map_err(|error| env.fault(format!("SONGDA_KEYS: {}: {error}", folder.display()))).ok()
}

/// The name of the key ring's file in the keys folder.
pub const KEY_RING_FILE: &str = "key-ring";
/// The name of the token keys' folder in the keys folder. It contains one file `<kid>.pem` for each key; `kid` is the
/// id of the key.
pub const TOKEN_KEYS_FOLDER: &str = "tokens";
