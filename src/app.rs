//! The composition root: builds the components of a process from its settings, and runs them.

use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, EndpointExt, Response};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::api::edge::connections::limits::ConnectionLimits;
use crate::api::edge::connections::server::HttpServer;
use crate::api::edge::limits::quotas::Quotas;
use crate::api::edge::limits::rate_limit::RateLimits;
use crate::api::edge::middleware::identify::Identify;
use crate::api::edge::middleware::in_time::ANSWER_WITHIN;
use crate::api::edge::middleware::safe_headers::ProtectAnswers;
use crate::api::edge::parameters::paging::Cursors;
use crate::api::edge::surround::Edge;
use crate::api::routes::{ApiParts, routes};
use crate::api::services::Services;
use crate::api::watch;
use crate::api::watch::ready::{Ready, Rounds};
use crate::api::{callbacks, documents};
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::casework::frame::bell::{Bell, News};
use crate::casework::frame::catalogue::{self, ReadError};
use crate::casework::notices::live::Live;
use crate::casework::people::ended_sessions::EndedSessions;
use crate::casework::people::recent::Recent;
use crate::casework::people::{People, Regions};
use crate::casework::{Casework, CaseworkParts};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::kernel::clock::{Clock, fresh_uuid};
use crate::domain::notice::reach::AddressKind;
use crate::gateway::login::wechat;
use crate::lifecycle::Tasks;
use crate::queue::{Queue, QueueError};
use crate::store::{Store, StoreError};
use crate::worker;
use crate::worker::gone_addresses::GoneAddresses;
use crate::worker::health::Health;
use crate::worker::offers::relay;
use crate::worker::workshop::Workshop;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    #[error("Redis cannot be used")]
    Queue(#[from] QueueError),
    #[error("the catalogue cannot be used; publish it with `songda catalog load`")]
    Catalogue(#[source] ReadError),
    #[error("the API breaks a rule of its own documents")]
    Documents(#[from] documents::DocumentsError),
    #[error("the operating system refuses")]
    Io(#[from] std::io::Error),
}

impl From<ReadError> for AppError {
    fn from(error: ReadError) -> Self {
        match error {
            // The database is unavailable, so the advice to publish the catalogue would be wrong.
            ReadError::Store(error @ StoreError::Unavailable(_)) => Self::Store(error),
            error => Self::Catalogue(error),
        }
    }
}

/// The components of a process. Cloning shares them.
#[derive(Clone)]
pub struct App {
    config: Arc<Config>,
    catalog: Catalog,
    casework: Casework,
    people: People,
    queue: Queue,
    health: Health,
    live: Live,
    quotas: Arc<Quotas>,
    /// The receiving end of the bell, the channel in this process that announces committed jobs. When the relay starts,
    /// it takes this receiver, and then offers the announced jobs to Redis. `None` once the relay runs.
    news: Arc<Mutex<Option<mpsc::Receiver<News>>>>,
}

/// The time that requests and jobs have to finish after the process is asked to stop.
const GRACE: Duration = Duration::from_secs(25);

impl App {
    /// Builds the components, and reads the published catalogue from the database.
    pub async fn build(config: Config) -> Result<Self, AppError> {
        let store = config.record.store("songda")?;
        let queue = Queue::new(&config.redis.address, &config.redis.prefix)?;
        let catalog = Catalog::new(catalogue::read(&store).await?);
        let (bell, news) = Bell::new();
        Ok(Self {
            casework: casework(&config, &store, &catalog, &bell),
            people: people(&config, store, &catalog, bell),
            quotas: Arc::new(quotas(&queue)),
            health: Health::default(),
            live: Live::default(),
            news: Arc::new(Mutex::new(Some(news))),
            config: Arc::new(config),
            catalog,
            queue,
        })
    }

    /// Serves the API until `stop` is cancelled, and then waits up to `GRACE` for the requests that still run.
    pub async fn serve_api(&self, listener: TcpListener, stop: CancellationToken) -> Result<(), AppError> {
        let tasks = Tasks::new();
        self.start_common(&tasks).await;
        self.start_live(&tasks);
        self.start_quotas(&tasks);
        self.start_ended_sessions(&tasks);
        let endpoint = self.routes(&stop)?.boxed();
        let limits = self.config.connections;
        tracing::info!("listening on {}, for at most {} connections", listener.local_addr()?, limits.in_all);
        HttpServer { endpoint, limits, grace: GRACE }.run(listener, stop).await;
        tasks.stop(GRACE).await;
        Ok(())
    }

    /// Serves health checks and metrics until the process ends, even after `stop` is cancelled: `/readyz` then reports
    /// that the process is stopping. `serves` is true if the process also serves the API.
    pub async fn serve_watch(
        &self,
        listener: TcpListener,
        serves: bool,
        stop: &CancellationToken,
    ) -> Result<(), AppError> {
        tracing::info!("watched on {}", listener.local_addr()?);
        let ready = watch::ready::endpoint(Ready { needs_redis: !serves, ..self.ready(stop) });
        let metrics = watch::metrics::endpoint(watch::metrics::Sources {
            casework: self.casework.clone(),
            queue: self.queue.clone(),
            lanes: self.workshop().lanes().into_iter().map(|(lane, _)| lane).collect(),
            rounds: self.rounds(),
        });
        let endpoint = watch::routes(watch::WatchParts { ready, metrics }).boxed();
        let server = HttpServer { endpoint, limits: ConnectionLimits::INNER, grace: Duration::ZERO };
        server.run(listener, CancellationToken::new()).await;
        Ok(())
    }

    /// All routes of the API. When `stop` is cancelled, the open event streams end.
    pub fn routes(&self, stop: &CancellationToken) -> Result<impl Endpoint<Output = Response> + use<>, AppError> {
        Ok(routes(self.api_parts(stop))?)
    }

    pub const fn tokens(&self) -> &Tokens {
        &self.people.tokens
    }

    /// Works on jobs until `stop` is cancelled, and then waits up to `GRACE` for the jobs that still run.
    pub async fn work(&self, stop: CancellationToken) {
        let tasks = Tasks::new();
        self.start_common(&tasks).await;
        worker::start(&Arc::new(self.workshop()), &tasks);
        tracing::info!("working");
        stop.cancelled().await;
        if !tasks.stop(GRACE).await {
            tracing::warn!("some jobs are still under way; their leases will end");
        }
    }

    /// Starts the relay, and the tasks that refresh the signing keys and the catalogue. Further calls do nothing: a
    /// process that serves the API and also runs jobs calls this twice.
    async fn start_common(&self, tasks: &Tasks) {
        let Some(news) = self.news.lock().await.take() else { return };
        tasks.spawn(relay::run(self.queue.clone(), news, tasks.stopping()));
        let keys = self.config.signing_keys.clone();
        let stopping = tasks.stopping();
        tasks.spawn(async move { keys.keep_fresh(stopping).await });
        let store = self.casework.store().clone();
        let catalog = self.catalog.clone();
        let stopping = tasks.stopping();
        tasks.spawn(async move { catalogue::keep_fresh(&store, &catalog, stopping).await });
    }

    /// Starts the tasks that wake the clients that wait for changes over long-polls or event streams.
    fn start_live(&self, tasks: &Tasks) {
        tasks.spawn(self.live.clone().run(self.queue.clone(), tasks.stopping()));
        let casework = self.casework.clone();
        let live = self.live.clone();
        let stopping = tasks.stopping();
        tasks.spawn(async move { casework.changes().look_for_all(&live, stopping).await });
    }

    fn start_quotas(&self, tasks: &Tasks) {
        let quotas = Arc::clone(&self.quotas);
        let stopping = tasks.stopping();
        tasks.spawn(async move { quotas.report(stopping).await });
    }

    /// Starts the task that reads which sessions have ended.
    fn start_ended_sessions(&self, tasks: &Tasks) {
        let People { ended_sessions, store, clock, .. } = self.people.clone();
        let stopping = tasks.stopping();
        tasks.spawn(async move { ended_sessions.keep_fresh(&store, &clock, stopping).await });
    }

    fn workshop(&self) -> Workshop {
        let config = &self.config;
        Workshop {
            casework: self.casework.clone(),
            queue: self.queue.clone(),
            channels: config.channels.clone(),
            carriers: config.carriers.clone(),
            clamd: config.clamd.clone(),
            office: config.office.clone(),
            settings: config.worker.clone(),
            name: format!("{}-{}", std::process::id(), fresh_uuid().as_simple()),
            health: self.health.clone(),
            gone: GoneAddresses::default(),
        }
    }

    fn ready(&self, stop: &CancellationToken) -> Ready {
        Ready {
            casework: self.casework.clone(),
            queue: self.queue.clone(),
            needs_redis: false,
            rounds: self.rounds(),
            stalled_after: self.config.worker.upkeep.stalled_after,
            stop: stop.clone(),
        }
    }

    fn rounds(&self) -> Rounds {
        let health = self.health.clone();
        Arc::new(move || health.rounds())
    }

    fn api_parts(&self, stop: &CancellationToken) -> ApiParts {
        let config = &self.config;
        ApiParts {
            services: self.services(stop),
            callbacks: callbacks::route(&self.casework, &config.carriers, &config.channels),
            ready: watch::ready::endpoint(self.ready(stop)),
            edge: self.edge(),
        }
    }

    fn services(&self, stop: &CancellationToken) -> Services {
        Services {
            people: self.people.clone(),
            casework: self.casework.clone(),
            live: self.live.clone(),
            queue: self.queue.clone(),
            cursors: Cursors::new(self.config.record.keys.clone()),
            stop: stop.clone(),
        }
    }

    fn edge(&self) -> Edge {
        let config = &self.config;
        Edge {
            identify: Identify {
                tokens: self.people.tokens.clone(),
                sessions: Arc::new(self.people.clone()),
                clock: config.clock.clone(),
            },
            origins: config.origins.clone(),
            rate_limits: RateLimits { policies: config.policies.clone(), quotas: Arc::clone(&self.quotas) },
            protect: ProtectAnswers::at(&config.public_url),
            proxies: config.proxies,
            answer_within: ANSWER_WITHIN,
        }
    }
}

fn casework(config: &Config, store: &Store, catalog: &Catalog, bell: &Bell) -> Casework {
    Casework::new(CaseworkParts {
        store: store.clone(),
        clock: config.clock.clone(),
        catalog: catalog.clone(),
        chain: config.chain.clone(),
        code_channel: config.code_channel.clone(),
        carriers: config.carriers.clone(),
        answer_within: config.answer_within,
        hinted_look_every: config.hinted_look_every,
        bell: bell.clone(),
        files: config.files.clone(),
    })
}

fn people(config: &Config, store: Store, catalog: &Catalog, bell: Bell) -> People {
    People {
        store,
        clock: config.clock.clone(),
        bell,
        tokens: Tokens::new(config.signing_keys.clone()),
        passwords: Passwords::default(),
        login: config.logins.get(wechat::ADAPTER.code).cloned(),
        identity: config.identity.clone(),
        code_channel: config.code_channel.clone(),
        push_channels: config.chain.finding_by(AddressKind::DeviceToken).cloned().collect(),
        catalog: catalog.clone(),
        regions: regions(catalog),
        recent_clients: Recent::default(),
        recent_officers: Recent::default(),
        ended_sessions: EndedSessions::default(),
        staff_rules: config.staff_rules.clone(),
        token_endpoint: config
            .public_url
            .join("integration/v1/token")
            .map_or_else(|_| Arc::from("/integration/v1/token"), |url| Arc::from(url.as_str())),
    }
}

fn quotas(queue: &Queue) -> Quotas {
    const CALLERS: usize = 100_000;
    /// How long a request waits if Redis must decide whether a rate limit allows it. If Redis does not reply in this
    /// time, this process decides alone.
    const TIME_OUT: Duration = Duration::from_millis(100);
    Quotas::new(queue.clone(), Clock::steady(), CALLERS, TIME_OUT)
}

fn regions(catalog: &Catalog) -> Regions {
    let catalog = catalog.clone();
    Arc::new(move |code| {
        let snapshot = catalog.current();
        snapshot.regions().county(code).cloned()
    })
}
