//! Joins two accounts that belong to one person: all data of the first account moves to the second, and the first
//! account is deleted.

use uuid::Uuid;

use super::record::{ChangeKind, Record};
use super::{Conn, StoreError, changes};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, DraftId, NotificationId, ParcelId, PersonId};

/// Locks both people until the end of the transaction, and also those rows of the first person (`from`) that another
/// transaction may be changing. All transactions take locks in the same order: cases, parcels, drafts, people, and last
/// the people's logs of changes.
pub async fn hold(conn: &mut Conn, from: PersonId, into: PersonId) -> Result<(), StoreError> {
    const LOCKS: [&str; 4] = [
        "select from cases where person_id = ($1::uuid[])[1] order by id for no key update",
        "select from parcels where person_id = ($1::uuid[])[1] order by id for no key update",
        "select from drafts where person_id = ($1::uuid[])[1] order by id for no key update",
        "select from people where id = any($1) order by id for no key update",
    ];
    for sql in LOCKS {
        sqlx::query(sql).bind([from, into]).execute(&mut *conn).await?;
    }
    changes::hold(conn, [from, into]).await
}

/// Formats an id as clients know it.
type PublicId = fn(Uuid) -> String;

/// The statements that move rows from person `$1` to person `$2`, for the rows that clients show. Each moved row is
/// entered in the log of changes, so that clients read it again.
const SHOWN: [(ChangeKind, &str, PublicId); 4] = [
    (ChangeKind::Case, "update cases set person_id = $2 where person_id = $1 returning id", |id| {
        CaseId::from_uuid(id).to_string()
    }),
    (ChangeKind::Parcel, "update parcels set person_id = $2 where person_id = $1 returning id", |id| {
        ParcelId::from_uuid(id).to_string()
    }),
    (ChangeKind::Notification, "update notifications set person_id = $2 where person_id = $1 returning id", |id| {
        NotificationId::from_uuid(id).to_string()
    }),
    (ChangeKind::Draft, "update drafts set person_id = $2 where person_id = $1 returning id", |id| {
        DraftId::from_uuid(id).to_string()
    }),
];

/// The statements that move all other rows from person `$1` to person `$2`, or delete them. Person `$2` keeps at most
/// one default address. The consent balances of both people are added up.
const REST: [&str; 10] = [
    "update uploads set person_id = $2 where person_id = $1",
    "update addresses set person_id = $2,
         is_default = is_default and not exists (select from addresses where person_id = $2 and is_default)
     where person_id = $1",
    "update devices set person_id = $2 where person_id = $1",
    "update wechat_accounts set person_id = $2 where person_id = $1",
    "insert into consents (person_id, channel, template, balance, lasting, refused_at, updated_at, unmatched, heard_at)
     select $2, channel, template, balance, lasting, refused_at, updated_at, unmatched, heard_at
     from consents where person_id = $1
     on conflict on constraint consents_pkey do update set
         balance = consents.balance + excluded.balance, lasting = consents.lasting or excluded.lasting,
         refused_at = greatest(consents.refused_at, excluded.refused_at),
         updated_at = greatest(consents.updated_at, excluded.updated_at),
         unmatched = consents.unmatched + excluded.unmatched,
         heard_at = greatest(consents.heard_at, excluded.heard_at)",
    "delete from consents where person_id = $1 and $2::uuid is not null",
    "update consent_holds set person_id = $2 where person_id = $1",
    "update identity_tries set person_id = $2 where person_id = $1",
    "update refused_applications set person_id = $2 where person_id = $1",
    "delete from changes where person_id = $1 and $2::uuid is not null",
];

/// Deletes person `$1`. Each of phone, name and resident ID that person `$2` lacks is taken over from person `$1`.
const END: &str = "with gone as (
         delete from people where id = $1
         returning phone_sealed, phone_hash, name_sealed, resident_id_sealed, resident_id_hash, verified_at
     ), earlier as (
         update joined_people set into_id = $2 where into_id = $1
     ), noted as (
         insert into joined_people (person_id, into_id, at) values ($1, $2, $3)
     )
     update people p set
         phone_sealed = case when p.phone_hash is null then coalesce(g.phone_sealed, p.phone_sealed) else p.phone_sealed end,
         phone_hash = coalesce(p.phone_hash, g.phone_hash),
         name_sealed = coalesce(p.name_sealed, g.name_sealed),
         resident_id_sealed = coalesce(p.resident_id_sealed, g.resident_id_sealed),
         resident_id_hash = coalesce(p.resident_id_hash, g.resident_id_hash),
         verified_at = coalesce(p.verified_at, g.verified_at)
     from gone g where p.id = $2";

/// Moves all data of one person to another, and deletes the first person. The caller has called [`hold`], and at most
/// one of the two people is verified.
///
/// # Errors
/// If another transaction has added a row of the first person since [`hold`]. The caller must not commit then.
pub async fn join(
    conn: &mut Conn,
    record: &mut Record,
    from: PersonId,
    into: PersonId,
    now: Instant,
) -> Result<(), StoreError> {
    for (kind, sql, name) in SHOWN {
        let moved: Vec<Uuid> = sqlx::query_scalar(sql).bind(from).bind(into).fetch_all(&mut *conn).await?;
        for id in moved {
            record.change(into, kind, name(id));
        }
    }
    for sql in REST {
        sqlx::query(sql).bind(from).bind(into).execute(&mut *conn).await?;
    }
    sqlx::query(END).bind(from).bind(into).bind(now).execute(conn).await?;
    Ok(())
}

/// Returns the person into whom a deleted person was joined; `None` if this person was never joined into another.
pub async fn became(conn: &mut Conn, person: PersonId) -> Result<Option<PersonId>, StoreError> {
    let sql = "select into_id from joined_people where person_id = $1";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_optional(conn).await?)
}
