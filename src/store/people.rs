//! People and the WeChat accounts by which they sign in.

use chrono::NaiveDate;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, KeyRing, StoreError};
use crate::domain::kernel::clock::{Instant, fresh_uuid};
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::domain::people::person::{Person, VerifiedIdentity};

const PHONE: &str = "people.phone";
const NAME: &str = "people.name";
const RESIDENT_ID: &str = "people.resident_id";
const OPENID: &str = "wechat_accounts.openid";

/// The rules that a phone number, a resident ID and a WeChat account belong to one person.
const ONE_PERSON_PER: [&str; 3] = ["people_phone_hash_key", "people_resident_id_hash_key", "wechat_accounts_pkey"];
/// Not a rule of the schema: what was found is not so any more, now that it is held.
const CHANGED_HANDS: &str = "changed hands";

/// Whether an error only says that somebody was entered, joined or gone between two looks, or that others wanted the same
/// in another order. The next look finds it settled.
#[must_use]
pub fn raced(error: &StoreError) -> bool {
    let StoreError::Constraint(name) = error else { return error.is_deadlock() };
    name == CHANGED_HANDS || error.is_of_nobody() || ONE_PERSON_PER.contains(&name.as_str())
}

/// Something was found to be somebody's, and is not any more.
#[must_use]
pub fn changed_hands() -> StoreError {
    StoreError::Constraint(CHANGED_HANDS.to_owned())
}

/// What is read of a person. Columns are named, so that one that a newer program adds changes no statement of this one.
/// A phone without a hash is one that another system named: messages go there, and nobody proved it.
macro_rules! columns {
    () => {
        "id, case when phone_hash is not null then phone_sealed end as phone_sealed, name_sealed, resident_id_sealed,
         verified_at, language, created_at, signed_in_at"
    };
}

#[derive(FromRow)]
struct PersonRow {
    id: Uuid,
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
        let phone = match self.phone_sealed {
            Some(sealed) => Some(open_phone(keys, PHONE, &sealed)?),
            None => None,
        };
        let identity = match (self.name_sealed, self.resident_id_sealed, self.verified_at) {
            (Some(name), Some(id), Some(verified_at)) => {
                let name = Private::new(open_text(keys, NAME, &name)?);
                // It was no later than the day when it was stored, so no day is too early now.
                let resident_id = ResidentId::parse(&open_text(keys, RESIDENT_ID, &id)?, NaiveDate::MAX)
                    .map_err(|_| broken(RESIDENT_ID))?;
                Some(VerifiedIdentity { name, resident_id, verified_at })
            }
            _ => None,
        };
        let language = Language::from_tag(&self.language).unwrap_or_default();
        let Self { created_at, signed_in_at, .. } = self;
        Ok(Person { id: PersonId::from_uuid(self.id), phone, identity, language, created_at, signed_in_at })
    }
}

fn broken(place: &str) -> StoreError {
    StoreError::Broken(format!("{place} is not what it should be"))
}

/// Opens a sealed text.
pub(super) fn open_text(keys: &KeyRing, place: &str, sealed: &[u8]) -> Result<String, StoreError> {
    String::from_utf8(keys.open(place, sealed)?).map_err(|_| broken(place))
}

/// Opens a sealed mobile number.
pub(super) fn open_phone(keys: &KeyRing, place: &str, sealed: &[u8]) -> Result<MobilePhone, StoreError> {
    MobilePhone::parse(&open_text(keys, place, sealed)?).map_err(|_| broken(place))
}

