//! Sessions and their refresh tokens. Only the hash of a token is stored. Each token has one successor, which is
//! computed from the token itself.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::session::{EndedBecause, RefreshToken, SessionAudience};

/// Returns the successor of a refresh token. It can be computed only with the token and the hash key.
#[must_use]
pub fn successor(keys: &KeyRing, token: &RefreshToken) -> RefreshToken {
    RefreshToken::of(&keys.hash("refresh_tokens.successor", token.expose()))
}

pub struct NewSession {
    pub id: SessionId,
    pub audience: SessionAudience,
    /// The UUID of the person or officer who signed in.
    pub subject: Uuid,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// A refresh token that a client presented, and its session. Both rows are locked.
#[derive(FromRow)]
pub struct HeldToken {
    #[sqlx(rename = "id")]
    pub session: SessionId,
    /// The UUID of the person or officer who signed in.
    #[sqlx(rename = "subject_id")]
    pub subject: Uuid,
    pub expires_at: Instant,
    /// True if the session was ended before it expired.
    pub ended: bool,
    /// Time of the token's first use.
    pub used_at: Option<Instant>,
}

/// Opens a session with its first refresh token.
pub async fn open(conn: &mut Conn, session: &NewSession, token: &RefreshToken) -> Result<(), StoreError> {
    let sql = "with opened as (
             insert into sessions (id, audience, subject_id, created_at, expires_at) values ($1, $2, $3, $4, $5)
             returning id, created_at
         )
         insert into refresh_tokens (token_hash, session_id, created_at) select $6, id, created_at from opened";
    sqlx::query(sql)
        .bind(session.id)
        .bind(session.audience.as_str())
        .bind(session.subject)
        .bind(session.created_at)
        .bind(session.expires_at)
        .bind(token.hash())
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a refresh token of an audience (residents or staff), and locks the token and its session, so that two clients
/// that present the same token are served one after the other.
pub async fn hold_token(
    conn: &mut Conn,
    audience: SessionAudience,
    token: &RefreshToken,
) -> Result<Option<HeldToken>, StoreError> {
    let sql = "select s.id, s.subject_id, s.expires_at, s.ended_at is not null as ended, t.used_at
               from refresh_tokens t join sessions s on s.id = t.session_id
               where t.token_hash = $1 and s.audience = $2
               for update";
    Ok(sqlx::query_as(sql).bind(token.hash()).bind(audience.as_str()).fetch_optional(conn).await?)
}

/// True if a token was issued and not used yet. The caller has locked its session.
pub async fn is_unused(conn: &mut Conn, token: &RefreshToken) -> Result<bool, StoreError> {
    let sql = "select exists (select from refresh_tokens where token_hash = $1 and used_at is null)";
    Ok(sqlx::query_scalar(sql).bind(token.hash()).fetch_one(conn).await?)
}

/// Marks a locked token as used, and adds its successor.
pub async fn rotate(
    conn: &mut Conn,
    session: SessionId,
    used: &RefreshToken,
    successor: &RefreshToken,
    now: Instant,
) -> Result<(), StoreError> {
    let sql = "with used as (
             update refresh_tokens set used_at = $3 where token_hash = $1
         )
         insert into refresh_tokens (token_hash, session_id, created_at) values ($2, $4, $3)";
    sqlx::query(sql).bind(used.hash()).bind(successor.hash()).bind(now).bind(session).execute(conn).await?;
    Ok(())
}

/// Ends a session if it is open.
pub async fn end(conn: &mut Conn, id: SessionId, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = $2, ended_because = $3 where id = $1 and ended_at is null";
    sqlx::query(sql).bind(id).bind(now).bind(why.as_str()).execute(conn).await?;
    Ok(())
}

/// Ends all open sessions of a person or an officer.
pub async fn end_all(conn: &mut Conn, subject: Uuid, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = $2, ended_because = $3 where subject_id = $1 and ended_at is null";
    sqlx::query(sql).bind(subject).bind(now).bind(why.as_str()).execute(conn).await?;
    Ok(())
}

/// Returns the sessions that were ended since an instant, with the time of their end. Sessions that merely expired are
/// not among them.
pub async fn ended_since(conn: &mut Conn, since: Instant) -> Result<Vec<(SessionId, Instant)>, StoreError> {
    let sql = "select id, ended_at from sessions where ended_at >= $1";
    Ok(sqlx::query_as(sql).bind(since).fetch_all(conn).await?)
}

/// Removes up to `limit` sessions that ended before an instant, with their tokens. Returns the number of sessions.
pub async fn forget(conn: &mut Conn, ended_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "with over as (
             select id from sessions where coalesce(ended_at, expires_at) < $1
             order by coalesce(ended_at, expires_at) limit $2
         ), tokens as (
             delete from refresh_tokens where session_id in (select id from over)
         )
         delete from sessions where id in (select id from over)";
    Ok(sqlx::query(sql).bind(ended_before).bind(limit).execute(conn).await?.rows_affected())
}
