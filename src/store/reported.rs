//! Looks up what the database knows of decisions that back-office systems report, before they are written: many at
//! once, in one round trip.
//!
//! A system that reports a resident ID names a person: the result is for the person who proves that ID. The phone
//! beside it is only where messages go. It may belong to a spouse by now, or to a stranger, so its owner is never taken
//! for the applicant. A system that reports a phone alone names the owner of that phone.

use sqlx::FromRow;
use uuid::Uuid;

use super::reach::{self, ReachRow};
use super::{Conn, StoreError};
use crate::domain::kernel::ids::PersonId;
use crate::domain::notice::reach::Reach;
use crate::domain::people::identity::{MobilePhone, ResidentId};
use crate::store::seal::KeyRing;

/// An applicant as a back-office system names them.
#[derive(Debug, Clone)]
pub struct KnownAs {
    /// The phone to which messages go.
    pub phone: MobilePhone,
    /// The resident ID, if the system reports it.
    pub resident_id: Option<ResidentId>,
}

/// The keyed hash by which an applicant is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// Of the phone, if no resident ID is reported.
    Phone(Vec<u8>),
    /// Of the resident ID.
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

/// A reported decision to be looked up.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    pub source: &'a str,
    /// The system's own reference.
    pub reference: &'a str,
    pub applicant: Name,
}

/// What the database knows of a reported decision.
#[derive(Debug, Clone)]
pub struct Known {
    /// True if a case with this reference is stored.
    pub is_taken: bool,
    /// The applicant; `None` if they are new.
    pub applicant: Option<KnownApplicant>,
}

#[derive(Debug, Clone)]
pub struct KnownApplicant {
    pub id: PersonId,
    /// True if no person has proved the resident ID yet. Messages then go to the phone that was reported last.
    pub is_awaited: bool,
    pub reach: Reach,
}

/// Looks decisions up, in the order given. Nothing is locked: if another transaction writes meanwhile, a write that
/// relies on this result may violate a constraint. The next look-up then finds the rows of the other transaction.
pub async fn look_up(conn: &mut Conn, decisions: &[Named<'_>]) -> Result<Vec<Known>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        is_taken: bool,
        person: Option<Uuid>,
        is_awaited: bool,
        #[sqlx(flatten)]
        reach: ReachRow,
    }
    let sources: Vec<&str> = decisions.iter().map(|decision| decision.source).collect();
    let references: Vec<&str> = decisions.iter().map(|decision| decision.reference).collect();
    let phones: Vec<Option<&[u8]>> = decisions.iter().map(|decision| decision.applicant.phone()).collect();
    let resident_ids: Vec<Option<&[u8]>> = decisions.iter().map(|decision| decision.applicant.resident_id()).collect();
    let rows: Vec<Row> = sqlx::query_as(concat!(
        "select exists (select from cases c where c.source = r.source and c.source_ref = r.reference) as is_taken,
                p.id as person, p.signed_in_at is null and p.phone_hash is null as is_awaited, ",
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
    let known = |row: Row| {
        let applicant = row.person.map(|id| KnownApplicant {
            id: PersonId::from_uuid(id),
            is_awaited: row.is_awaited,
            reach: row.reach.into(),
        });
        Known { is_taken: row.is_taken, applicant }
    };
    Ok(rows.into_iter().map(known).collect())
}
