//! What the record knows of decisions that other systems report, before they are written down: many at once, in one
//! round trip.
//!
//! A system that reports a resident ID names a person: the result is for whoever proves that ID, and for nobody else. The
//! phone beside it says where messages go. It may be a spouse's by now, or a stranger's, so its owner is never taken for
//! the applicant. A system that reports a phone alone names the owner of that phone.

use sqlx::FromRow;
use uuid::Uuid;

use super::reach::{self, ReachRow};
use super::{Conn, StoreError};
use crate::domain::kernel::ids::PersonId;
use crate::domain::notice::reach::Reach;
use crate::domain::people::identity::{MobilePhone, ResidentId};
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// A phone alone.
    Phone(Vec<u8>),
    /// A resident ID.
    ResidentId(Vec<u8>),
}

impl Name {
    /// By what somebody is found who is known as this.
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

/// What names a reported decision, and its applicant.
#[derive(Debug, Clone)]
pub struct Named<'a> {
    /// The system that reports it.
    pub source: &'a str,
    /// Its reference there.
    pub reference: &'a str,
    /// Who applied.
    pub applicant: Name,
}

/// What the record knows of a reported decision.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether its reference was taken before.
    pub is_taken: bool,
    /// Who applied; `None` for somebody new.
    pub applicant: Option<KnownApplicant>,
}

/// Somebody who is known.
#[derive(Debug, Clone)]
pub struct KnownApplicant {
    /// Who.
    pub id: PersonId,
    /// Nobody came and proved the resident ID yet, so messages go to the phone that was named beside it last.
    pub is_awaited: bool,
    /// How they can be reached.
    pub reach: Reach,
}

/// Looks decisions up, in the order given. Nothing of it is held: what is written by it may break a rule of the schema if
/// others write meanwhile, and the next look finds what they wrote.
///
/// # Errors
/// When the database is unavailable.
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
