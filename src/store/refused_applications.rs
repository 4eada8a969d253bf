//! Attempts to apply for what is not published (目录之外不得实施行政审批): refused, and kept.

use super::{Conn, StoreError};
use crate::domain::clock::Instant;
use crate::domain::ids::PersonId;
use crate::domain::item::ItemCode;

/// A code that does not exist may be any text; this much of it is kept.
const LONGEST_CODE: usize = 100;

/// Keeps an attempt.
///
/// # Errors
/// When the database is unavailable.
pub async fn insert(
    conn: &mut Conn,
    item: &ItemCode,
    person: PersonId,
    reason: &'static str,
    at: Instant,
) -> Result<(), StoreError> {
    let code: String = item.as_str().chars().filter(|c| *c != '\0').take(LONGEST_CODE).collect();
    sqlx::query("insert into refused_applications (item_code, person_id, reason, at) values ($1, $2, $3, $4)")
        .bind(code)
        .bind(person.uuid())
        .bind(reason)
        .bind(at)
        .execute(conn)
        .await?;
    Ok(())
}
