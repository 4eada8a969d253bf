//! Sessions and their refresh tokens. Only the hash of a token is stored. Each token has one successor, which is
//! computed from the token itself.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::SessionId;
use crate::domain::people::session::{EndedBecause, RefreshToken, SessionAudience, SignInPlace};

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
    /// The network and the browser from which an officer signed in; `None` for a resident.
    pub place: Option<SignInPlace>,
}

/// An open session of an officer, as the officer sees it.
#[derive(Debug, Clone, FromRow)]
pub struct OpenSession {
    pub id: SessionId,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// When its client signed in, or refreshed it last.
    pub seen_at: Instant,
    pub network: Option<String>,
    pub client: Option<String>,
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
    /// When the client got the token: at the sign-in, or when it last refreshed the session.
    pub issued_at: Instant,
}

/// Opens a session with its first refresh token.
pub async fn open(conn: &mut Conn, session: &NewSession, token: &RefreshToken) -> Result<(), StoreError> {
    let sql = "with opened as (
             insert into sessions (id, audience, subject_id, created_at, expires_at, network, client)
             values ($1, $2, $3, $4, $5, $7, $8)
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
        .bind(session.place.as_ref().map(|place| &place.network))
        .bind(session.place.as_ref().and_then(|place| place.client.as_ref()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Returns the open sessions of an officer, latest first. A session that was not refreshed since `idle_since` has ended.
pub async fn open_of(
    conn: &mut Conn,
    subject: Uuid,
    now: Instant,
    idle_since: Instant,
) -> Result<Vec<OpenSession>, StoreError> {
    let sql = "select id, created_at, expires_at, seen_at, network, client from (
                   select s.id, s.created_at, s.expires_at, s.network, s.client,
                          (select max(t.created_at) from refresh_tokens t where t.session_id = s.id) as seen_at
                   from sessions s
                   where s.subject_id = $1 and s.audience = 'staff' and s.ended_at is null and s.expires_at > $2
               ) open
               where seen_at > $3
               order by created_at desc, id desc";
    Ok(sqlx::query_as(sql).bind(subject).bind(now).bind(idle_since).fetch_all(conn).await?)
}

/// Ends an open session, if it belongs to this person or officer. Returns true if it did.
pub async fn end_own(conn: &mut Conn, subject: Uuid, id: SessionId, now: Instant) -> Result<bool, StoreError> {
    let sql = "update sessions set ended_at = $3, ended_because = $4
               where id = $1 and subject_id = $2 and ended_at is null";
    let why = EndedBecause::EndedByOwner.as_str();
    Ok(sqlx::query(sql).bind(id).bind(subject).bind(now).bind(why).execute(conn).await?.rows_affected() > 0)
}

/// Ends all open sessions of a person or an officer, except one.
pub async fn end_others(
    conn: &mut Conn,
    subject: Uuid,
    kept: SessionId,
    why: EndedBecause,
    now: Instant,
) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = $3, ended_because = $4
               where subject_id = $1 and id <> $2 and ended_at is null";
    sqlx::query(sql).bind(subject).bind(kept).bind(now).bind(why.as_str()).execute(conn).await?;
    Ok(())
}

/// Finds a refresh token of an audience (residents or staff), and locks the token and its session, so that two clients
/// that present the same token are served one after the other.
pub async fn hold_token(
    conn: &mut Conn,
    audience: SessionAudience,
    token: &RefreshToken,
) -> Result<Option<HeldToken>, StoreError> {
    let sql = "select s.id, s.subject_id, s.expires_at, s.ended_at is not null as ended, t.used_at,
                      t.created_at as issued_at
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
