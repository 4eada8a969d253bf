//! Accounts of officers.

use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{OfficerId, SessionId};
use crate::domain::kernel::private::Private;
use crate::domain::people::guesses::BUDGET_WINDOW;
use crate::domain::people::staff::{Officer, Username};

/// The name of the constraint by which each username belongs to at most one officer.
pub const ONE_OFFICER_PER_USERNAME: &str = "officers_username_key";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, username, name, agency, role, must_change_password, totp_since is not null as has_second_factor,
                created_at, disabled_at from officers ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: OfficerId,
    username: String,
    name: String,
    agency: AgencyCode,
    role: String,
    must_change_password: bool,
    has_second_factor: bool,
    created_at: Instant,
    disabled_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<Officer, StoreError> {
        let Self { id, username, name, agency, role, must_change_password, has_second_factor, created_at, disabled_at } =
            self;
        let broken = |column: &str| StoreError::Broken(format!("officers.{column} of {id}"));
        let username = username.parse().map_err(|_| broken("username"))?;
        let role = role.parse().map_err(|_| broken("role"))?;
        Ok(Officer {
            id,
            username,
            name,
            agency,
            role,
            must_change_password,
            has_second_factor,
            created_at,
            disabled_at,
        })
    }
}

/// Adds an account.
///
/// # Errors
/// [`ONE_OFFICER_PER_USERNAME`] if another officer has the username.
pub async fn insert(conn: &mut Conn, officer: &Officer, password_hash: &Private<String>) -> Result<(), StoreError> {
    let sql = "insert into officers (id, username, name, agency, role, password_hash, must_change_password, created_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8)";
    sqlx::query(sql)
        .bind(officer.id)
        .bind(officer.username.as_str())
        .bind(&officer.name)
        .bind(&officer.agency)
        .bind(officer.role.as_str())
        .bind(password_hash.expose())
        .bind(officer.must_change_password)
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

/// What a sign-in needs to know about an account.
pub struct Account {
    pub id: OfficerId,
    pub password_hash: Private<String>,
    /// Wrong passwords from all networks, in the current window of [`BUDGET_WINDOW`].
    pub wrong_passwords: i32,
    pub has_second_factor: bool,
}

/// Finds the account with a username. A closed account is not found.
pub async fn find_account(conn: &mut Conn, username: &Username, now: Instant) -> Result<Option<Account>, StoreError> {
    let sql = "select id, password_hash, case when wrong_since > $2 then wrong_passwords else 0 end,
                      totp_since is not null
               from officers where username = $1 and disabled_at is null";
    let row: Option<(OfficerId, String, i32, bool)> =
        sqlx::query_as(sql).bind(username.as_str()).bind(now - BUDGET_WINDOW).fetch_optional(conn).await?;
    Ok(row.map(|(id, hash, wrong_passwords, has_second_factor)| Account {
        id,
        password_hash: Private::new(hash),
        wrong_passwords,
        has_second_factor,
    }))
}

/// Counts a wrong password against an account. Without an account it only takes the same time.
pub async fn count_wrong_password(conn: &mut Conn, id: Option<OfficerId>, now: Instant) -> Result<(), StoreError> {
    let sql = "update officers
               set wrong_passwords = case when wrong_since > $3 then wrong_passwords else 0 end + 1,
                   wrong_since = case when wrong_since > $3 then wrong_since else $2 end
               where id = $1";
    sqlx::query(sql).bind(id).bind(now).bind(now - BUDGET_WINDOW).execute(conn).await?;
    Ok(())
}

/// Sets a new password. If `must_change`, the officer must choose another one at the next sign-in.
pub async fn set_password(
    conn: &mut Conn,
    id: OfficerId,
    hash: &Private<String>,
    must_change: bool,
) -> Result<(), StoreError> {
    let sql = "update officers
               set password_hash = $2, must_change_password = $3, wrong_passwords = 0, wrong_since = null
               where id = $1";
    sqlx::query(sql).bind(id).bind(hash.expose()).bind(must_change).execute(conn).await?;
    Ok(())
}

pub async fn disable(conn: &mut Conn, id: OfficerId, now: Instant) -> Result<(), StoreError> {
    let sql = "update officers set disabled_at = coalesce(disabled_at, $2) where id = $1";
    sqlx::query(sql).bind(id).bind(now).execute(conn).await?;
    Ok(())
}
