//! People, and the WeChat accounts by which they sign in.

use chrono::NaiveDate;
use sqlx_macros::FromRow;

use super::seal::Cell;
use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::{Instant, fresh_uuid};
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::domain::people::person::{Person, VerifiedIdentity};

pub(super) const PHONE: &str = "people.phone";
pub(super) const NAME: &str = "people.name";
pub(super) const RESIDENT_ID: &str = "people.resident_id";
pub(super) const OPENID: &str = "wechat_accounts.openid";

/// The names of the constraints by which each phone number, resident ID and WeChat account belongs to at most one
/// person.
const ONE_PERSON_PER: [&str; 3] = ["people_phone_hash_key", "people_resident_id_hash_key", "wechat_accounts_pkey"];
/// The name in the error of [`changed_hands`]. It is not a constraint of the schema.
const CHANGED_HANDS: &str = "changed hands";

/// True if an error only means that another transaction added, joined or deleted a person between two reads of this
/// transaction, or that PostgreSQL resolved a deadlock. The caller can repeat the whole transaction.
#[must_use]
pub fn raced(error: &StoreError) -> bool {
    let StoreError::Constraint(name) = error else { return error.is_deadlock() };
    name == CHANGED_HANDS || error.names_missing_person() || ONE_PERSON_PER.contains(&name.as_str())
}

/// The error for a phone, resident ID or account that belonged to a person when it was looked up, and no longer
/// belonged to that person when its row was locked.
#[must_use]
pub fn changed_hands() -> StoreError {
    StoreError::Constraint(CHANGED_HANDS.to_owned())
}

/// Selects people. A phone without a hash comes from a back-office system: messages go there, but no person proved to
/// own it. So it is not selected as the person's phone.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select id, case when phone_hash is not null then phone_sealed end as phone_sealed, name_sealed,
                    resident_id_sealed, verified_at, language, created_at, signed_in_at
             from people ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct PersonRow {
    id: PersonId,
    phone_sealed: Option<Vec<u8>>,
    name_sealed: Option<Vec<u8>>,
    resident_id_sealed: Option<Vec<u8>>,
    verified_at: Option<Instant>,
    language: String,
    created_at: Instant,
    signed_in_at: Option<Instant>,
}

impl PersonRow {
    fn open(self, keys: &KeyRing) -> Result<Person, StoreError> {
        let Self { id, created_at, signed_in_at, .. } = self;
        let place = |column| Cell::of(column, id.uuid());
        let phone = self.phone_sealed.map(|sealed| open_phone(keys, &place(PHONE), &sealed)).transpose()?;
        let identity = match (self.name_sealed, self.resident_id_sealed, self.verified_at) {
            (Some(name), Some(resident_id), Some(verified_at)) => {
                let name = Private::new(open_text(keys, &place(NAME), &name)?);
                // `parse` refuses a birthday after the given day. The birthday was checked when the ID was stored, so
                // it is enough to give the latest possible day here.
                let resident_id =
                    ResidentId::parse(&open_text(keys, &place(RESIDENT_ID), &resident_id)?, NaiveDate::MAX)
                        .map_err(|_| broken(RESIDENT_ID))?;
                Some(VerifiedIdentity { name, resident_id, verified_at })
            }
            _ => None,
        };
        let language = Language::from_tag(&self.language).unwrap_or_default();
        Ok(Person { id, phone, identity, language, created_at, signed_in_at })
    }
}

/// The place of a person's sealed phone.
pub(super) fn phone_of(person: PersonId) -> Cell {
    Cell::of(PHONE, person.uuid())
}

/// Seals a value of one person's row again, for the row of the person who inherits it.
pub(super) fn reseal(
    keys: &KeyRing,
    column: &'static str,
    from: PersonId,
    into: PersonId,
    sealed: Option<Vec<u8>>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let again = |sealed: Vec<u8>| {
        let value = Private::new(keys.open(&Cell::of(column, from.uuid()), &sealed)?);
        keys.seal(&Cell::of(column, into.uuid()), value.expose())
    };
    sealed.map(again).transpose()
}

/// The error for a row that is found by the hash of a value that it does not contain: the hash was moved there from
/// another row.
pub(super) fn misplaced(column: &str) -> StoreError {
    StoreError::Broken(format!("{column} is found under the hash of another value"))
}

fn broken(place: &str) -> StoreError {
    StoreError::Broken(format!("{place} is not what it should be"))
}

pub(super) fn open_text(keys: &KeyRing, cell: &Cell, sealed: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(keys.open(cell, sealed)?).map_err(|_| broken(cell.column()))
}

pub(super) fn open_phone(keys: &KeyRing, cell: &Cell, sealed: &[u8]) -> Result<MobilePhone, StoreError> {
    MobilePhone::parse(&open_text(keys, cell, sealed)?).map_err(|_| broken(cell.column()))
}

