//! How a person can be reached: over which channels, in which language, and with what consent.
//!
//! A channel finds its address by its name: `wechat` by the person's WeChat account, `sms_…` by the phone number, any
//! other by a device that registered a token for it.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{Conn, StoreError};
use crate::domain::ids::{JobId, PersonId};
use crate::domain::notification::ChannelCode;
use crate::domain::private::Private;
use crate::domain::reach::Reach;
use crate::domain::text::Language;
use crate::store::seal::KeyRing;

/// How these people can be reached.
///
/// # Errors
/// When the database is unavailable.
pub async fn of(conn: &mut Conn, people: &[PersonId]) -> Result<BTreeMap<PersonId, Reach>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: Uuid,
        language: String,
        has_phone: bool,
        has_wechat: bool,
        devices: Vec<String>,
        consents: Vec<String>,
    }
    let ids: Vec<Uuid> = people.iter().map(|person| person.uuid()).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "select p.id, p.language, p.phone_hash is not null as has_phone,
                exists (select from wechat_accounts w where w.person_id = p.id and w.gone_at is null) as has_wechat,
                array(select distinct push_channel from devices d
                      where d.person_id = p.id and push_channel is not null and push_token_sealed is not null) as devices,
                array(select channel || ' ' || template from consents c
                      where c.person_id = p.id and (c.lasting or c.balance > 0)) as consents
         from people p where p.id = any($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let reach = |row: Row| {
        let language = if row.language == Language::English.tag() { Language::English } else { Language::Chinese };
        let reach = Reach {
            language,
            phone: row.has_phone,
            wechat: row.has_wechat,
            devices: row.devices.into_iter().map(ChannelCode::new).collect(),
            consents: row.consents.into_iter().collect(),
        };
        (PersonId::from_uuid(row.id), reach)
    };
    Ok(rows.into_iter().map(reach).collect())
}

/// A person's address on a channel, as it is at this moment: a phone that was sold gets nothing.
///
/// # Errors
/// When the database is unavailable, or the address does not open.
pub async fn address(
    conn: &mut Conn,
    keys: &KeyRing,
    person: PersonId,
    channel: &ChannelCode,
) -> Result<Option<Private<String>>, StoreError> {
    let (sql, place) = match channel.as_str() {
        "wechat" => (
            "select openid_sealed from wechat_accounts where person_id = $1 and gone_at is null and $2::text is not null
             order by created_at desc limit 1",
            "wechat_accounts.openid",
        ),
        code if code.starts_with("sms_") => {
            ("select phone_sealed from people where id = $1 and phone_sealed is not null and $2::text is not null", "people.phone")
        }
        _ => (
            "select push_token_sealed from devices where person_id = $1 and push_channel = $2 and push_token_sealed is not null
             order by last_seen_at desc limit 1",
            "devices.push_token",
        ),
    };
    let sealed: Option<Vec<u8>> =
        sqlx::query_scalar(sql).bind(person.uuid()).bind(channel.as_str()).fetch_optional(conn).await?;
    sealed.map(|sealed| open_text(keys, place, &sealed)).transpose()
}

fn open_text(keys: &KeyRing, place: &str, sealed: &[u8]) -> Result<Private<String>, StoreError> {
    let text = String::from_utf8(keys.open(place, sealed)?);
    text.map(Private::new).map_err(|_| StoreError::Broken(format!("{place} is not text")))
}

/// Forgets an address that reaches nobody any more.
///
/// # Errors
/// When the database is unavailable.
pub async fn forget(conn: &mut Conn, person: PersonId, channel: &ChannelCode) -> Result<(), StoreError> {
    // A phone number stays: it is also how the person signs in, and the number may come back.
    let sql = match channel.as_str() {
        "wechat" => {
            "update wechat_accounts set gone_at = now() where person_id = $1 and gone_at is null and $2::text is not null"
        }
        code if code.starts_with("sms_") => return Ok(()),
        _ => "update devices set push_token_sealed = null where person_id = $1 and push_channel = $2",
    };
    sqlx::query(sql).bind(person.uuid()).bind(channel.as_str()).execute(conn).await?;
    Ok(())
}

/// Takes one consent to a template into the hold of a job; says whether there was one, or the job holds one already.
///
/// # Errors
/// When the database is unavailable.
pub async fn hold_consent(
    conn: &mut Conn,
    job: JobId,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
) -> Result<bool, StoreError> {
    let held: bool = sqlx::query_scalar(
        "with before as (select from consent_holds where job_id = $1
        ), taken as (
            update consents set balance = balance - (not lasting)::int, updated_at = now()
            where person_id = $2 and channel = $3 and template = $4 and (lasting or balance > 0)
              and not exists (select from before)
            returning lasting
        ), held as (
            insert into consent_holds (job_id, person_id, channel, template) select $1, $2, $3, $4 from taken where not lasting
        )
        select exists (select from before) or exists (select from taken)",
    )
    .bind(job.uuid())
    .bind(person.uuid())
    .bind(channel.as_str())
    .bind(template)
    .fetch_one(conn)
    .await?;
    Ok(held)
}

/// What becomes of the consent that a job holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldConsent {
    /// The message was delivered: it is used up.
    Used,
    /// The message surely was not delivered: it is given back.
    Returned,
    /// The gateway says that there was none: whatever the ledger held was wrong.
    Refuted,
}

/// Ends the hold of a job on a consent, if it has one.
///
/// # Errors
/// When the database is unavailable.
pub async fn release_consent(
    conn: &mut Conn,
    job: JobId,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
    what: HeldConsent,
) -> Result<(), StoreError> {
    let (returned, refuted) = (what == HeldConsent::Returned, what == HeldConsent::Refuted);
    sqlx::query(
        "with ended as (delete from consent_holds where job_id = $1 returning job_id)
         update consents
         set balance = case when $6 then 0 else balance + 1 end, lasting = lasting and not $6,
             unmatched = case when $6 then 0 else unmatched end,
             refused_at = case when $6 then now() else refused_at end, updated_at = now()
         where person_id = $2 and channel = $3 and template = $4 and ($6 or ($5 and exists (select from ended)))",
    )
    .bind(job.uuid())
    .bind(person.uuid())
    .bind(channel.as_str())
    .bind(template)
    .bind(returned)
    .bind(refuted)
    .execute(conn)
    .await?;
    Ok(())
}
