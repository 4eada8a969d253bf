//! The second factors of officers: the secret of an authenticator app, and recovery codes. The secret is sealed; of a
//! recovery code only the keyed hash is stored.

use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::OfficerId;
use crate::domain::kernel::private::Private;
use crate::domain::people::guesses::BUDGET_WINDOW;

/// The second factor of an account. The row of the account is locked.
pub struct HeldFactor {
    /// The secret of the app that the officer uses; `None` without a second factor.
    pub secret: Option<Private<Vec<u8>>>,
    /// The step of the last code that was used.
    pub used_step: Option<i64>,
    /// The secret that was offered, and that the officer's app has not confirmed.
    pub offered: Option<Private<Vec<u8>>>,
    /// Wrong codes in the current window of [`BUDGET_WINDOW`].
    pub wrong_codes: i32,
}

#[derive(FromRow)]
struct Row {
    totp_sealed: Option<Vec<u8>>,
    totp_step: Option<i64>,
    totp_offered_sealed: Option<Vec<u8>>,
    wrong_codes: i32,
}

fn in_use(id: OfficerId) -> Cell {
    Cell::of("officers.totp", id.uuid())
}

fn offered(id: OfficerId) -> Cell {
    Cell::of("officers.totp_offered", id.uuid())
}

/// Reads and locks the second factor of an account, so that a code that comes twice at once works once.
pub async fn hold(conn: &mut Conn, keys: &KeyRing, id: OfficerId, now: Instant) -> Result<HeldFactor, StoreError> {
    let sql = "select totp_sealed, totp_step, totp_offered_sealed,
                      case when wrong_codes_since > $2 then wrong_codes else 0 end as wrong_codes
               from officers where id = $1 for update";
    let row: Row = sqlx::query_as(sql).bind(id).bind(now - BUDGET_WINDOW).fetch_one(conn).await?;
    let open = |cell: Cell, sealed: Option<Vec<u8>>| {
        sealed.map(|sealed| keys.open(&cell, &sealed).map(Private::new)).transpose()
    };
    Ok(HeldFactor {
        secret: open(in_use(id), row.totp_sealed)?,
        used_step: row.totp_step,
        offered: open(offered(id), row.totp_offered_sealed)?,
        wrong_codes: row.wrong_codes,
    })
}

/// Stores that the code of a step was used.
pub async fn use_step(conn: &mut Conn, id: OfficerId, step: i64) -> Result<(), StoreError> {
    sqlx::query("update officers set totp_step = $2 where id = $1").bind(id).bind(step).execute(conn).await?;
    Ok(())
}

/// Counts a wrong code after a right password.
pub async fn count_wrong_code(conn: &mut Conn, id: OfficerId, now: Instant) -> Result<(), StoreError> {
    let sql = "update officers
               set wrong_codes = case when wrong_codes_since > $3 then wrong_codes else 0 end + 1,
                   wrong_codes_since = case when wrong_codes_since > $3 then wrong_codes_since else $2 end
               where id = $1";
    sqlx::query(sql).bind(id).bind(now).bind(now - BUDGET_WINDOW).execute(conn).await?;
    Ok(())
}

/// Stores a secret that the officer's app shall confirm. It replaces one that was offered before.
pub async fn offer(conn: &mut Conn, keys: &KeyRing, id: OfficerId, secret: &[u8]) -> Result<(), StoreError> {
    let sealed = keys.seal(&offered(id), secret)?;
    let sql = "update officers set totp_offered_sealed = $2 where id = $1";
    sqlx::query(sql).bind(id).bind(sealed).execute(conn).await?;
    Ok(())
}

/// Makes the confirmed secret the second factor of the account.
pub async fn confirm(
    conn: &mut Conn,
    keys: &KeyRing,
    id: OfficerId,
    secret: &[u8],
    step: i64,
    now: Instant,
) -> Result<(), StoreError> {
    let sealed = keys.seal(&in_use(id), secret)?;
    let sql = "update officers
               set totp_sealed = $2, totp_since = $3, totp_step = $4, totp_offered_sealed = null, wrong_codes = 0
               where id = $1";
    sqlx::query(sql).bind(id).bind(sealed).bind(now).bind(step).execute(conn).await?;
    Ok(())
}

/// Removes the second factor of an account, with its recovery codes.
pub async fn remove(conn: &mut Conn, id: OfficerId) -> Result<(), StoreError> {
    let sql = "update officers
               set totp_sealed = null, totp_since = null, totp_step = null, totp_offered_sealed = null, wrong_codes = 0
               where id = $1";
    sqlx::query(sql).bind(id).execute(&mut *conn).await?;
    sqlx::query("delete from officer_recovery_codes where officer_id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Replaces all recovery codes of an account.
pub async fn replace_recovery_codes(
    conn: &mut Conn,
    keys: &KeyRing,
    id: OfficerId,
    codes: &[Private<String>],
) -> Result<(), StoreError> {
    sqlx::query("delete from officer_recovery_codes where officer_id = $1").bind(id).execute(&mut *conn).await?;
    let hashes: Vec<Vec<u8>> = codes.iter().map(|code| hash(keys, id, code.expose())).collect();
    let sql = "insert into officer_recovery_codes (officer_id, code_hash) select $1, unnest($2::bytea[])";
    sqlx::query(sql).bind(id).bind(hashes).execute(conn).await?;
    Ok(())
}

/// Uses a recovery code. Returns false if the account has no such code, or it was used.
pub async fn use_recovery_code(
    conn: &mut Conn,
    keys: &KeyRing,
    id: OfficerId,
    code: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let sql = "update officer_recovery_codes set used_at = $3
               where officer_id = $1 and code_hash = $2 and used_at is null";
    let query = sqlx::query(sql).bind(id).bind(hash(keys, id, code)).bind(now);
    Ok(query.execute(conn).await?.rows_affected() > 0)
}

/// Returns since when the account has a second factor, and how many recovery codes are left.
pub async fn overview(conn: &mut Conn, id: OfficerId) -> Result<(Option<Instant>, i64), StoreError> {
    let sql = "select totp_since, (select count(*) from officer_recovery_codes r
                                   where r.officer_id = o.id and r.used_at is null)
               from officers o where id = $1";
    Ok(sqlx::query_as(sql).bind(id).fetch_one(conn).await?)
}

fn hash(keys: &KeyRing, id: OfficerId, code: &str) -> Vec<u8> {
    keys.hash("officer_recovery_codes.code", &format!("{id} {code}"))
}
