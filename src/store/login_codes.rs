//! One-time codes that prove the possession of a phone. The limits per number count these rows.

use sqlx::FromRow;
use uuid::Uuid;

use super::people::{open_phone, open_text};
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::private::Private;
use crate::domain::people::identity::MobilePhone;

const PHONE: &str = "login_codes.phone";
const CODE: &str = "login_codes.code";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginCode {
    pub id: LoginCodeId,
    pub phone: MobilePhone,
    /// Six digits.
    pub code: Private<String>,
    /// How often someone entered a code for it.
    pub tries: i32,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// Columns are named, so that a column of a newer release does not change the statements of this one.
macro_rules! columns {
    () => {
        "id, phone_sealed, code_sealed, tries, created_at, expires_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    phone_sealed: Vec<u8>,
    code_sealed: Vec<u8>,
    tries: i32,
    created_at: Instant,
    expires_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<LoginCode, StoreError> {
        Ok(LoginCode {
            id: LoginCodeId::from_uuid(self.id),
            phone: open_phone(keys, PHONE, &self.phone_sealed)?,
            code: Private::new(open_text(keys, CODE, &self.code_sealed)?),
            tries: self.tries,
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

/// Locks a phone number until the end of the transaction, so that two requests cannot both use the last code within the
/// limits.
pub async fn hold_number(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 1))")
        .bind(keys.hash(PHONE, phone.expose()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Times at which codes were made for a number after an instant, the latest first.
pub async fn made_after(
    conn: &mut Conn,
    keys: &KeyRing,
    phone: &MobilePhone,
    after: Instant,
) -> Result<Vec<Instant>, StoreError> {
    let made = sqlx::query_scalar(
        "select created_at from login_codes where phone_hash = $1 and created_at > $2 order by created_at desc",
    )
    .bind(keys.hash(PHONE, phone.expose()))
    .bind(after)
    .fetch_all(conn)
    .await?;
    Ok(made)
}

pub async fn insert(conn: &mut Conn, keys: &KeyRing, code: &LoginCode) -> Result<(), StoreError> {
    sqlx::query(
        "insert into login_codes (id, phone_hash, phone_sealed, code_sealed, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(code.id.uuid())
    .bind(keys.hash(PHONE, code.phone.expose()))
    .bind(keys.seal(PHONE, code.phone.expose().as_bytes())?)
    .bind(keys.seal(CODE, code.code.expose().as_bytes())?)
    .bind(code.created_at)
    .bind(code.expires_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A code that is neither used nor expired, for the worker that sends it.
pub async fn find_open(
    conn: &mut Conn,
    keys: &KeyRing,
    id: LoginCodeId,
    now: Instant,
) -> Result<Option<LoginCode>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from login_codes where id = $1 and used_at is null and expires_at > $2"
    ))
    .bind(id.uuid())
    .bind(now)
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Counts a try against a number's latest code and returns the code, unless it is used or expired. Its row is then
/// locked.
///
/// Counting comes before comparing, so that parallel guesses are limited like guesses in a row.
pub async fn try_latest(
    conn: &mut Conn,
    keys: &KeyRing,
    phone: &MobilePhone,
    now: Instant,
) -> Result<Option<LoginCode>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "update login_codes set tries = tries + 1
         where id = (select id from login_codes where phone_hash = $1 order by created_at desc limit 1)
           and used_at is null and expires_at > $2
         returning ",
        columns!()
    ))
    .bind(keys.hash(PHONE, phone.expose()))
    .bind(now)
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(keys)).transpose()
}

pub async fn use_up(conn: &mut Conn, id: LoginCodeId, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update login_codes set used_at = $2 where id = $1").bind(id.uuid()).bind(now).execute(conn).await?;
    Ok(())
}

/// Forgets up to `limit` codes that were made before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, made_before: Instant, limit: i64) -> Result<u64, StoreError> {
    const SQL: &str = "delete from login_codes where id = any (array(
        select id from login_codes where created_at < $1 order by created_at limit $2))";
    Ok(sqlx::query(SQL).bind(made_before).bind(limit).execute(conn).await?.rows_affected())
}
