//! One-time codes that prove the possession of a phone. The limit of codes for a phone number counts these rows.

use sqlx_macros::FromRow;

use super::people::{misplaced, open_phone, open_text};
use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::LoginCodeId;
use crate::domain::kernel::network::Network;
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
    pub created_at: Instant,
    pub expires_at: Instant,
}

/// A code, and how often a client has presented a code for its phone number since it was made.
#[derive(Debug)]
pub struct TriedCode {
    pub code: LoginCode,
    /// The tries from the network of the present try, which counts.
    pub tries: i32,
    /// The tries from all networks together except the one that asked for the code.
    pub other_tries: i32,
    /// True if the present try comes from the network that asked for the code.
    pub is_askers: bool,
}

macro_rules! columns {
    () => {
        "id, phone_sealed, code_sealed, created_at, expires_at"
    };
}

#[derive(FromRow)]
struct Row {
    id: LoginCodeId,
    phone_sealed: Vec<u8>,
    code_sealed: Vec<u8>,
    created_at: Instant,
    expires_at: Instant,
}

impl Row {
    fn open(self, keys: &KeyRing) -> Result<LoginCode, StoreError> {
        Ok(LoginCode {
            id: self.id,
            phone: open_phone(keys, &Cell::of(PHONE, self.id.uuid()), &self.phone_sealed)?,
            code: Private::new(open_text(keys, &Cell::of(CODE, self.id.uuid()), &self.code_sealed)?),
            created_at: self.created_at,
            expires_at: self.expires_at,
        })
    }
}

/// Locks a phone number until the end of the transaction, so that two requests cannot both use the last code that the
/// limits allow.
pub async fn hold_number(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    let sql = "select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 1))";
    sqlx::query(sql).bind(keys.hash(PHONE, phone.expose())).execute(conn).await?;
    Ok(())
}

/// Returns the times at which codes were made for a phone number after an instant, the latest first.
pub async fn made_after(
    conn: &mut Conn,
    keys: &KeyRing,
    phone: &MobilePhone,
    after: Instant,
) -> Result<Vec<Instant>, StoreError> {
    let sql = "select created_at from login_codes where phone_hash = $1 and created_at > $2 order by created_at desc";
    Ok(sqlx::query_scalar(sql).bind(keys.hash(PHONE, phone.expose())).bind(after).fetch_all(conn).await?)
}

/// Adds a code. `from` is the network that asked for it; `None` if it is unknown.
pub async fn insert(
    conn: &mut Conn,
    keys: &KeyRing,
    code: &LoginCode,
    from: Option<Network>,
) -> Result<(), StoreError> {
    let sql = "insert into login_codes (id, phone_hash, phone_sealed, code_sealed, created_at, expires_at, asked_from)
               values ($1, $2, $3, $4, $5, $6, $7)";
    sqlx::query(sql)
        .bind(code.id)
        .bind(keys.hash(PHONE, code.phone.expose()))
        .bind(keys.seal(&Cell::of(PHONE, code.id.uuid()), code.phone.expose().as_bytes())?)
        .bind(keys.seal(&Cell::of(CODE, code.id.uuid()), code.code.expose().as_bytes())?)
        .bind(code.created_at)
        .bind(code.expires_at)
        .bind(network_hash(keys, from))
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a code that is neither used nor expired, for the worker that sends it.
pub async fn find_open(
    conn: &mut Conn,
    keys: &KeyRing,
    id: LoginCodeId,
    now: Instant,
) -> Result<Option<LoginCode>, StoreError> {
    let sql = concat!("select ", columns!(), " from login_codes where id = $1 and used_at is null and expires_at > $2");
    let row: Option<Row> = sqlx::query_as(sql).bind(id).bind(now).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Counts a try against a phone number's latest code, locks the code and returns it. `from` is the network of the try;
/// `None` if it is unknown. Returns `None` if the latest code is used or expired.
///
/// The caller compares the codes only after this count, so that parallel guesses are limited like guesses one after
/// another.
pub async fn try_latest(
    conn: &mut Conn,
    keys: &KeyRing,
    phone: &MobilePhone,
    from: Option<Network>,
    now: Instant,
) -> Result<Option<TriedCode>, StoreError> {
    #[derive(FromRow)]
    struct Tried {
        #[sqlx(flatten)]
        code: Row,
        tries: i32,
        other_tries: i32,
        is_askers: bool,
    }
    let sql = concat!(
        "with tried as (
             update login_codes set other_tries = other_tries + (asked_from <> $3)::int
             where id = (select id from login_codes where phone_hash = $1 order by created_at desc limit 1)
               and used_at is null and expires_at > $2
             returning ",
        columns!(),
        ", other_tries, asked_from = $3 as is_askers
         ), counted as (
             insert into login_code_tries (code_id, network) select id, $3 from tried
             on conflict on constraint login_code_tries_pkey do update set tries = login_code_tries.tries + 1
             returning tries
         )
         select ",
        columns!(),
        ", other_tries, is_askers, tries from tried, counted"
    );
    let query = sqlx::query_as(sql).bind(keys.hash(PHONE, phone.expose())).bind(now).bind(network_hash(keys, from));
    let row: Option<Tried> = query.fetch_optional(conn).await?;
    let Some(Tried { code, tries, other_tries, is_askers }) = row else { return Ok(None) };
    let code = code.open(keys)?;
    if code.phone == *phone {
        Ok(Some(TriedCode { code, tries, other_tries, is_askers }))
    } else {
        Err(misplaced(PHONE))
    }
}

/// Returns the keyed hash of a network: an address is personal data.
fn network_hash(keys: &KeyRing, network: Option<Network>) -> Vec<u8> {
    keys.hash("login_codes.network", &network.map_or_else(|| "unknown".to_owned(), |network| network.to_string()))
}

pub async fn use_up(conn: &mut Conn, id: LoginCodeId, now: Instant) -> Result<(), StoreError> {
    sqlx::query("update login_codes set used_at = $2 where id = $1").bind(id).bind(now).execute(conn).await?;
    Ok(())
}

/// Removes up to `limit` codes that were made before an instant. Returns how many.
pub async fn forget(conn: &mut Conn, made_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "delete from login_codes where id = any (array(
                   select id from login_codes where created_at < $1 order by created_at limit $2))";
    Ok(sqlx::query(sql).bind(made_before).bind(limit).execute(conn).await?.rows_affected())
}
