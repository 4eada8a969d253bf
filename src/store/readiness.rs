//! The connection by which a process checks that PostgreSQL answers. It does not belong to the pool: if all connections
//! of the pool are in use, the process is busy, and not unable to work.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::Mutex;

/// How long the open connection may take to answer before a new one is tried. It can be broken although the database
/// works.
const ANSWER_WITHIN: Duration = Duration::from_millis(400);

pub(super) struct ReadinessConnection {
    options: PgConnectOptions,
    /// `None` until the first check, and after a failed one.
    open: Mutex<Option<PgConnection>>,
}

impl ReadinessConnection {
    pub(super) const fn new(options: PgConnectOptions) -> Self {
        Self { options, open: Mutex::const_new(None) }
    }

    /// Fails if the database does not answer. It can wait for long, so the caller sets a time limit. If the caller
    /// gives up, the open connection stays: otherwise strangers who hang up could make the process open one after the
    /// other.
    pub(super) async fn ping(&self) -> Result<(), sqlx::Error> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &mut *open
            && matches!(tokio::time::timeout(ANSWER_WITHIN, connection.ping()).await, Ok(Ok(())))
        {
            return Ok(());
        }
        *open = None;
        let mut connection = self.options.connect().await?;
        connection.ping().await?;
        *open = Some(connection);
        Ok(())
    }
}
