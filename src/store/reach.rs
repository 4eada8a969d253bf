//! How a person can be reached: over which channels, in which language, and with which consents.
//!
//! Each channel finds a person by one kind of address. A new kind of address needs a new arm in the `match` of this
//! file.

use std::collections::BTreeMap;

use sqlx_macros::FromRow;

use super::{Conn, StoreError};
use crate::domain::kernel::ids::PersonId;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::ChannelCode;
use crate::domain::notice::reach::{AddressKind, Reach};

/// The columns of [`ReachRow`] for a row `p` of `people`. If an outer join finds no such row, the columns mean that the
/// person cannot be reached.
macro_rules! columns {
    () => {
        "coalesce(p.language, '') as language, p.phone_sealed is not null as has_phone,
         exists (select from wechat_accounts w where w.person_id = p.id and w.gone_at is null) as has_wechat,
         array(select distinct push_channel from devices d
               where d.person_id = p.id and push_channel is not null and push_token_sealed is not null) as devices,
         array(select channel || ' ' || template from consents c
               where c.person_id = p.id and (c.lasting or c.balance > 0)) as consents"
    };
}
pub(super) use columns;

#[derive(FromRow)]
pub(super) struct ReachRow {
    language: String,
    has_phone: bool,
    has_wechat: bool,
    devices: Vec<ChannelCode>,
    consents: Vec<String>,
}

impl From<ReachRow> for Reach {
    fn from(row: ReachRow) -> Self {
        Self {
            language: stored_language(&row.language),
            phone: row.has_phone,
            wechat: row.has_wechat,
            devices: row.devices.into_iter().collect(),
            consents: row.consents.into_iter().collect(),
        }
    }
}

pub async fn of(conn: &mut Conn, people: &[PersonId]) -> Result<BTreeMap<PersonId, Reach>, StoreError> {
    #[derive(FromRow)]
    struct Row {
        id: PersonId,
        #[sqlx(flatten)]
        reach: ReachRow,
    }
    let sql = concat!("select p.id, ", columns!(), " from people p where p.id = any($1)");
    let rows: Vec<Row> = sqlx::query_as(sql).bind(people).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.reach.into())).collect())
}

pub(super) fn stored_language(tag: &str) -> Language {
    if tag == Language::English.tag() { Language::English } else { Language::Chinese }
}

/// Removes an address that the gateway reports as gone. `sealed` is the address that was tried, as it is stored. The
/// person's other addresses stay. So does a new address that has replaced the tried one since then.
pub async fn forget(
    conn: &mut Conn,
    person: PersonId,
    channel: &ChannelCode,
    kind: AddressKind,
    sealed: &[u8],
) -> Result<(), StoreError> {
    let sql = match kind {
        // The phone number stays, because the person also signs in with it, and it may come back into use.
        AddressKind::Phone => return Ok(()),
        AddressKind::WechatAccount => {
            "update wechat_accounts set gone_at = now()
             where person_id = $1 and openid_sealed = $3 and gone_at is null and $2::text is not null"
        }
        AddressKind::DeviceToken => {
            "update devices set push_token_sealed = null, push_token_hash = null
             where person_id = $1 and push_channel = $2 and push_token_sealed = $3"
        }
    };
    sqlx::query(sql).bind(person).bind(channel).bind(sealed).execute(conn).await?;
    Ok(())
}
