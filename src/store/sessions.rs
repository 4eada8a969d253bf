//! Sessions and their refresh tokens. Only the hash of a token is stored. Its successor is derived from the token
//! itself.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::session::{Audience, EndedBecause, RefreshToken};

/// The successor of a token. It can be computed only with the token and the hash key.
#[must_use]
pub fn successor(keys: &KeyRing, token: &RefreshToken) -> RefreshToken {
    RefreshToken::of(&keys.hash("refresh_tokens.successor", token.expose()))
}

pub struct NewSession {
    pub id: SessionId,
    pub audience: Audience,
    /// The person or the officer.
    pub subject: Uuid,
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// A refresh token that a client presented, and its session. Both rows are locked.
pub struct HeldToken {
    pub session: SessionId,
    /// The person or the officer.
    pub subject: Uuid,
    pub expires_at: Instant,
    /// True if the session was ended before its time.
    pub ended: bool,
    /// Time of the token's first use.
    pub used_at: Option<Instant>,
}

/// Opens a session with its first refresh token.
pub async fn open(conn: &mut Conn, session: &NewSession, token: &RefreshToken) -> Result<(), StoreError> {
    sqlx::query(
        "with opened as (
             insert into sessions (id, audience, subject_id, created_at, expires_at) values ($1, $2, $3, $4, $5)
             returning id, created_at
         )
         insert into refresh_tokens (token_hash, session_id, created_at) select $6, id, created_at from opened",
    )
    .bind(session.id.uuid())
    .bind(session.audience.as_str())
    .bind(session.subject)
    .bind(session.created_at)
    .bind(session.expires_at)
    .bind(token.hash())
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a refresh token of an audience and locks it and its session, so that two clients that present it are served
/// one after the other.
pub async fn hold_token(
    conn: &mut Conn,
    audience: Audience,
    token: &RefreshToken,
) -> Result<Option<HeldToken>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: Uuid,
        subject_id: Uuid,
        expires_at: Instant,
        ended_at: Option<Instant>,
        used_at: Option<Instant>,
    }
    let row: Option<Row> = sqlx::query_as(
        "select s.id, s.subject_id, s.expires_at, s.ended_at, t.used_at
         from refresh_tokens t join sessions s on s.id = t.session_id
         where t.token_hash = $1 and s.audience = $2
         for update",
    )
    .bind(token.hash())
    .bind(audience.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| HeldToken {
        session: SessionId::from_uuid(row.id),
        subject: row.subject_id,
        expires_at: row.expires_at,
        ended: row.ended_at.is_some(),
        used_at: row.used_at,
    }))
}

/// True if a token was issued and not used yet. The caller holds its session.
pub async fn is_unused(conn: &mut Conn, token: &RefreshToken) -> Result<bool, StoreError> {
    let unused =
        sqlx::query_scalar("select exists (select from refresh_tokens where token_hash = $1 and used_at is null)")
            .bind(token.hash())
            .fetch_one(conn)
            .await?;
    Ok(unused)
}

/// Marks a locked token as used, and adds its successor.
pub async fn rotate(
    conn: &mut Conn,
    session: SessionId,
    used: &RefreshToken,
    successor: &RefreshToken,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query(
        "with used as (
             update refresh_tokens set used_at = $3 where token_hash = $1
         )
         insert into refresh_tokens (token_hash, session_id, created_at) values ($2, $4, $3)",
    )
    .bind(used.hash())
    .bind(successor.hash())
    .bind(now)
    .bind(session.uuid())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a session if it is open.
pub async fn end(conn: &mut Conn, id: SessionId, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update sessions set ended_at = $2, ended_because = $3 where id = $1 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .bind(why.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn end_all(conn: &mut Conn, subject: Uuid, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update sessions set ended_at = $2, ended_because = $3 where subject_id = $1 and ended_at is null")
        .bind(subject)
        .bind(now)
        .bind(why.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes up to `limit` sessions that ended before an instant, with their tokens. Returns how many sessions.
pub async fn forget(conn: &mut Conn, ended_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "with over as (
             select id from sessions where coalesce(ended_at, expires_at) < $1
             order by coalesce(ended_at, expires_at) limit $2
         ), tokens as (
             delete from refresh_tokens where session_id in (select id from over)
         )
         delete from sessions where id in (select id from over)",
    )
    .bind(ended_before)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
