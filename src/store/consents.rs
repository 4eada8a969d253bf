//! The consent ledger ([`crate::domain::consent`]), and the consents that attempts under way hold.

use std::collections::HashMap;

use sqlx::FromRow;

use super::{Conn, StoreError};
use crate::domain::clock::Instant;
use crate::domain::consent::ConsentBalance;
use crate::domain::ids::{JobId, PersonId};
use crate::domain::notification::ChannelCode;

#[derive(FromRow)]
struct Row {
    template: String,
    balance: i32,
    lasting: bool,
    refused_at: Option<Instant>,
}

impl Row {
    fn read(self) -> (String, ConsentBalance) {
        let balance = u32::try_from(self.balance).unwrap_or(0);
        (self.template, ConsentBalance { balance, lasting: self.lasting, refused_at: self.refused_at })
    }
}

/// A person's balances on a channel, by template. A template that they never answered is not among them.
///
/// # Errors
/// When the database is unavailable.
pub async fn of_person(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
) -> Result<HashMap<String, ConsentBalance>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select template, balance, lasting, refused_at from consents where person_id = $1 and channel = $2",
    )
    .bind(person.uuid())
    .bind(channel.as_str())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::read).collect())
}

/// One balance, held until the end of the transaction.
///
/// # Errors
/// When the database is unavailable.
pub async fn hold_balance(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
    now: Instant,
) -> Result<ConsentBalance, StoreError> {
    // The update that changes nothing holds the row, whether it was just made or stood there.
    let row: Row = sqlx::query_as(
        "insert into consents (person_id, channel, template, updated_at) values ($1, $2, $3, $4)
         on conflict on constraint consents_pkey do update set updated_at = excluded.updated_at
         returning template, balance, lasting, refused_at",
    )
    .bind(person.uuid())
    .bind(channel.as_str())
    .bind(template)
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(row.read().1)
}

/// Keeps a balance that is held.
///
/// # Errors
/// When the database is unavailable.
pub async fn set_balance(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
    balance: ConsentBalance,
) -> Result<(), StoreError> {
    sqlx::query(
        "update consents set balance = $4, lasting = $5, refused_at = $6
         where person_id = $1 and channel = $2 and template = $3",
    )
    .bind(person.uuid())
    .bind(channel.as_str())
    .bind(template)
    .bind(i32::try_from(balance.balance).unwrap_or(i32::MAX))
    .bind(balance.lasting)
    .bind(balance.refused_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Sets one consent aside for an attempt; says whether there was one. A lasting consent is not used up. A job that
/// holds one already, from an attempt whose end nobody knows, keeps it.
///
/// # Errors
/// When the database is unavailable.
pub async fn set_aside(
    conn: &mut Conn,
    job: JobId,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
) -> Result<bool, StoreError> {
    let set_aside: bool = sqlx::query_scalar(
        "with standing as (
             select 1 from consent_holds where job_id = $1
         ), lasting as (
             select 1 from consents where person_id = $2 and channel = $3 and template = $4 and lasting
         ), taken as (
             update consents set balance = balance - 1
             where person_id = $2 and channel = $3 and template = $4 and balance > 0
               and not exists (select from standing) and not exists (select from lasting)
             returning person_id, channel, template
         ), held as (
             insert into consent_holds (job_id, person_id, channel, template)
             select $1, person_id, channel, template from taken
             returning 1
         )
         select exists (select from standing) or exists (select from lasting) or exists (select from held)",
    )
    .bind(job.uuid())
    .bind(person.uuid())
    .bind(channel.as_str())
    .bind(template)
    .fetch_one(conn)
    .await?;
    Ok(set_aside)
}

/// The message was delivered, or refused for want of consent: what its job had set aside is gone.
///
/// # Errors
/// When the database is unavailable.
pub async fn spend(conn: &mut Conn, job: JobId) -> Result<(), StoreError> {
    sqlx::query("delete from consent_holds where job_id = $1").bind(job.uuid()).execute(conn).await?;
    Ok(())
}

/// The message surely was not delivered: what its job had set aside goes back.
///
/// # Errors
/// When the database is unavailable.
pub async fn give_back(conn: &mut Conn, job: JobId) -> Result<(), StoreError> {
    sqlx::query(
        "with freed as (delete from consent_holds where job_id = $1 returning person_id, channel, template)
         update consents c set balance = c.balance + 1 from freed f
         where c.person_id = f.person_id and c.channel = f.channel and c.template = f.template",
    )
    .bind(job.uuid())
    .execute(conn)
    .await?;
    Ok(())
}
