//! The composition root: the one place that knows how the parts fit together.

use std::sync::Arc;
use std::time::Duration;

use poem::listener::Acceptor;
use poem::{Endpoint, Response, Server};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::api::edge::limits::buckets::Buckets;
use crate::api::edge::limits::rate_limit::LimitRate;
use crate::api::edge::middleware::silent_connections::EndSilent;
use crate::api::edge::parameters::bearer::Identify;
use crate::api::edge::parameters::paging::Cursors;
use crate::api::watch;
use crate::api::watch::ready::{Ready, Rounds};
use crate::api::{self, Edge};
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::casework::frame::bell::{Bell, News};
use crate::casework::frame::catalogue::{self, ReadError};
use crate::casework::notices::live::Live;
use crate::casework::people::People;
use crate::casework::people::recent::Recent;
use crate::casework::{Casework, CaseworkParts};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::delivery::address::RegionNames;
use crate::domain::kernel::clock::{Clock, fresh_uuid};
use crate::domain::notice::reach::AddressKind;
use crate::lifecycle::Tasks;
use crate::queue::{Queue, QueueError};
use crate::store::StoreError;
use crate::worker::pool::gone::Gone;
use crate::worker::pool::relay;
use crate::worker::upkeep::health::Pulse;
use crate::worker::{self, Workshop};

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// Redis.
    #[error("Redis cannot be used")]
    Queue(#[from] QueueError),
    /// The published catalogue.
    #[error("the catalogue cannot be used; publish it with `songda catalog load`")]
    Catalogue(#[source] ReadError),
    /// The API's own documents.
    #[error("the API breaks a rule of its own documents")]
    Documents(#[from] api::documents::DocumentsError),
    /// The network, or the folder of uploads.
    #[error("the operating system refuses")]
    Io(#[from] std::io::Error),
}

impl From<ReadError> for AppError {
    fn from(error: ReadError) -> Self {
        match error {
            // Nothing that is published anew would make it available.
            ReadError::Store(error @ StoreError::Unavailable(_)) => Self::Store(error),
            error => Self::Catalogue(error),
        }
    }
}

/// A process of Songda, ready to serve and to work. Cloning shares it.
#[derive(Clone)]
pub struct App {
    config: Arc<Config>,
    catalog: Catalog,
    casework: Casework,
    people: People,
    queue: Queue,
    pulse: Pulse,
    live: Live,
    buckets: Arc<Buckets>,
    bell: Arc<Mutex<Option<mpsc::Receiver<News>>>>,
}

/// How long a connection may say nothing, neither side. Streams of events are never so silent.
const SILENCE: Duration = Duration::from_secs(75);
/// How long what is under way may take after a stop was asked for.
const GRACE: Duration = Duration::from_secs(25);

impl App {
    /// Puts the parts together, and takes the published catalogue into memory.
    ///
    /// # Errors
    /// When a part cannot be used.
    pub async fn build(config: Config) -> Result<Self, AppError> {
        let store = config.record.store("songda")?;
        let queue = Queue::new(&config.redis.address, &config.redis.prefix)?;
        let catalog = Catalog::new(catalogue::read(&store).await?);
        let (bell, hear) = Bell::new();
        let casework = Casework::new(CaseworkParts {
            store: store.clone(),
            clock: config.clock.clone(),
            catalog: catalog.clone(),
            chain: config.chain.clone(),
            code_channel: config.code_channel.clone(),
            carriers: config.carriers.clone(),
            answer_within: config.answer_within,
            bell: bell.clone(),
            files: config.files.clone(),
        });
        let people = People {
            store,
            clock: config.clock.clone(),
            bell,
            tokens: Tokens::new(config.signing_keys.clone()),
            passwords: Passwords::default(),
            login: config.login.clone(),
            identity: config.identity.clone(),
            code_channel: config.code_channel.clone(),
            push_channels: config.chain.finding_by(AddressKind::DeviceToken).cloned().collect(),
            catalog: catalog.clone(),
            regions: regions(&catalog),
            recent_clients: Recent::default(),
            recent_officers: Recent::default(),
            token_endpoint: config
                .public_url
                .join("integration/v1/token")
                .map_or_else(|_| Arc::from("/integration/v1/token"), |url| Arc::from(url.as_str())),
        };
        let bell = Arc::new(Mutex::new(Some(hear)));
        Ok(Self {
            buckets: Arc::new(buckets(&queue)),
            config: Arc::new(config),
            catalog,
            casework,
            people,
            queue,
            pulse: Pulse::default(),
            live: Live::default(),
            bell,
        })
    }

    /// Serves the API until asked to stop, and finishes the requests that are under way.
    ///
    /// # Errors
    /// When the API breaks a rule of its own documents, or the network fails.
    pub async fn serve_api(&self, listener: TcpListener, stop: CancellationToken) -> Result<(), AppError> {
        let tasks = Tasks::new();
        self.start_common(&tasks).await;
        tasks.spawn(self.live.clone().run(self.queue.clone(), tasks.stopping()));
        let (casework, live, stopping) = (self.casework.clone(), self.live.clone(), tasks.stopping());
        tasks.spawn(async move { casework.changes().look_for_all(&live, stopping).await });
        let (buckets, told_until) = (Arc::clone(&self.buckets), tasks.stopping());
        tasks.spawn(async move { buckets.tell(told_until).await });
        let routes = self.routes(&stop)?;
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener)?;
        for address in acceptor.local_addr() {
            tracing::info!("listening on {address}");
        }
        Server::new_with_acceptor(EndSilent { acceptor, after: SILENCE })
            .run_with_graceful_shutdown(routes, stop.cancelled_owned(), Some(GRACE))
            .await?;
        tasks.stop(GRACE).await;
        Ok(())
    }

    /// Answers whoever watches over this process, for as long as it lives: while it stops, it says so. `serves` says
    /// whether it serves the API.
    ///
    /// # Errors
    /// When the network fails.
    pub async fn serve_watch(
        &self,
        listener: TcpListener,
        serves: bool,
        stop: &CancellationToken,
    ) -> Result<(), AppError> {
        let acceptor = poem::listener::TcpAcceptor::from_tokio(listener)?;
        for address in acceptor.local_addr() {
            tracing::info!("watched on {address}");
        }
        let routes = watch::routes(watch::Parts {
            ready: watch::ready::endpoint(Ready { needs_redis: !serves, ..self.ready(stop) }),
            metrics: watch::metrics::endpoint(watch::metrics::Sources {
                casework: self.casework.clone(),
                queue: self.queue.clone(),
                lanes: self.workshop().lanes().into_iter().map(|(lane, _)| lane).collect(),
                rounds: self.rounds(),
            }),
        });
        Ok(Server::new_with_acceptor(acceptor).idle_timeout(SILENCE).run(routes).await?)
    }

    /// Everything that the API answers to, until `stop` ends what streams.
    ///
    /// # Errors
    /// When the API breaks a rule of its own documents.
    pub fn routes(&self, stop: &CancellationToken) -> Result<impl Endpoint<Output = Response> + use<>, AppError> {
        Ok(api::routes(self.api_parts(stop))?)
    }

    /// What signs and reads access tokens.
    #[must_use]
    pub const fn tokens(&self) -> &Tokens {
        &self.people.tokens
    }

    /// Does jobs until asked to stop, and finishes those that are under way.
    ///
    /// # Errors
    /// None at present; what a worker needs is awaited, not demanded.
    pub async fn work(&self, stop: CancellationToken) -> Result<(), AppError> {
        let tasks = Tasks::new();
        self.start_common(&tasks).await;
        worker::start(&Arc::new(self.workshop()), &tasks);
        tracing::info!("working");
        stop.cancelled().await;
        if !tasks.stop(GRACE).await {
            tracing::warn!("some jobs are still under way; their leases will end");
        }
        Ok(())
    }

    /// What every process does beside its main work, once: tells Redis of commits, and keeps the keys of access tokens and the
    /// catalogue fresh.
    async fn start_common(&self, tasks: &Tasks) {
        let Some(bell) = self.bell.lock().await.take() else { return };
        tasks.spawn(relay::run(self.queue.clone(), bell, tasks.stopping()));
        let (keys, stopping) = (self.config.signing_keys.clone(), tasks.stopping());
        tasks.spawn(async move { keys.keep_fresh(stopping).await });
        let (store, catalog, stopping) = (self.casework.store().clone(), self.catalog.clone(), tasks.stopping());
        tasks.spawn(async move { catalogue::keep_fresh(&store, &catalog, stopping).await });
    }

    fn workshop(&self) -> Workshop {
        let config = &self.config;
        Workshop {
            casework: self.casework.clone(),
            queue: self.queue.clone(),
            channels: config.channels.clone(),
            carriers: config.carriers.clone(),
            office: config.office.clone(),
            settings: config.worker.clone(),
            name: format!("{}-{}", std::process::id(), fresh_uuid().as_simple()),
            pulse: self.pulse.clone(),
            gone: Gone::default(),
        }
    }

    fn ready(&self, stop: &CancellationToken) -> Ready {
        Ready {
            casework: self.casework.clone(),
            queue: self.queue.clone(),
            needs_redis: false,
            rounds: self.rounds(),
            stalled_after: self.config.worker.stalled_after,
            stop: stop.clone(),
        }
    }

    fn rounds(&self) -> Rounds {
        let pulse = self.pulse.clone();
        Arc::new(move || pulse.rounds())
    }

    fn api_parts(&self, stop: &CancellationToken) -> api::Parts {
        let config = &self.config;
        let cursors = Cursors::new(config.record.keys.clone());
        api::Parts {
            mobile: api::mobile::api(&api::mobile::Parts {
                people: &self.people,
                casework: &self.casework,
                live: &self.live,
                cursors: &cursors,
                stop,
            }),
            staff: api::staff::api(&self.people, &self.casework, &cursors),
            integration: api::integration::api(&self.people, &self.casework),
            ops: api::ops::api(&self.casework, &self.queue, &cursors),
            callbacks: api::callbacks::route(
                &self.casework,
                &config.carriers,
                &config.channels,
                &config.callback_secrets,
            ),
            ready: watch::ready::endpoint(self.ready(stop)),
            edge: Edge {
                identify: Identify {
                    tokens: self.people.tokens.clone(),
                    desks: Arc::new(self.people.clone()),
                    clock: config.clock.clone(),
                },
                origins: config.origins.clone(),
                limit_rate: LimitRate {
                    policies: config.policies.clone(),
                    buckets: Arc::clone(&self.buckets),
                    proxies: config.proxies,
                },
            },
        }
    }
}

fn buckets(queue: &Queue) -> Buckets {
    /// Whom one process remembers.
    const CALLERS: usize = 100_000;
    /// How long a request waits for Redis to count it, where it must.
    const PATIENCE: Duration = Duration::from_millis(100);
    Buckets::new(queue.clone(), Clock::steady(), CALLERS, PATIENCE)
}

fn regions(catalog: &Catalog) -> crate::casework::people::Regions {
    let catalog = catalog.clone();
    Arc::new(move |code| {
        let snapshot = catalog.current();
        snapshot.regions().county(code).map(|county| RegionNames {
            province: county.province.clone(),
            city: county.city.clone(),
            county: county.county.clone(),
        })
    })
}
