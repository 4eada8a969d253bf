//! Sessions and their refresh tokens. A token is kept as its hash; its successor, sealed, until both are forgotten.

use sqlx::FromRow;
use uuid::Uuid;

use super::people::open_text;
use super::{Conn, KeyRing, StoreError};
use crate::domain::clock::Instant;
use crate::domain::ids::SessionId;
use crate::domain::private::Private;
use crate::domain::session::{Audience, EndedBecause, RefreshToken};

const SUCCESSOR: &str = "refresh_tokens.successor";

/// A session to be opened.
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Who may use it.
    pub audience: Audience,
    /// The person or the officer.
    pub subject: Uuid,
    /// Now.
    pub created_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
}

/// A refresh token that was presented, with the session that it belongs to. Both rows are held.
pub struct HeldToken {
    /// The session.
    pub session: SessionId,
    /// The person or the officer.
    pub subject: Uuid,
    /// When the session ends by itself.
    pub expires_at: Instant,
    /// Whether it was ended.
    pub ended: bool,
    /// When the token was first used.
    pub used_at: Option<Instant>,
    /// The token that it was answered with.
    pub successor: Option<RefreshToken>,
}

/// Opens a session with its first refresh token.
///
/// # Errors
/// When the database is unavailable.
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

/// Finds a refresh token of an audience and holds it and its session: two who present it go one after the other.
///
/// # Errors
/// When the database is unavailable.
pub async fn hold_token(
    conn: &mut Conn,
    keys: &KeyRing,
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
        successor_sealed: Option<Vec<u8>>,
    }
    let row: Option<Row> = sqlx::query_as(
        "select s.id, s.subject_id, s.expires_at, s.ended_at, t.used_at, t.successor_sealed
         from refresh_tokens t join sessions s on s.id = t.session_id
         where t.token_hash = $1 and s.audience = $2
         for update",
    )
    .bind(token.hash())
    .bind(audience.as_str())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let successor = match row.successor_sealed {
        Some(sealed) => Some(RefreshToken::presented(Private::new(open_text(keys, SUCCESSOR, &sealed)?))),
        None => None,
    };
    Ok(Some(HeldToken {
        session: SessionId::from_uuid(row.id),
        subject: row.subject_id,
        expires_at: row.expires_at,
        ended: row.ended_at.is_some(),
        used_at: row.used_at,
        successor,
    }))
}

/// Marks a held token as used, and adds its successor.
///
/// # Errors
/// When the database is unavailable.
pub async fn rotate(
    conn: &mut Conn,
    keys: &KeyRing,
    session: SessionId,
    used: &RefreshToken,
    successor: &RefreshToken,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query(
        "with used as (
             update refresh_tokens set used_at = $3, successor_sealed = $4 where token_hash = $1
         )
         insert into refresh_tokens (token_hash, session_id, created_at) values ($2, $5, $3)",
    )
    .bind(used.hash())
    .bind(successor.hash())
    .bind(now)
    .bind(keys.seal(SUCCESSOR, successor.expose().as_bytes())?)
    .bind(session.uuid())
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a session, if it is open.
///
/// # Errors
/// When the database is unavailable.
pub async fn end(conn: &mut Conn, id: SessionId, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update sessions set ended_at = $2, ended_because = $3 where id = $1 and ended_at is null")
        .bind(id.uuid())
        .bind(now)
        .bind(why.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends every open session of a person or an officer.
///
/// # Errors
/// When the database is unavailable.
pub async fn end_all(conn: &mut Conn, subject: Uuid, why: EndedBecause, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update sessions set ended_at = $2, ended_because = $3 where subject_id = $1 and ended_at is null")
        .bind(subject)
        .bind(now)
        .bind(why.as_str())
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets up to `limit` sessions that ended before an instant, with their tokens; says how many.
///
/// # Errors
/// When the database is unavailable.
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