/// Adds a person who was never here before.
///
/// # Errors
/// When somebody has that phone, or the database is unavailable.
pub async fn insert(conn: &mut Conn, keys: &KeyRing, person: &Person) -> Result<(), StoreError> {
    sqlx::query(
        "insert into people (id, phone_sealed, phone_hash, language, created_at, signed_in_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(person.id.uuid())
    .bind(person.phone.as_ref().map(|phone| keys.seal(PHONE, phone.expose().as_bytes())).transpose()?)
    .bind(person.phone.as_ref().map(|phone| keys.hash(PHONE, phone.expose())))
    .bind(person.language.tag())
    .bind(person.created_at)
    .bind(person.signed_in_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The person of an id.
///
/// # Errors
/// When the database is unavailable.
pub async fn find(conn: &mut Conn, keys: &KeyRing, id: PersonId) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(concat!("select ", columns!(), " from people where id = $1"))
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// The person of a phone number.
///
/// # Errors
/// When the database is unavailable.
pub async fn find_by_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(concat!("select ", columns!(), " from people where phone_hash = $1"))
        .bind(keys.hash(PHONE, phone.expose()))
        .fetch_optional(conn)
        .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// The person of a resident ID: who proved it, or who is awaited under it because another system named them so.
///
/// # Errors
/// When the database is unavailable.
pub async fn find_by_resident_id(
    conn: &mut Conn,
    keys: &KeyRing,
    resident_id: &ResidentId,
) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> =
        sqlx::query_as(concat!("select ", columns!(), " from people where resident_id_hash = $1"))
            .bind(keys.hash(RESIDENT_ID, resident_id.expose()))
            .fetch_optional(conn)
            .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Somebody of whom another system had spoken signs in for the first time.
///
/// # Errors
/// When they were joined with another account meanwhile, or the database is unavailable.
pub async fn came(conn: &mut Conn, id: PersonId, language: Language, now: Instant) -> Result<(), StoreError> {
    let done = sqlx::query("update people set signed_in_at = $2, language = $3 where id = $1")
        .bind(id.uuid())
        .bind(now)
        .bind(language.tag())
        .execute(conn)
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(changed_hands()) }
}

/// Holds a person until the end of the transaction, so that what they own is changed by one request at a time.
///
/// # Errors
/// When the database is unavailable.
pub async fn hold(conn: &mut Conn, id: PersonId) -> Result<(), StoreError> {
    sqlx::query("select 1 from people where id = $1 for no key update").bind(id.uuid()).execute(conn).await?;
    Ok(())
}

/// Keeps a phone number for this transaction, if nobody has it. Whoever reports something for it waits until then; and we
/// wait for them here, where we hold nobody yet, because they hold people only when they have all their names.
///
/// # Errors
/// When the database is unavailable.
pub async fn reserve_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    const SQL: &str = "insert into people (id, phone_hash, created_at) values ($1, $2, now()) on conflict do nothing";
    reserve(conn, SQL, keys.hash(PHONE, phone.expose())).await
}

/// The same for a resident ID.
///
/// # Errors
/// When the database is unavailable.
pub async fn reserve_resident_id(conn: &mut Conn, keys: &KeyRing, id: &ResidentId) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into people (id, resident_id_hash, created_at) values ($1, $2, now()) on conflict do nothing";
    reserve(conn, SQL, keys.hash(RESIDENT_ID, id.expose())).await
}

