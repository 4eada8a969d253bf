//! Applicants of cases that other systems decide: found by what the other system names them by, or entered, many at once.
//!
//! A system that reports a resident ID names a person: the result is for whoever proves that ID, and for nobody else. The
//! phone beside it says where messages go. It may be a spouse's by now, or a stranger's, so its owner is never taken for
//! the applicant. A system that reports a phone alone names the owner of that phone.

use std::collections::HashMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::clock::{Instant, fresh_uuid};
use crate::domain::identity::{MobilePhone, ResidentId};
use crate::domain::ids::PersonId;
use crate::store::seal::KeyRing;

/// What another system knows of an applicant.
#[derive(Debug, Clone)]
pub struct KnownAs {
    /// Their phone: how the result reaches them.
    pub phone: MobilePhone,
    /// Their resident ID, where the other system says it.
    pub resident_id: Option<ResidentId>,
}

/// What an applicant is found by, as a keyed hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Phone(Vec<u8>),
    ResidentId(Vec<u8>),
}

impl Name {
    fn of(keys: &KeyRing, applicant: &KnownAs) -> Self {
        match &applicant.resident_id {
            Some(id) => Self::ResidentId(keys.hash("people.resident_id", id.expose())),
            None => Self::Phone(keys.hash("people.phone", applicant.phone.expose())),
        }
    }

    fn hash(&self) -> &[u8] {
        match self {
            Self::Phone(hash) | Self::ResidentId(hash) => hash,
        }
    }
}

/// Finds applicants, or enters those whom nobody knows yet, in the order given.
///
/// # Errors
/// When the database is unavailable.
pub async fn find_or_enter(
    conn: &mut Conn,
    keys: &KeyRing,
    applicants: &[KnownAs],
    now: Instant,
) -> Result<Vec<PersonId>, StoreError> {
    let names: Vec<Name> = applicants.iter().map(|applicant| Name::of(keys, applicant)).collect();
    let mut known = find(conn, &names).await?;
    let mut strangers: HashMap<&Name, Vec<u8>> = HashMap::new();
    for (name, applicant) in names.iter().zip(applicants) {
        if known.get(name).is_none_or(|found| found.is_awaited) {
            strangers.insert(name, keys.seal("people.phone", applicant.phone.expose().as_bytes())?);
        }
    }
    if !strangers.is_empty() {
        enter(conn, strangers, now).await?;
        known = find(conn, &names).await?;
    }
    let found: Option<Vec<PersonId>> = names.iter().map(|name| known.get(name).map(|found| found.id)).collect();
    found.ok_or_else(|| StoreError::Broken("an applicant that was entered is not there".to_owned()))
}

/// Enters people with the phones that messages to them go to. A person who is awaited under their resident ID is told at
/// the phone that was named last, until they come and prove their own.
async fn enter(conn: &mut Conn, strangers: HashMap<&Name, Vec<u8>>, now: Instant) -> Result<(), StoreError> {
    let mut strangers: Vec<(&Name, Vec<u8>)> = strangers.into_iter().collect();
    // In one order, so that two batches with the same people wait for each other instead of deadlocking.
    strangers.sort_unstable();
    let (by_phone, by_resident_id): (Vec<_>, Vec<_>) =
        strangers.into_iter().partition(|(name, _)| matches!(name, Name::Phone(_)));
    for (sql, strangers) in [(ENTER_BY_PHONE, by_phone), (ENTER_BY_RESIDENT_ID, by_resident_id)] {
        if strangers.is_empty() {
            continue;
        }
        let ids: Vec<Uuid> = strangers.iter().map(|_| fresh_uuid()).collect();
        let (names, sealed): (Vec<&Name>, Vec<Vec<u8>>) = strangers.into_iter().unzip();
        let hashes: Vec<&[u8]> = names.into_iter().map(Name::hash).collect();
        sqlx::query(sql).bind(ids).bind(hashes).bind(sealed).bind(now).execute(&mut *conn).await?;
    }
    Ok(())
}

const ENTER_BY_PHONE: &str = "insert into people (id, phone_hash, phone_sealed, created_at)
     select id, hash, sealed, $4 from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t (id, hash, sealed)
     on conflict (phone_hash) do nothing";

const ENTER_BY_RESIDENT_ID: &str = "insert into people (id, resident_id_hash, phone_sealed, created_at)
     select id, hash, sealed, $4 from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t (id, hash, sealed)
     on conflict (resident_id_hash) do update set phone_sealed = excluded.phone_sealed
     where people.signed_in_at is null and people.phone_hash is null";

/// Somebody who is known.
struct Found {
    id: PersonId,
    /// Nobody came and proved the resident ID yet, so messages go to the phone that was named beside it.
    is_awaited: bool,
}

/// Those of these people who are known.
async fn find(conn: &mut Conn, names: &[Name]) -> Result<HashMap<Name, Found>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: Uuid,
        phone_hash: Option<Vec<u8>>,
        resident_id_hash: Option<Vec<u8>>,
        signed_in_at: Option<Instant>,
    }
    let (mut phones, mut resident_ids) = (Vec::new(), Vec::new());
    for name in names {
        match name {
            Name::Phone(hash) => phones.push(&hash[..]),
            Name::ResidentId(hash) => resident_ids.push(&hash[..]),
        }
    }
    let rows: Vec<Row> = sqlx::query_as(
        "select id, phone_hash, resident_id_hash, signed_in_at from people where phone_hash = any($1)
         union
         select id, phone_hash, resident_id_hash, signed_in_at from people where resident_id_hash = any($2)",
    )
    .bind(phones)
    .bind(resident_ids)
    .fetch_all(conn)
    .await?;
    let mut known = HashMap::new();
    for row in rows {
        let id = PersonId::from_uuid(row.id);
        let is_awaited = row.signed_in_at.is_none() && row.phone_hash.is_none();
        let found = |is_awaited| Found { id, is_awaited };
        known.extend(row.phone_hash.map(|hash| (Name::Phone(hash), found(false))));
        known.extend(row.resident_id_hash.map(|hash| (Name::ResidentId(hash), found(is_awaited))));
    }
    Ok(known)
}
