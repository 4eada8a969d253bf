//! Access to PostgreSQL, the source of truth. One file per aggregate.
//!
//! A function here takes a connection or a transaction that a use case in `casework` opened. It fails with
//! [`StoreError::Unavailable`] if the database cannot be reached, and with [`StoreError::Broken`] if the database
//! returns a value that cannot be read. Doc comments name only other errors. Statements name their columns, so that a
//! column that a newer release adds does not break the statements of this release.

pub mod addresses;
pub mod api_clients;
pub mod callbacks;
pub mod cases;
pub mod catalogue;
pub mod changes;
mod codecs;
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
pub mod officer_sign_ins;
pub mod officers;
pub mod parcels;
pub mod people;
pub mod push_receipts;
pub mod reach;
mod readiness;
pub mod recipients;
pub mod record;
pub mod refused_applications;
pub mod reported;
pub mod seal;
pub mod second_factors;
pub mod sessions;
pub mod uploads;

use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use std::time::Duration;

use crate::domain::kernel::clock::Stopwatch;
use crate::env::risk::is_this_machine;
use crate::metrics;

use readiness::ReadinessConnection;
pub use seal::KeyRing;

/// The migrations that `songda migrate` applies.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx_macros::migrate!("./migrations");

/// A transaction. Only use cases in `casework` begin and commit transactions.
pub type Tx<'c> = Transaction<'c, Postgres>;

/// A connection. The caller decides if it is in a transaction.
pub type Conn = PgConnection;

/// The reason why a database operation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The operation violates a constraint of the schema. The text is the constraint's name.
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
                // Serialization failure, deadlock, a transaction that was idle for too long.
                (None, Some("40001" | "40P01" | "25P03")) => Self::Unavailable(Arc::new(error)),
                // Out of connections or memory, shutting down, broken connection.
                (None, Some(code)) if code.starts_with("53") || code.starts_with("57") || code.starts_with("08") => {
                    Self::Unavailable(Arc::new(error))
                }
                _ => Self::Broken(error.to_string()),
            },
            // sqlx reports a connection that ends in the middle of a message as `Protocol`.
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

    /// True if the constraint with this name was violated.
    #[must_use]
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Constraint(name) if name == constraint)
    }

    /// True if the operation failed because a row refers to a person who does not exist. Usually another transaction
    /// has joined that person into a second person.
    #[must_use]
    pub fn names_missing_person(&self) -> bool {
        matches!(self, Self::Constraint(name) if name.ends_with("_person_id_fkey"))
    }
}

/// The database, and the keys that open its sealed values. Cloning shares both.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    readiness: Arc<ReadinessConnection>,
    keys: KeyRing,
}

/// Settings of every connection.
///
/// All our statements touch few rows and find them by an index. PostgreSQL may believe that a table is small long after
/// the table has grown, and a statement that was prepared on an empty database would read whole tables or indexes until
/// the first `analyze`. So the `enable_` settings leave the planner only nested loops over indexes, and the two costs
/// say that reading a row is as dear as reading a page. A statement that needs a whole table still reads it.
/// `force_generic_plan` makes a connection plan each statement only once, because planning the longest statements takes
/// as long as running them.
///
/// Our transactions wait for nothing but the database. So an idle transaction belongs to a dead process or a broken
/// connection. PostgreSQL ends it, because other transactions need its locks.
const SESSION: [(&str, &str); 10] = [
    ("statement_timeout", "15s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_bitmapscan", "off"),
    ("cpu_tuple_cost", "1"),
    ("cpu_index_tuple_cost", "1"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// How many prepared statements a connection keeps. The number is larger than the number of our statements.
const STATEMENTS: usize = 500;

impl Store {
    /// Makes a pool of at most `connections` connections, which open on first use. The server shows `application` as
    /// their name. One more connection opens for [`Store::ping`].
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
            .connect_lazy_with(options.clone());
        Ok(Self { pool, readiness: Arc::new(ReadinessConnection::new(options)), keys })
    }

    /// Begins a transaction. Only `casework` calls it.
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        Ok(measured(self.pool.begin()).await?)
    }

    /// Takes a connection from the pool, for single statements that each are a transaction.
    pub async fn connection(&self) -> Result<sqlx::pool::PoolConnection<Postgres>, StoreError> {
        Ok(measured(self.pool.acquire()).await?)
    }

    #[must_use]
    pub fn connections(&self) -> Connections {
        let all = self.pool.size() as usize;
        let idle = self.pool.num_idle();
        Connections { busy: all.saturating_sub(idle), idle, limit: self.pool.options().get_max_connections() }
    }

    /// Fails if the database does not answer. Does not use a connection of the pool.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.readiness.ping().await?)
    }

    /// The pool of connections, for migrations.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    #[must_use]
    pub const fn keys(&self) -> &KeyRing {
        &self.keys
    }
}

/// True if connections to this address of PostgreSQL go over a network, and may be without TLS.
///
/// # Errors
/// If `url` is not a PostgreSQL address.
pub fn is_unprotected(url: &str) -> Result<bool, StoreError> {
    let options: PgConnectOptions = url.parse()?;
    let is_local = options.get_socket().is_some() || is_this_machine(options.get_host());
    let is_encrypted =
        matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull);
    Ok(!is_local && !is_encrypted)
}

/// Begins a transaction on a connection that was used for single statements. Only `casework` calls it.
pub async fn begin_on(conn: &mut Conn) -> Result<Tx<'_>, StoreError> {
    Ok(conn.begin().await?)
}

/// The numbers of this process's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    pub busy: usize,
    pub idle: usize,
    /// The maximum number of connections that the pool opens.
    pub limit: u32,
}

/// Waits for a connection, and records the duration of the wait in the metrics, even if the caller got no connection.
async fn measured<T>(connection: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let watch = Stopwatch::start();
    let connection = connection.await;
    metrics::database::observe_wait(watch.elapsed());
    connection
}

/// True if an idle connection still answers. A connection that was idle for only a moment is not tested, because the
/// test would cost a round trip per statement.
async fn answers_after_rest(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    const A_MOMENT: Duration = Duration::from_secs(1);
    if idle_for < A_MOMENT { Ok(true) } else { still_answers(connection).await }
}

/// Tests a connection, and fails if it does not answer in time. The pool's own test has no time-out, so a connection
/// that no longer answers would keep its slot in the pool for ever.
async fn still_answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    const ANSWER_WITHIN: Duration = Duration::from_secs(2);
    match tokio::time::timeout(ANSWER_WITHIN, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

/// Lets this transaction's commit return before it is on disk. Only for data that may be lost if the machine crashes.
pub async fn set_relaxed(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    sqlx::query("set local synchronous_commit = off").execute(&mut **tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_network_needs_tls() {
        let is_plain = |url: &str| is_unprotected(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        for url in [
            "postgres://songda@127.0.0.1/songda",
            "postgres://songda@[::1]:5433/songda",
            "postgres://songda@localhost/songda?sslmode=disable",
            "postgres:///songda?host=/var/run/postgresql",
            "postgres://songda@db.example/songda?sslmode=require",
            "postgres://songda@db.example/songda?sslmode=verify-full",
        ] {
            assert!(!is_plain(url), "{url}");
        }
        for url in ["postgres://songda@db.example/songda", "postgres://songda@10.0.0.1/songda?sslmode=prefer"] {
            assert!(is_plain(url), "{url}");
        }
        assert!(is_unprotected("hush").is_err());
    }
}
