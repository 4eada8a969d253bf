//! Applicants of cases that other systems decide: found by resident ID or phone, or entered, many at once.

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

/// Finds applicants, or enters those whom nobody knows yet, in the order given. A person who proved a resident ID here is
/// found by it; everybody else by the phone, to which the result is told in any case.
///
/// # Errors
/// When the database is unavailable.
pub async fn find_or_enter(
    conn: &mut Conn,
    keys: &KeyRing,
    applicants: &[KnownAs],
    now: Instant,
) -> Result<Vec<PersonId>, StoreError> {
    let phones: Vec<Vec<u8>> =
        applicants.iter().map(|applicant| keys.hash("people.phone", applicant.phone.expose())).collect();
    let resident_id =
        |applicant: &KnownAs| applicant.resident_id.as_ref().map(|id| keys.hash("people.resident_id", id.expose()));
    let resident_ids: Vec<Option<Vec<u8>>> = applicants.iter().map(resident_id).collect();
    let mut known = Known::find(conn, &phones, &resident_ids).await?;
    let mut missing: HashMap<&[u8], Vec<u8>> = HashMap::new();
    for (at, applicant) in applicants.iter().enumerate() {
        if known.person(&phones[at], resident_ids[at].as_ref()).is_none() && !missing.contains_key(&phones[at][..]) {
            missing.insert(&phones[at], keys.seal("people.phone", applicant.phone.expose().as_bytes())?);
        }
    }
    if !missing.is_empty() {
        enter(conn, missing, now).await?;
        known = Known::find(conn, &phones, &resident_ids).await?;
    }
    let person = |at: usize| known.person(&phones[at], resident_ids[at].as_ref());
    let found: Option<Vec<PersonId>> = (0..applicants.len()).map(person).collect();
    found.ok_or_else(|| StoreError::Broken("an applicant that was entered is not there".to_owned()))
}

async fn enter(conn: &mut Conn, missing: HashMap<&[u8], Vec<u8>>, now: Instant) -> Result<(), StoreError> {
    let mut missing: Vec<(&[u8], Vec<u8>)> = missing.into_iter().collect();
    // In one order, so that two batches with the same people wait for each other instead of deadlocking.
    missing.sort_unstable();
    let ids: Vec<Uuid> = missing.iter().map(|_| fresh_uuid()).collect();
    let (hashes, sealed): (Vec<&[u8]>, Vec<Vec<u8>>) = missing.into_iter().unzip();
    sqlx::query(
        "insert into people (id, phone_hash, phone_sealed, created_at)
         select id, hash, sealed, $4 from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t (id, hash, sealed)
         on conflict (phone_hash) do nothing",
    )
    .bind(ids)
    .bind(hashes)
    .bind(sealed)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// People by keyed hash.
struct Known {
    by_phone: HashMap<Vec<u8>, PersonId>,
    by_resident_id: HashMap<Vec<u8>, PersonId>,
}

impl Known {
    async fn find(conn: &mut Conn, phones: &[Vec<u8>], resident_ids: &[Option<Vec<u8>>]) -> Result<Self, StoreError> {
        #[derive(FromRow)]
        struct Row {
            id: Uuid,
            phone_hash: Option<Vec<u8>>,
            resident_id_hash: Option<Vec<u8>>,
        }
        let resident_ids: Vec<&[u8]> = resident_ids.iter().flatten().map(Vec::as_slice).collect();
        let rows: Vec<Row> = sqlx::query_as(
            "select id, phone_hash, resident_id_hash from people where phone_hash = any($1)
             union
             select id, phone_hash, resident_id_hash from people where resident_id_hash = any($2)",
        )
        .bind(phones)
        .bind(resident_ids)
        .fetch_all(conn)
        .await?;
        let mut known = Self { by_phone: HashMap::new(), by_resident_id: HashMap::new() };
        for row in rows {
            let id = PersonId::from_uuid(row.id);
            known.by_phone.extend(row.phone_hash.map(|hash| (hash, id)));
            known.by_resident_id.extend(row.resident_id_hash.map(|hash| (hash, id)));
        }
        Ok(known)
    }

    fn person(&self, phone: &[u8], resident_id: Option<&Vec<u8>>) -> Option<PersonId> {
        resident_id.and_then(|hash| self.by_resident_id.get(hash)).or_else(|| self.by_phone.get(phone)).copied()
    }
}
