//! Housekeeping is for one process at a time. The rows that it drops belong to their own files here.

use super::{StoreError, Tx};

/// Takes the housekeeper's lock for this transaction, if no other process holds it.
///
/// # Errors
/// When the database is unavailable.
pub async fn try_lock(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    const SQL: &str = "select pg_try_advisory_xact_lock(hashtextextended('housekeeping', 2))";
    Ok(sqlx::query_scalar(SQL).fetch_one(&mut **tx).await?)
}
