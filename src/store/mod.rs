//! PostgreSQL, the record: one file per aggregate. Functions here take a connection or a transaction that a use
//! case opened, and know nothing of gateways or Redis.

pub mod addresses;
pub mod api_clients;
pub mod callbacks;
pub mod cases;
pub mod catalogue;
pub mod changes;
pub mod condition;
pub mod consent_holds;
pub mod consents;
pub mod devices;
pub mod drafts;
pub mod housekeeping;
pub mod idempotency;
pub mod identity_tries;
pub mod jobs;
pub mod joins;
pub mod login_codes;
pub mod migrate;
pub mod notifications;
pub mod officers;
pub mod parcels;
pub mod people;
pub mod push_receipts;
pub mod reach;
pub mod recipients;
pub mod record;
pub mod refused_applications;
pub mod reported;
pub mod seal;
pub mod sessions;
pub mod uploads;

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics;

pub use seal::KeyRing;

/// The schema, as `songda migrate` applies it.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A transaction. Only `casework` begins and commits one.
pub type Tx<'c> = Transaction<'c, Postgres>;

/// What a function needs that reads or writes in whatever transaction its caller holds.
pub type Conn = PgConnection;

/// Why the database did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A rule that the schema states was broken; the rule's name.
    #[error("constraint {0}")]
    Constraint(String),
    /// It cannot be reached or is too busy: the same request may succeed later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// Something that should not be: a row that cannot be read, a value that does not open.
    #[error("the database holds or did something unexpected: {0}")]
    Broken(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => match (database.constraint(), database.code().as_deref()) {
                (Some(name), _) => Self::Constraint(name.to_owned()),
                // Deadlock, serialization failure, a transaction that was idle for too long; out of connections or
                // memory, shutting down.
                (None, Some("40001" | "40P01" | "25P03")) => Self::Unavailable(Arc::new(error)),
                (None, Some(code)) if code.starts_with("53") || code.starts_with("57") || code.starts_with("08") => {
                    Self::Unavailable(Arc::new(error))
                }
                _ => Self::Broken(error.to_string()),
            },
            // A connection that ends in the middle of a word is told as a breach of the protocol.
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(Arc::new(error)),
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl StoreError {
    /// The record does not answer at all.
    #[must_use]
    pub fn silent() -> Self {
        Self::Unavailable(Arc::new(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
    }

    /// Whether others held what this transaction wanted, and wanted what it held.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        error.as_database_error().and_then(|error| error.code()).as_deref() == Some("40P01")
    }

    /// Whether a named rule of the schema was broken.
    #[must_use]
    pub fn broke(&self, constraint: &str) -> bool {
        matches!(self, Self::Constraint(name) if name == constraint)
    }

    /// Whether something was to belong to a person who is not there: who was joined to another, for the most part.
    #[must_use]
    pub fn is_of_nobody(&self) -> bool {
        matches!(self, Self::Constraint(name) if name.ends_with("_person_id_fkey"))
    }
}

/// The database, and the keys that open what is sealed in it. Cloning shares both.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    keys: KeyRing,
}

/// What every connection sets.
///
/// All our statements touch few rows, found by an index. The planner is told so, because it may believe that a table is
/// small long after it has grown: a statement that was prepared on an empty database would read whole tables until the
/// first `analyze`. Where a whole table is wanted, it is read all the same. And because one plan serves every value, it is
/// made once for a connection: to plan the longest statements takes as long as to run them.
///
/// No transaction of ours waits for anything but the record. One that is idle belongs to a process or a line that is
/// gone, and what it has locked is needed by others.
const SESSION: [(&str, &str); 7] = [
    ("statement_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// How many statements a connection keeps prepared: more than there are.
const STATEMENTS: usize = 500;

impl Store {
    /// Makes a pool of at most `connections` connections; they are opened when first needed.
    ///
    /// # Errors
    /// When `url` is no PostgreSQL address.
    pub fn new(url: &str, connections: u32, application: &str, keys: KeyRing) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        let options = options.application_name(application).options(SESSION).statement_cache_capacity(STATEMENTS);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(3))
            .test_before_acquire(false)
            .before_acquire(|connection, lent| Box::pin(answers_after_rest(connection, lent.idle_for)))
            .after_release(|connection, _| Box::pin(still_answers(connection)))
            .connect_lazy_with(options);
        Ok(Self { pool, keys })
    }

    /// Begins a transaction. For `casework` alone.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        Ok(waited_for(self.pool.begin()).await?)
    }

    /// A connection for single statements, each its own transaction.
    ///
    /// # Errors
    /// When no connection can be had.
    pub async fn connection(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        Ok(waited_for(self.pool.acquire()).await?)
    }

    /// How many connections this process has at the moment.
    #[must_use]
    pub fn connections(&self) -> Connections {
        let (all, idle) = (self.pool.size() as usize, self.pool.num_idle());
        Connections { busy: all.saturating_sub(idle), idle, limit: self.pool.options().get_max_connections() }
    }

    /// Asks whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The pool, for migrations.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// Begins a transaction on a connection that read something before. For `casework` alone.
///
/// # Errors
/// When the database is unavailable.
pub async fn begin_on(conn: &mut Conn) -> Result<Tx<'_>, StoreError> {
    Ok(conn.begin().await?)
}

/// A process's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// In use.
    pub busy: usize,
    /// Waiting for use.
    pub idle: usize,
    /// How many there may be.
    pub limit: u32,
}

/// Notes how long a connection was waited for, in vain or not.
async fn waited_for<T>(connection: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let watch = Stopwatch::start();
    let connection = connection.await;
    metrics::database::waited(watch.elapsed());
    connection
}

/// Whether a connection that is about to be lent answers. One that answered a moment ago, when it was given back, is not
/// asked again: the question would cost every statement at leisure a round trip.
async fn answers_after_rest(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    const A_MOMENT: Duration = Duration::from_secs(1);
    if idle_for < A_MOMENT { Ok(true) } else { still_answers(connection).await }
}

/// Whether a connection still answers. The pool asks the same when one is given back, but would wait for ever: a line that
/// has fallen silent would take up a place in it for good.
async fn still_answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    const ANSWER_WITHIN: Duration = Duration::from_secs(2);
    match tokio::time::timeout(ANSWER_WITHIN, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Lets this transaction's commit return before it is on disk: for what may be lost with the machine.
///
/// # Errors
/// When the database is unavailable.
pub async fn set_relaxed(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    sqlx::query("set local synchronous_commit = off").execute(&mut **tx).await?;
    Ok(())
}
