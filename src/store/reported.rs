//! Looks up the decisions that back-office systems report, before a use case saves them. One round trip looks up many
//! decisions.
//!
//! If a report has a resident ID, the applicant is the person who proved that ID, or whom an earlier report named by
//! that ID. Until this person signs in, messages go to the reported phone. The phone may belong to a spouse or a
//! stranger by now, so its owner is never taken for the applicant. If a report has a phone alone, the applicant is the
//! owner of that phone.

use sqlx_macros::FromRow;

use super::reach::{self, ReachRow};
use super::{Conn, StoreError};
use crate::domain::kernel::ids::PersonId;
use crate::domain::notice::reach::Reach;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::store::seal::KeyRing;

/// The reported phone and resident ID of an applicant.
#[derive(Debug, Clone)]
pub struct KnownAs {
    /// The phone to which messages go.
    pub phone: MobilePhone,
    pub resident_id: Option<ResidentId>,
}

/// The keyed hash by which an applicant is found in the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// The hash of the phone. It is used only if no resident ID is reported.
    Phone(Vec<u8>),
    /// The hash of the resident ID.
    ResidentId(Vec<u8>),
}

impl Name {
    #[must_use]
    pub fn of(keys: &KeyRing, applicant: &KnownAs) -> Self {
        match &applicant.resident_id {
            Some(id) => Self::ResidentId(keys.hash("people.resident_id", id.expose())),
            None => Self::Phone(keys.hash("people.phone", applicant.phone.expose())),
        }
    }

    pub(super) fn phone(&self) -> Option<&[u8]> {
        match self {
            Self::Phone(hash) => Some(hash),
            Self::ResidentId(_) => None,
        }
    }

    pub(super) fn resident_id(&self) -> Option<&[u8]> {
        match self {
            Self::ResidentId(hash) => Some(hash),
            Self::Phone(_) => None,
        }
    }
}

/// A reported decision as [`look_up`] searches for it: the source and the reference find the case, and the keyed hash
/// of the phone or the resident ID finds the applicant.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    pub source: &'a str,
    /// The reference that the back-office system gave to the case.
    pub reference: &'a str,
    pub applicant: Name,
}

/// The result of looking up one reported decision.
#[derive(Debug, Clone)]
pub struct Known {
    /// True if a case with this source and reference is already stored.
    pub is_taken: bool,
    /// `None` if the applicant is not stored yet.
    pub applicant: Option<KnownApplicant>,
}

#[derive(Debug, Clone)]
pub struct KnownApplicant {
    pub id: PersonId,
    /// True if no person has proved the resident ID yet. Messages then go to the last reported phone.
    pub is_awaited: bool,
    pub reach: Reach,
}

/// Looks up the case and the applicant of each decision. The results are in the order of `decisions`. No row is locked,
/// so another transaction may write a row after the look-up. A write that relies on the result then violates a
/// constraint, and the next look-up finds the rows of that transaction.
pub async fn look_up(conn: &mut Conn, decisions: &[Named<'_>]) -> Result<Vec<Known>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        is_taken: bool,
        person: Option<PersonId>,
        is_awaited: bool,
        #[sqlx(flatten)]
        reach: ReachRow,
    }
    let sources: Vec<&str> = decisions.iter().map(|decision| decision.source).collect();
    let references: Vec<&str> = decisions.iter().map(|decision| decision.reference).collect();
    let phones: Vec<Option<&[u8]>> = decisions.iter().map(|decision| decision.applicant.phone()).collect();
    let resident_ids: Vec<Option<&[u8]>> = decisions.iter().map(|decision| decision.applicant.resident_id()).collect();
    // `exists` would permit a plan that reads all cases into a hash table.
    let sql = concat!(
        "select (select true from cases c where c.source = r.source and c.source_ref = r.reference) is not null as is_taken,
                p.id as person, p.signed_in_at is null and p.phone_hash is null as is_awaited, ",
        reach::columns!(),
        " from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
               with ordinality as r (source, reference, phone_hash, resident_id_hash, at)
          left join people p on p.id = any (array[coalesce(
              (select id from people where resident_id_hash = r.resident_id_hash),
              (select id from people where phone_hash = r.phone_hash))])
          order by r.at"
    );
    let query = sqlx::query_as(sql).bind(sources).bind(references).bind(phones).bind(resident_ids);
    let rows: Vec<Row> = query.fetch_all(conn).await?;
    let known = |row: Row| {
        let Row { is_awaited, reach, .. } = row;
        let applicant = row.person.map(|id| KnownApplicant { id, is_awaited, reach: reach.into() });
        Known { is_taken: row.is_taken, applicant }
    };
    Ok(rows.into_iter().map(known).collect())
}
