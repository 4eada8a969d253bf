//! PostgreSQL, the record. One file per aggregate.
//!
//! A function here takes a connection or a transaction that its use case opened. It knows nothing of gateways or Redis.
//! Every function fails with [`StoreError::Unavailable`] if the database cannot be reached, and with
//! [`StoreError::Broken`] if it holds a value that cannot be read. A doc comment names only other errors.

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

/// The migrations that `songda migrate` applies.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// A transaction. Only `casework` begins and commits transactions.
pub type Tx<'c> = Transaction<'c, Postgres>;

/// A connection, in or outside a transaction: its caller decides.
pub type Conn = PgConnection;

/// Why the database did not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A constraint of the schema was violated. Holds the constraint's name.
    #[error("the constraint {0} is violated")]
    Constraint(String),
    /// The database cannot be reached or is too busy. The same request may succeed later.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// A row cannot be read, a sealed value does not open, or the server reported an unexpected error.
    #[error("unexpected content or error of the database: {0}")]
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
            // sqlx reports a connection that ends in the middle of a message as a breach of the protocol.
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
    /// The error for a database that does not answer at all.
    #[must_use]
    pub fn silent() -> Self {
        Self::Unavailable(Arc::new(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
    }

    /// True if PostgreSQL ended this transaction to resolve a deadlock.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        let Self::Unavailable(error) = self else { return false };
        error.as_database_error().and_then(|error| error.code()).as_deref() == Some("40P01")
    }

    /// True if this named constraint was violated.
    #[must_use]
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Constraint(name) if name == constraint)
    }

    /// True if a row referred to a person who does not exist, in most cases because that person was joined with
    /// another.
    #[must_use]
    pub fn names_missing_person(&self) -> bool {
        matches!(self, Self::Constraint(name) if name.ends_with("_person_id_fkey"))
    }
}

/// The database, and the keys that open its sealed values. Cloning shares both.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    keys: KeyRing,
}

/// Settings of every connection.
///
/// All our statements touch few rows, found by an index. These settings tell the planner so, because it may believe
/// that a table is small long after it has grown: a statement that was prepared on an empty database would read whole
/// tables until the first `analyze`. A statement that wants a whole table still reads it. One plan serves all values,
/// so each connection plans a statement only once: planning the longest statements takes as long as running them.
///
/// Our transactions wait for nothing but the database. An idle transaction therefore belongs to a dead process or a
/// broken connection, and others need what it has locked.
const SESSION: [(&str, &str); 7] = [
    ("statement_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 500;

impl Store {
    /// Makes a pool of at most `connections` connections. They are opened when first needed. `application` is their
    /// name in the server's list of connections.
    ///
    /// # Errors
    /// If `url` is not a PostgreSQL address.
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
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        Ok(measured(self.pool.begin()).await?)
    }

    /// A connection for single statements, each in its own transaction.
    pub async fn connection(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        Ok(measured(self.pool.acquire()).await?)
    }

    #[must_use]
    pub fn connections(&self) -> Connections {
        let all = self.pool.size() as usize;
        let idle = self.pool.num_idle();
        Connections { busy: all.saturating_sub(idle), idle, limit: self.pool.options().get_max_connections() }
    }

    /// Fails if the database does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// The pool, for migrations.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// Begins a transaction on a connection that was used for single statements. For `casework` alone.
pub async fn begin_on(conn: &mut Conn) -> Result<Tx<'_>, StoreError> {
    Ok(conn.begin().await?)
}

/// The number of connections that this process has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    pub busy: usize,
    pub idle: usize,
    /// At most this many in all.
    pub limit: u32,
}

/// Measures the wait for a connection, successful or not.
async fn measured<T>(connection: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let watch = Stopwatch::start();
    let connection = connection.await;
    metrics::database::observe_wait(watch.elapsed());
    connection
}

/// True if an idle connection answers before it is lent. A connection that answered a moment ago, when it was returned,
/// is not asked again: the question would cost a round trip per statement.
async fn answers_after_rest(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    const A_MOMENT: Duration = Duration::from_secs(1);
    if idle_for < A_MOMENT { Ok(true) } else { still_answers(connection).await }
}

/// True if a connection answers in time. The pool makes the same check when a connection is returned, but without a
/// time-out: a connection that fell silent would keep its slot in the pool for ever.
async fn still_answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    const ANSWER_WITHIN: Duration = Duration::from_secs(2);
    match tokio::time::timeout(ANSWER_WITHIN, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Lets this transaction's commit return before it is on disk. Only for data that may be lost in a crash of the
/// machine.
pub async fn set_relaxed(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    sqlx::query("set local synchronous_commit = off").execute(&mut **tx).await?;
    Ok(())
}
