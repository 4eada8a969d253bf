use std::time::Duration;

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{OfficerId, SessionId};
use crate::domain::kernel::private::Private;
use crate::domain::people::staff::{Officer, Username};

/// The constraint that a username belongs to a single officer.
pub const ONE_OFFICER_PER_USERNAME: &str = "officers_username_key";

/// Columns are named, so that a column of a newer release does not change the statements of this one.
macro_rules! columns {
    () => {
        "id, username, name, agency, role, created_at, disabled_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    username: String,
    name: String,
    agency: String,
    role: String,
    created_at: Instant,
    disabled_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<Officer, StoreError> {
        let id = OfficerId::from_uuid(self.id);
        let broken = |column: &str| StoreError::Broken(format!("officers.{column} of {id}"));
        Ok(Officer {
            id,
            username: self.username.parse().map_err(|_| broken("username"))?,
            name: self.name,
            agency: AgencyCode::new(self.agency),
            role: self.role.parse().map_err(|_| broken("role"))?,
            created_at: self.created_at,
            disabled_at: self.disabled_at,
        })
    }
}

/// Adds an account.
///
/// # Errors
/// [`ONE_OFFICER_PER_USERNAME`] if another officer has the username.
pub async fn insert(conn: &mut Conn, officer: &Officer, password_hash: &Private<String>) -> Result<(), StoreError> {
    sqlx::query(
        "insert into officers (id, username, name, agency, role, password_hash, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(officer.id.uuid())
    .bind(officer.username.as_str())
    .bind(&officer.name)
    .bind(officer.agency.as_str())
    .bind(officer.role.as_str())
    .bind(password_hash.expose())
    .bind(officer.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// An officer, unless the account is closed.
pub async fn find_open(conn: &mut Conn, id: OfficerId) -> Result<Option<Officer>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from officers where id = $1 and disabled_at is null"))
            .bind(id.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(Row::read).transpose()
}

/// The officer of a session that has not ended, unless the account is closed.
pub async fn of_session(conn: &mut Conn, session: SessionId) -> Result<Option<Officer>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from officers
          where id = (select subject_id from sessions where id = $1 and audience = 'staff' and ended_at is null)
            and disabled_at is null"
    ))
    .bind(session.uuid())
    .fetch_optional(conn)
    .await?;
    row.map(Row::read).transpose()
}

pub async fn find_by_username(conn: &mut Conn, username: &Username) -> Result<Option<Officer>, StoreError> {
    let row: Option<Row> = sqlx::query_as(concat!("select ", columns!(), " from officers where username = $1"))
        .bind(username.as_str())
        .fetch_optional(conn)
        .await?;
    row.map(Row::read).transpose()
}

/// All accounts in the order of their usernames, closed ones included.
pub async fn all(conn: &mut Conn) -> Result<Vec<Officer>, StoreError> {
    let rows: Vec<Row> =
        sqlx::query_as(concat!("select ", columns!(), " from officers order by username")).fetch_all(conn).await?;
    rows.into_iter().map(Row::read).collect()
}

/// The rule by which failed sign-ins lock an account.
pub struct Lockout {
    /// Failures in a row that lock the account.
    pub after: i32,
    /// How long it stays locked.
    pub lasts: Duration,
}

/// Counts a failed sign-in against an account, until [`forget_failures`] takes it back, and returns the hash of its
/// password. `None` if the account does not exist, or is closed or locked.
///
/// Counting comes before the slow comparison, so that parallel guesses are limited like guesses in a row.
pub async fn count_try(
    conn: &mut Conn,
    username: &Username,
    lockout: &Lockout,
    now: Instant,
) -> Result<Option<(OfficerId, Private<String>)>, StoreError> {
    let row: Option<(Uuid, String)> = sqlx::query_as(
        "update officers o
         set failures = t.failures, locked_until = case when t.failures >= $3 then $2 + $4 * interval '1 second' end
         from (
             select id, case when locked_until is null then failures else 0 end + 1 as failures
             from officers
             where username = $1 and disabled_at is null and (locked_until is null or locked_until <= $2)
             for update
         ) t
         where o.id = t.id
         returning o.id, o.password_hash",
    )
    .bind(username.as_str())
    .bind(now)
    .bind(lockout.after)
    .bind(i64::try_from(lockout.lasts.as_secs()).unwrap_or(i64::MAX))
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(id, hash)| (OfficerId::from_uuid(id), Private::new(hash))))
}

/// Sets the failures back to none: the password was right.
pub async fn forget_failures(conn: &mut Conn, id: OfficerId) -> Result<(), StoreError> {
    sqlx::query("update officers set failures = 0, locked_until = null where id = $1")
        .bind(id.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets a new password and unlocks the account.
pub async fn set_password(conn: &mut Conn, id: OfficerId, hash: &Private<String>) -> Result<(), StoreError> {
    sqlx::query("update officers set password_hash = $2, failures = 0, locked_until = null where id = $1")
        .bind(id.uuid())
        .bind(hash.expose())
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn disable(conn: &mut Conn, id: OfficerId, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update officers set disabled_at = coalesce(disabled_at, $2) where id = $1")
        .bind(id.uuid())
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}