/// Adds a person at their first sign-in.
///
/// # Errors
/// If another person has the phone.
pub async fn insert(conn: &mut Conn, keys: &KeyRing, person: &Person) -> Result<(), StoreError> {
    let sql = "insert into people (id, phone_sealed, phone_hash, language, created_at, signed_in_at)
               values ($1, $2, $3, $4, $5, $6)";
    sqlx::query(sql)
        .bind(person.id)
        .bind(
            person
                .phone
                .as_ref()
                .map(|phone| keys.seal(&phone_of(person.id), phone.expose().as_bytes()))
                .transpose()?,
        )
        .bind(person.phone.as_ref().map(|phone| keys.hash(PHONE, phone.expose())))
        .bind(person.language.tag())
        .bind(person.created_at)
        .bind(person.signed_in_at)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn find(conn: &mut Conn, keys: &KeyRing, id: PersonId) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(select!("where id = $1")).bind(id).fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

pub async fn find_by_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<Option<Person>, StoreError> {
    let hash = keys.hash(PHONE, phone.expose());
    let row: Option<PersonRow> =
        sqlx::query_as(select!("where phone_hash = $1")).bind(hash).fetch_optional(conn).await?;
    let Some(person) = row.map(|row| row.open(keys)).transpose()? else { return Ok(None) };
    if person.phone.as_ref() == Some(phone) { Ok(Some(person)) } else { Err(misplaced(PHONE)) }
}

/// Finds the person with this resident ID: the person who proved it. If no person has proved it yet, finds the person
/// whom a back-office system named by it.
pub async fn find_by_resident_id(
    conn: &mut Conn,
    keys: &KeyRing,
    resident_id: &ResidentId,
) -> Result<Option<Person>, StoreError> {
    let hash = keys.hash(RESIDENT_ID, resident_id.expose());
    let row: Option<PersonRow> =
        sqlx::query_as(select!("where resident_id_hash = $1")).bind(hash).fetch_optional(conn).await?;
    let Some(person) = row.map(|row| row.open(keys)).transpose()? else { return Ok(None) };
    let is_other = person.identity.as_ref().is_some_and(|identity| identity.resident_id != *resident_id);
    if is_other { Err(misplaced(RESIDENT_ID)) } else { Ok(Some(person)) }
}

/// Stores the first sign-in of a person whom a back-office system named before.
///
/// # Errors
/// [`changed_hands`] if the person was joined with another person since the look-up.
pub async fn record_first_sign_in(
    conn: &mut Conn,
    id: PersonId,
    language: Language,
    now: Instant,
) -> Result<(), StoreError> {
    let sql = "update people set signed_in_at = $2, language = $3 where id = $1";
    let done = sqlx::query(sql).bind(id).bind(now).bind(language.tag()).execute(conn).await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(changed_hands()) }
}

/// Locks a person until the end of the transaction, so that only one request at a time changes the person's data.
pub async fn hold(conn: &mut Conn, id: PersonId) -> Result<(), StoreError> {
    sqlx::query("select 1 from people where id = $1 for no key update").bind(id).execute(conn).await?;
    Ok(())
}

/// Reserves a phone number for this transaction, if no person has it. A transaction that saves a reported decision for
/// the number then waits until this transaction ends.
///
/// If the other transaction came first, this one waits here. The two cannot deadlock: this transaction has locked no
/// person yet, and the other one locks people only after it has entered all its phones and resident IDs.
pub async fn reserve_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    let sql = "insert into people (id, phone_hash, created_at) values ($1, $2, now()) on conflict do nothing";
    reserve(conn, sql, keys.hash(PHONE, phone.expose())).await
}

/// Reserves a resident ID like [`reserve_phone`].
pub async fn reserve_resident_id(conn: &mut Conn, keys: &KeyRing, id: &ResidentId) -> Result<(), StoreError> {
    let sql = "insert into people (id, resident_id_hash, created_at) values ($1, $2, now()) on conflict do nothing";
    reserve(conn, sql, keys.hash(RESIDENT_ID, id.expose())).await
}

