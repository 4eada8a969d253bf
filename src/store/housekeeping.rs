//! The lock that lets only one process at a time delete old rows. The statements that delete rows are in the file of
//! each aggregate.

use super::{StoreError, Tx};

/// Takes the lock until the transaction ends. Returns false if another process holds the lock.
pub async fn try_lock(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let sql = "select pg_try_advisory_xact_lock(hashtextextended('housekeeping', 2))";
    Ok(sqlx::query_scalar(sql).fetch_one(&mut **tx).await?)
}