/// What was inserted and deleted is nobody's, but until the end of the transaction others wait for it.
async fn reserve(conn: &mut Conn, insert: &'static str, hash: Vec<u8>) -> Result<(), StoreError> {
    let id = fresh_uuid();
    sqlx::query(insert).bind(id).bind(hash).execute(&mut *conn).await?;
    sqlx::query("delete from people where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

/// Gives a person a phone number, in place of any other.
///
/// # Errors
/// When somebody else has it, or the database is unavailable.
pub async fn set_phone(conn: &mut Conn, keys: &KeyRing, id: PersonId, phone: &MobilePhone) -> Result<(), StoreError> {
    sqlx::query("update people set phone_sealed = $2, phone_hash = $3 where id = $1")
        .bind(id.uuid())
        .bind(keys.seal(PHONE, phone.expose().as_bytes())?)
        .bind(keys.hash(PHONE, phone.expose()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a phone number from whoever has it.
///
/// # Errors
/// When the database is unavailable.
pub async fn release_phone(conn: &mut Conn, keys: &KeyRing, phone: &MobilePhone) -> Result<(), StoreError> {
    sqlx::query("update people set phone_sealed = null, phone_hash = null where phone_hash = $1")
        .bind(keys.hash(PHONE, phone.expose()))
        .execute(conn)
        .await?;
    Ok(())
}

/// The language that a person reads; that of the country, of nobody.
///
/// # Errors
/// When the database is unavailable.
pub async fn language_of(conn: &mut Conn, id: PersonId) -> Result<Language, StoreError> {
    let tag: Option<String> =
        sqlx::query_scalar("select language from people where id = $1").bind(id.uuid()).fetch_optional(conn).await?;
    Ok(tag.and_then(|tag| Language::from_tag(&tag)).unwrap_or_default())
}

/// Sets the language that a person reads.
///
/// # Errors
/// When the database is unavailable.
pub async fn set_language(conn: &mut Conn, id: PersonId, language: Language) -> Result<(), StoreError> {
    sqlx::query("update people set language = $2 where id = $1")
        .bind(id.uuid())
        .bind(language.tag())
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps who a person really is; says whether it was kept. A number once verified is never exchanged for another.
///
/// # Errors
/// When it is somebody else's, or the database is unavailable.
pub async fn set_identity(
    conn: &mut Conn,
    keys: &KeyRing,
    id: PersonId,
    identity: &VerifiedIdentity,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "update people set name_sealed = $2, resident_id_sealed = $3, resident_id_hash = $4, verified_at = $5
         where id = $1 and (resident_id_hash is null or resident_id_hash = $4)",
    )
    .bind(id.uuid())
    .bind(keys.seal(NAME, identity.name.expose().as_bytes())?)
    .bind(keys.seal(RESIDENT_ID, identity.resident_id.expose().as_bytes())?)
    .bind(keys.hash(RESIDENT_ID, identity.resident_id.expose()))
    .bind(identity.verified_at)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A person's account at WeChat: an openid means something only together with its appid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatAccount {
    /// The mini-program.
    pub appid: String,
    /// The person there.
    pub openid: Private<String>,
}

impl WechatAccount {
    fn hash(&self, keys: &KeyRing) -> Vec<u8> {
        keys.hash(OPENID, self.openid.expose())
    }
}

/// The person of a WeChat account.
///
/// # Errors
/// When the database is unavailable.
pub async fn find_by_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    account: &WechatAccount,
) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from people
         where id = (select person_id from wechat_accounts where appid = $1 and openid_hash = $2)"
    ))
    .bind(&account.appid)
    .bind(account.hash(keys))
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(keys)).transpose()
}

/// Gives a person a WeChat account.
///
/// # Errors
/// When it is somebody's, or the database is unavailable.
pub async fn add_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    account: &WechatAccount,
    now: Instant,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into wechat_accounts (person_id, appid, openid_hash, openid_sealed, created_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(person.uuid())
    .bind(&account.appid)
    .bind(account.hash(keys))
    .bind(keys.seal(OPENID, account.openid.expose().as_bytes())?)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a person a WeChat account that another one had until now.
///
/// # Errors
/// When the database is unavailable.
pub async fn move_wechat(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    account: &WechatAccount,
) -> Result<(), StoreError> {
    sqlx::query("update wechat_accounts set person_id = $3, gone_at = null where appid = $1 and openid_hash = $2")
        .bind(&account.appid)
        .bind(account.hash(keys))
        .bind(person.uuid())
        .execute(conn)
        .await?;
    Ok(())
}

/// A WeChat account was just used by its person, so it reaches somebody again.
///
/// # Errors
/// When the database is unavailable.
pub async fn wechat_is_back(conn: &mut Conn, keys: &KeyRing, account: &WechatAccount) -> Result<(), StoreError> {
    sqlx::query(
        "update wechat_accounts set gone_at = null where appid = $1 and openid_hash = $2 and gone_at is not null",
    )
    .bind(&account.appid)
    .bind(account.hash(keys))
    .execute(conn)
    .await?;
    Ok(())
}