/// Inserts a row with this hash that belongs to no person, and deletes it again. Other transactions that insert the
/// same hash wait until this transaction ends.
async fn reserve(conn: &mut Conn, insert: &'static str, hash: Vec<u8>) -> Result<(), StoreError> {
    let id = fresh_uuid();
    sqlx::query(insert).bind(id).bind(hash).execute(&mut *conn).await?;
    sqlx::query("delete from people where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Sets a person's phone number.
///
/// # Errors
/// If another person has the number.
pub async fn set_phone(conn: &mut Conn, keys: &KeyRing, id: PersonId, phone: &MobilePhone) -> Result<(), StoreError> {
    let sealed = keys.seal(&phone_of(id), phone.expose().as_bytes())?;
    let sql = "update people set phone_sealed = $2, phone_hash = $3 where id = $1";
    sqlx::query(sql).bind(id).bind(sealed).bind(keys.hash(PHONE, phone.expose())).execute(conn).await?;
    Ok(())
}

/// Removes a phone number from the person who has it.
pub async fn release_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    let sql = "update people set phone_sealed = null, phone_hash = null where phone_hash = $1";
    sqlx::query(sql).bind(keys.hash(PHONE, phone.expose())).execute(conn).await?;
    Ok(())
}

/// Returns a person's language, or the default language if the person is unknown.
pub async fn language_of(conn: &mut Conn, id: PersonId) -> Result<Language, StoreError> {
    let sql = "select language from people where id = $1";
    let tag: Option<String> = sqlx::query_scalar(sql).bind(id).fetch_optional(conn).await?;
    Ok(tag.and_then(|tag| Language::from_tag(&tag)).unwrap_or_default())
}

pub async fn set_language(conn: &mut Conn, id: PersonId, language: Language) -> Result<(), StoreError> {
    let sql = "update people set language = $2 where id = $1";
    sqlx::query(sql).bind(id).bind(language.tag()).execute(conn).await?;
    Ok(())
}

/// Stores a person's verified identity. Returns false if the person is verified under another resident ID. That
/// resident ID is never replaced.
///
/// # Errors
/// If another person has the resident ID.
pub async fn set_identity(
    conn: &mut Conn,
    keys: &KeyRing,
    id: PersonId,
    identity: &VerifiedIdentity,
) -> Result<bool, StoreError> {
    let sql = "update people set name_sealed = $2, resident_id_sealed = $3, resident_id_hash = $4, verified_at = $5
               where id = $1 and (resident_id_hash is null or resident_id_hash = $4)";
    let done = sqlx::query(sql)
        .bind(id)
        .bind(keys.seal(&Cell::of(NAME, id.uuid()), identity.name.expose().as_bytes())?)
        .bind(keys.seal(&Cell::of(RESIDENT_ID, id.uuid()), identity.resident_id.expose().as_bytes())?)
        .bind(keys.hash(RESIDENT_ID, identity.resident_id.expose()))
        .bind(identity.verified_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A WeChat account. An openid is only meaningful together with its appid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatAccount {
    /// Id of the mini-program.
    pub appid: String,
    /// Id of the person in that mini-program.
    pub openid: Private<String>,
}

impl WechatAccount {
    fn hash(&self, keys: &KeyRing) -> Vec<u8> {
        keys.hash(OPENID, self.openid.expose())
    }
}

pub async fn find_by_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    account: &WechatAccount,
) -> Result<Option<Person>, StoreError> {
    let sql = select!("where id = (select person_id from wechat_accounts where appid = $1 and openid_hash = $2)");
    let query = sqlx::query_as(sql).bind(&account.appid).bind(account.hash(keys));
    let row: Option<PersonRow> = query.fetch_optional(conn).await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Adds a WeChat account to a person.
///
/// # Errors
/// If the account belongs to a person already.
pub async fn add_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    account: &WechatAccount,
    now: Instant,
) -> Result<(), StoreError> {
    let sealed = keys.seal(&Cell::keyed(OPENID, &[&account.hash(keys)]), account.openid.expose().as_bytes())?;
    let sql = "insert into wechat_accounts (person_id, appid, openid_hash, openid_sealed, created_at)
               values ($1, $2, $3, $4, $5)";
    let query = sqlx::query(sql).bind(person).bind(&account.appid).bind(account.hash(keys)).bind(sealed).bind(now);
    query.execute(conn).await?;
    Ok(())
}

/// Moves a WeChat account from another person to this one.
pub async fn move_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    account: &WechatAccount,
) -> Result<(), StoreError> {
    let sql = "update wechat_accounts set person_id = $3, gone_at = null where appid = $1 and openid_hash = $2";
    sqlx::query(sql).bind(&account.appid).bind(account.hash(keys)).bind(person).execute(conn).await?;
    Ok(())
}

/// Marks a WeChat account as reachable again, because its person just used it.
pub async fn wechat_is_back(conn: &mut Conn, keys: &KeyRing, account: &WechatAccount) -> Result<(), StoreError> {
    let sql = "update wechat_accounts set gone_at = null
               where appid = $1 and openid_hash = $2 and gone_at is not null";
    sqlx::query(sql).bind(&account.appid).bind(account.hash(keys)).execute(conn).await?;
    Ok(())
}

/// Forgets phone and resident ID of up to `limit` people who never signed in. They were first reported before an instant,
/// and none of their cases changed since. Returns how many people these are. Their cases stay, for the agency.
pub async fn forget_unseen(conn: &mut Conn, reported_before: Instant, limit: i64) -> Result<u64, StoreError> {
    let sql = "update people set phone_sealed = null, phone_hash = null, resident_id_hash = null
               where id = any (array(
                   select id from people
                   where signed_in_at is null and (phone_hash is not null or resident_id_hash is not null)
                     and created_at < $1
                     and not exists (select from cases where person_id = people.id and updated_at >= $1)
                   order by created_at limit $2 for update skip locked))";
    Ok(sqlx::query(sql).bind(reported_before).bind(limit).execute(conn).await?.rows_affected())
}
