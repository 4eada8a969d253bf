//! Accounts of officers.

use std::time::Duration;

use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{OfficerId, SessionId};
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::{Officer, Username};

/// The name of the constraint by which each username belongs to at most one officer.
pub const ONE_OFFICER_PER_USERNAME: &str = "officers_username_key";

macro_rules! select {
    ($rest:literal) => {
        concat!("select id, username, name, agency, role, created_at, disabled_at from officers ", $rest)
    };
}

#[derive(FromRow)]
struct Row {
    id: OfficerId,
    username: String,
    name: String,
    agency: AgencyCode,
    role: String,
    created_at: Instant,
    disabled_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<Officer, StoreError> {
        let Self { id, username, name, agency, role, created_at, disabled_at } = self;
        let broken = |column: &str| StoreError::Broken(format!("officers.{column} of {id}"));
        let username = username.parse().map_err(|_| broken("username"))?;
        let role = role.parse().map_err(|_| broken("role"))?;
        Ok(Officer { id, username, name, agency, role, created_at, disabled_at })
    }
}

/// Adds an account.
///
/// # Errors
/// [`ONE_OFFICER_PER_USERNAME`] if another officer has the username.
pub async fn insert(conn: &mut Conn, officer: &Officer, password_hash: &Private<String>) -> Result<(), StoreError> {
    let sql = "insert into officers (id, username, name, agency, role, password_hash, created_at)
               values ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(officer.id)
        .bind(officer.username.as_str())
        .bind(&officer.name)
        .bind(&officer.agency)
        .bind(officer.role.as_str())
        .bind(password_hash.expose())
        .bind(officer.created_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds an officer. An officer whose account is closed is not found.
pub async fn find_open(conn: &mut Conn, id: OfficerId) -> Result<Option<Officer>, StoreError> {
    let sql = select!("where id = $1 and disabled_at is null");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

/// Finds the officer of a session that has not ended. An officer whose account is closed is not found.
pub async fn of_session(conn: &mut Conn, session: SessionId) -> Result<Option<Officer>, StoreError> {
    let sql = select!(
        "where id = (select subject_id from sessions where id = $1 and audience = 'staff' and ended_at is null)
           and disabled_at is null"
    );
    let row: Option<Row> = sqlx::query_as(sql).bind(session).fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

pub async fn find_by_username(conn: &mut Conn, username: &Username) -> Result<Option<Officer>, StoreError> {
    let sql = select!("where username = $1");
    let row: Option<Row> = sqlx::query_as(sql).bind(username.as_str()).fetch_optional(conn).await?;
    row.map(Row::read).transpose()
}

/// Returns all accounts in the order of their usernames. Closed accounts are included.
pub async fn all(conn: &mut Conn) -> Result<Vec<Officer>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(select!("order by username")).fetch_all(conn).await?;
    rows.into_iter().map(Row::read).collect()
}

/// The rule by which failed sign-ins lock an account.
pub struct Lockout {
    /// The number of failures in a row that locks the account.
    pub after: i32,
    /// How long the account stays locked.
    pub lasts: Duration,
}

/// Counts a failed sign-in against an account and returns the hash of its password. Returns `None` if the account does
/// not exist, or is closed or locked. If the password then turns out to be right, [`forget_failures`] resets the count.
///
/// The count comes before the slow comparison of passwords, so that parallel guesses are limited like guesses one after
/// another.
pub async fn count_try(
    conn: &mut Conn,
    username: &Username,
    lockout: &Lockout,
    now: Instant,
) -> Result<Option<(OfficerId, Private<String>)>, StoreError> {
    let sql = "update officers o
         set failures = t.failures, locked_until = case when t.failures >= $3 then $2 + $4 * interval '1 second' end
         from (
             select id, case when locked_until is null then failures else 0 end + 1 as failures
             from officers
             where username = $1 and disabled_at is null and (locked_until is null or locked_until <= $2)
             for update
         ) t
         where o.id = t.id
         returning o.id, o.password_hash";
    let lasts = i64::try_from(lockout.lasts.as_secs()).unwrap_or(i64::MAX);
    let query = sqlx::query_as(sql).bind(username.as_str()).bind(now).bind(lockout.after).bind(lasts);
    let row: Option<(OfficerId, String)> = query.fetch_optional(conn).await?;
    Ok(row.map(|(id, hash)| (id, Private::new(hash))))
}

/// Sets the failures of an account to zero, because the password was right.
pub async fn forget_failures(conn: &mut Conn, id: OfficerId) -> Result<(), StoreError> {
    let sql = "update officers set failures = 0, locked_until = null where id = $1";
    sqlx::query(sql).bind(id).execute(conn).await?;
    Ok(())
}

/// Sets a new password and unlocks the account.
pub async fn set_password(conn: &mut Conn, id: OfficerId, hash: &Private<String>) -> Result<(), StoreError> {
    let sql = "update officers set password_hash = $2, failures = 0, locked_until = null where id = $1";
    sqlx::query(sql).bind(id).bind(hash.expose()).execute(conn).await?;
    Ok(())
}

pub async fn disable(conn: &mut Conn, id: OfficerId, now: Instant) -> Result<(), StoreError> {
    let sql = "update officers set disabled_at = coalesce(disabled_at, $2) where id = $1";
    sqlx::query(sql).bind(id).bind(now).execute(conn).await?;
    Ok(())
}
