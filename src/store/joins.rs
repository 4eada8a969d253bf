//! Joins two accounts that belong to one person: all data of the first account moves to the second, and the first
//! account is deleted.

use sqlx_macros::FromRow;
use uuid::Uuid;

use super::record::{ChangeKind, Record};
use super::{Conn, KeyRing, StoreError, changes, people};
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
const REST: [&str; 11] = [
    "update uploads set person_id = $2 where person_id = $1",
    "update addresses set person_id = $2,
         is_default = is_default and not exists (select from addresses where person_id = $2 and is_default)
     where person_id = $1",
    // Both accounts may have described the same phone. The later description counts.
    "delete from devices d using devices o
     where d.person_id in ($1, $2) and o.person_id in ($1, $2) and d.installation_id = o.installation_id
       and (d.last_seen_at, d.person_id) < (o.last_seen_at, o.person_id)",
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

/// Deletes person `$1`, and returns the values that person `$2` takes over if their own are missing.
const LEAVE: &str = "with earlier as (
         update joined_people set into_id = $2 where into_id = $1
     ), noted as (
         insert into joined_people (person_id, into_id, at) values ($1, $2, $3)
     )
     delete from people where id = $1
     returning phone_sealed, phone_hash, name_sealed, resident_id_sealed, resident_id_hash, verified_at";

const INHERIT: &str = "update people set
         phone_sealed = case when phone_hash is null then coalesce($2, phone_sealed) else phone_sealed end,
         phone_hash = coalesce(phone_hash, $3),
         name_sealed = coalesce(name_sealed, $4),
         resident_id_sealed = coalesce(resident_id_sealed, $5),
         resident_id_hash = coalesce(resident_id_hash, $6),
         verified_at = coalesce(verified_at, $7)
     where id = $1";

/// The phone, name and resident ID of a deleted person.
#[derive(FromRow)]
struct Estate {
    phone_sealed: Option<Vec<u8>>,
    phone_hash: Option<Vec<u8>>,
    name_sealed: Option<Vec<u8>>,
    resident_id_sealed: Option<Vec<u8>>,
    resident_id_hash: Option<Vec<u8>>,
    verified_at: Option<Instant>,
}

/// Moves all data of one person to another, and deletes the first person. The caller has called [`hold`], and at most
/// one of the two people is verified. Sealed values of the person's own row are sealed again, for the other row.
///
/// # Errors
/// If another transaction has added a row of the first person since [`hold`]. The caller must not commit then.
pub async fn join(
    conn: &mut Conn,
    keys: &KeyRing,
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
    let left: Estate = sqlx::query_as(LEAVE).bind(from).bind(into).bind(now).fetch_one(&mut *conn).await?;
    let reseal = |column, sealed: Option<Vec<u8>>| people::reseal(keys, column, from, into, sealed);
    sqlx::query(INHERIT)
        .bind(into)
        .bind(reseal(people::PHONE, left.phone_sealed)?)
        .bind(left.phone_hash)
        .bind(reseal(people::NAME, left.name_sealed)?)
        .bind(reseal(people::RESIDENT_ID, left.resident_id_sealed)?)
        .bind(left.resident_id_hash)
        .bind(left.verified_at)
        .execute(conn)
        .await?;
    Ok(())
}

/// Returns the person into whom a deleted person was joined; `None` if this person was never joined into another.
pub async fn became(conn: &mut Conn, person: PersonId) -> Result<Option<PersonId>, StoreError> {
    let sql = "select into_id from joined_people where person_id = $1";
    Ok(sqlx::query_scalar(sql).bind(person).fetch_optional(conn).await?)
}
