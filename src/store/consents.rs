//! The consents that people gave, counted per channel and template ([`crate::domain::notice::consent`]). Jobs reserve
//! them in [`super::consent_holds`].

use std::collections::HashMap;

use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::private::Private;
use crate::domain::notice::consent::ConsentBalance;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::AddressKind;
use crate::store::seal::KeyRing;

#[derive(FromRow)]
struct Row {
    channel: ChannelCode,
    template: String,
    balance: i32,
    lasting: bool,
    refused_at: Option<Instant>,
    unmatched: i32,
    heard_at: Option<Instant>,
}

impl Row {
    fn balance(&self) -> ConsentBalance {
        let Self { lasting, refused_at, unmatched, heard_at, .. } = *self;
        let balance = u32::try_from(self.balance).unwrap_or(0);
        ConsentBalance { balance, lasting, refused_at, unmatched, heard_at }
    }
}

/// Returns a person's balances by channel and template. Templates for which the person never answered a request for
/// consent are left out.
pub async fn of_person(
    conn: &mut Conn,
    person: PersonId,
) -> Result<HashMap<(ChannelCode, String), ConsentBalance>, StoreError> {
    let sql = "select channel, template, balance, lasting, refused_at, unmatched, heard_at from consents
               where person_id = $1";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(person).fetch_all(conn).await?;
    let read = |row: Row| {
        let balance = row.balance();
        ((row.channel, row.template), balance)
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Returns a person's balance for a template, and locks it until the end of the transaction. Adds an empty balance if
/// the person has no balance for this template.
pub async fn hold_balance(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
    now: Instant,
) -> Result<ConsentBalance, StoreError> {
    // The `do update` makes PostgreSQL lock a row that existed before. A new row is locked anyway.
    let sql = "insert into consents (person_id, channel, template, updated_at) values ($1, $2, $3, $4)
               on conflict on constraint consents_pkey do update set updated_at = excluded.updated_at
               returning channel, template, balance, lasting, refused_at, unmatched, heard_at";
    let query = sqlx::query_as(sql).bind(person).bind(channel).bind(template).bind(now);
    let row: Row = query.fetch_one(conn).await?;
    Ok(row.balance())
}

/// Finds the person who has this address. Returns `None` if no person has it, or if it is of a kind for which no
/// gateway reports consents so far.
pub async fn giver(
    conn: &mut Conn,
    keys: &KeyRing,
    kind: AddressKind,
    address: &Private<String>,
) -> Result<Option<PersonId>, StoreError> {
    if kind != AddressKind::WechatAccount {
        return Ok(None);
    }
    let hash = keys.hash("wechat_accounts.openid", address.expose());
    let sql = "select person_id from wechat_accounts where openid_hash = $1 limit 1";
    Ok(sqlx::query_scalar(sql).bind(hash).fetch_optional(conn).await?)
}

/// Writes a balance that [`hold_balance`] locked.
pub async fn set_balance(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
    template: &str,
    balance: ConsentBalance,
) -> Result<(), StoreError> {
    let sql = "update consents set balance = $4, lasting = $5, refused_at = $6, unmatched = $7, heard_at = $8
               where person_id = $1 and channel = $2 and template = $3";
    sqlx::query(sql)
        .bind(person)
        .bind(channel)
        .bind(template)
        .bind(i32::try_from(balance.balance).unwrap_or(i32::MAX))
        .bind(balance.lasting)
        .bind(balance.refused_at)
        .bind(balance.unmatched)
        .bind(balance.heard_at)
        .execute(conn)
        .await?;
    Ok(())
}
