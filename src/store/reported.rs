//! What the record knows of decisions that other systems report, before they are written down: many at once, in one
//! round trip.

use sqlx::FromRow;
use uuid::Uuid;

use super::reach::{self, ReachRow};
use super::{Conn, StoreError};
use crate::domain::identity::{MobilePhone, ResidentId};
use crate::domain::ids::PersonId;
use crate::domain::reach::Reach;
use crate::store::seal::KeyRing;

/// What another system knows of an applicant.
#[derive(Debug, Clone)]
pub struct KnownAs {
    /// Their phone: how the result reaches them.
    pub phone: MobilePhone,
    /// Their resident ID, where the other system says it.
    pub resident_id: Option<ResidentId>,
}

/// What names a reported decision, and its applicant.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The system that reports it.
    pub source: &'a str,
    /// Its reference there.
    pub reference: &'a str,
    /// Who applied.
    pub applicant: &'a KnownAs,
}

/// What the record knows of a reported decision.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether it is a case already.
    pub is_case: bool,
    /// Who applied, and how they can be reached; `None` for somebody new.
    pub applicant: Option<(PersonId, Reach)>,
}

/// Looks decisions up, in the order given. A person who proved a resident ID here is found by it; everybody else by the
/// phone, to which the result is told in any case.
///
/// # Errors
/// When the database is unavailable.
pub async fn look_up(conn: &mut Conn, keys: &KeyRing, decisions: &[Named<'_>]) -> Result<Vec<Known>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        is_case: bool,
        person: Option<Uuid>,
        #[sqlx(flatten)]
        reach: ReachRow,
    }
    let sources: Vec<&str> = decisions.iter().map(|decision| decision.source).collect();
    let references: Vec<&str> = decisions.iter().map(|decision| decision.reference).collect();
    let phones: Vec<Vec<u8>> = decisions.iter().map(|decision| phone_hash(keys, &decision.applicant.phone)).collect();
    let resident_id = |id: &ResidentId| keys.hash("people.resident_id", id.expose());
    let resident_ids: Vec<Option<Vec<u8>>> =
        decisions.iter().map(|decision| decision.applicant.resident_id.as_ref().map(resident_id)).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select exists (select from cases c where c.source = r.source and c.source_ref = r.reference) as is_case,
                p.id as person, ",
        reach::columns!(),
        " from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
               with ordinality as r (source, reference, phone_hash, resident_id_hash, at)
          left join people p on p.id = coalesce(
              (select id from people where resident_id_hash = r.resident_id_hash),
              (select id from people where phone_hash = r.phone_hash))
          order by r.at"
    ))
    .bind(sources)
    .bind(references)
    .bind(phones)
    .bind(resident_ids)
    .fetch_all(conn)
    .await?;
    let known = |row: Row| Known {
        is_case: row.is_case,
        applicant: row.person.map(|id| (PersonId::from_uuid(id), row.reach.into())),
    };
    Ok(rows.into_iter().map(known).collect())
}

/// By what a phone number is found.
pub(super) fn phone_hash(keys: &KeyRing, phone: &MobilePhone) -> Vec<u8> {
    keys.hash("people.phone", phone.expose())
}
