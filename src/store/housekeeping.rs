//! The lock that lets only one process at a time do the housekeeping. What it removes is in the file of each aggregate.

use super::{StoreError, Tx};

/// Takes the lock for this transaction. Returns false if another process holds it.
pub async fn try_lock(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    const SQL: &str = "select pg_try_advisory_xact_lock(hashtextextended('housekeeping', 2))";
    Ok(sqlx::query_scalar(SQL).fetch_one(&mut **tx).await?)
}
