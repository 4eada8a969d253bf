//! Finds the recipients of notifications, with their present addresses on a channel. An address is read only when the
//! message is sent, so a phone that was sold gets no messages of its former owner.
//!
//! Each channel finds a person by one kind of address. A new kind of address needs a new arm in the `match` of this
//! file.

use std::collections::BTreeMap;

use sqlx_macros::FromRow;

use super::notifications::{self, Received};
use super::{Conn, StoreError, devices, people};
use crate::domain::kernel::ids::NotificationId;
use crate::domain::kernel::private::Private;
use crate::domain::kernel::text::Language;
use crate::domain::notice::notification::Notification;
use crate::domain::notice::reach::{AddressKind, Link};
use crate::store::reach::stored_language;
use crate::store::seal::{Cell, KeyRing};

#[derive(Debug)]
pub struct Recipient {
    pub language: Language,
    /// The sealed address on the channel, if there is one, as it is stored. Sealing is randomised, so no other row has
    /// the same bytes.
    pub sealed: Option<Vec<u8>>,
    /// The place of the sealed address.
    cell: Option<Cell>,
}

impl Recipient {
    /// Opens the address, if there is one.
    pub fn address(&self, keys: &KeyRing) -> Result<Option<Private<String>>, StoreError> {
        let (Some(sealed), Some(cell)) = (&self.sealed, &self.cell) else { return Ok(None) };
        let text = String::from_utf8(keys.open(cell, sealed)?);
        text.map(|text| Some(Private::new(text)))
            .map_err(|_| StoreError::Broken(format!("{} is not text", cell.column())))
    }
}

/// Selects notifications ($1) with the language and address of each person. $2 is the channel. `$address` selects the
/// sealed address as `address`, and the key of its row as `row_key`, for the row `person` of
/// `people`.
macro_rules! addressed {
    ($address:literal) => {
        concat!(
            "select ",
            notifications::columns!(),
            ", language, address, row_key from notifications
             join lateral (select p.id as owner, p.language, p.phone_sealed from people p where p.id = person_id) person on true
             left join lateral (",
            $address,
            ") reached on true
             where id = any($1) and $2::text is not null"
        )
    };
}

#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    notification: notifications::Row,
    language: String,
    address: Option<Vec<u8>>,
    row_key: Option<Vec<u8>>,
}

/// Finds these notifications and their recipients on a channel. A notification that cannot be read has its own error,
/// so that only its own push fails. There is only one statement, because every push waits for its result.
pub async fn of(
    conn: &mut Conn,
    link: &Link,
    ids: &[NotificationId],
) -> Result<BTreeMap<NotificationId, Result<(Notification, Recipient), StoreError>>, StoreError> {
    let (sql, column) = match link.address {
        AddressKind::Phone => {
            (addressed!("select phone_sealed as address, uuid_send(owner) as row_key"), people::PHONE)
        }
        AddressKind::WechatAccount => (
            addressed!(
                "select w.openid_sealed as address, w.openid_hash as row_key from wechat_accounts w
                 where w.person_id = owner and w.gone_at is null
                 order by w.created_at desc limit 1"
            ),
            people::OPENID,
        ),
        AddressKind::DeviceToken => (
            addressed!(
                "select d.push_token_sealed as address, d.push_token_hash as row_key from devices d
                 where d.person_id = owner and d.push_channel = $2 and d.push_token_sealed is not null
                 order by d.last_seen_at desc limit 1"
            ),
            devices::PUSH_TOKEN,
        ),
    };
    let rows: Vec<Row> = sqlx::query_as(sql).bind(ids).bind(&link.channel).fetch_all(conn).await?;
    let read = |Row { notification, language, address, row_key }| {
        let cell = row_key.map(|key| Cell::keyed(column, &[&key]));
        let recipient = Recipient { language: stored_language(&language), sealed: address, cell };
        (notification.id, Received::try_from(notification).map(|received| (received.notification, recipient)))
    };
    Ok(rows.into_iter().map(read).collect())
}
