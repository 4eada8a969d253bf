//! What a resident's phone asks for: `/v1`.

pub mod addresses;
pub mod application_view;
pub mod cases;
pub mod changes;
pub mod consents;
pub mod devices;
pub mod drafts;
pub mod items;
pub mod me;
pub mod notifications;
pub mod person;
pub mod sessions;
pub mod tag;
pub mod timeline;
pub mod uploads;

use tokio_util::sync::CancellationToken;

use super::edge::openapi::About;
use crate::api::edge::parameters::paging::Cursors;
use crate::casework::Casework;
use crate::casework::notices::live::Live;
use crate::casework::people::People;

/// The operations: one implementation per group of paths.
pub type Api = (
    items::ItemsApi,
    (sessions::Sessions, me::Me, devices::Devices, consents::Consents, addresses::Addresses),
    (drafts::Drafts, uploads::Uploads, cases::Cases),
    (timeline::Timeline, notifications::Notifications, changes::Changes),
);

/// What stands behind the operations.
pub struct Parts<'a> {
    /// The use cases about people.
    pub people: &'a People,
    /// The use cases about cases.
    pub casework: &'a Casework,
    /// Wakes those who wait for changes.
    pub live: &'a Live,
    /// Makes and reads cursors.
    pub cursors: &'a Cursors,
    /// Cancelled when the process stops.
    pub stop: &'a CancellationToken,
}

/// Puts the operations together.
#[must_use]
pub fn api(parts: &Parts<'_>) -> Api {
    let Parts { people, casework, live, cursors, stop } = *parts;
    let person = || People::clone(people);
    (
        items::ItemsApi::new(casework.catalog().clone(), cursors.clone()),
        (
            sessions::Sessions(person()),
            me::Me(person()),
            devices::Devices(person()),
            consents::Consents(person()),
            addresses::Addresses(person()),
        ),
        (
            drafts::Drafts { casework: casework.clone(), cursors: cursors.clone() },
            uploads::Uploads(casework.clone()),
            cases::Cases { casework: casework.clone(), cursors: cursors.clone() },
        ),
        (
            timeline::Timeline(casework.clone()),
            notifications::Notifications { casework: casework.clone(), cursors: cursors.clone() },
            changes::Changes {
                casework: casework.clone(),
                live: live.clone(),
                cursors: cursors.clone(),
                stop: stop.clone(),
            },
        ),
    )
}

/// The document.
pub const ABOUT: About = About {
    file: "mobile",
    title: "掌上办理 · Songda mobile API",
    description: "办事、进度、通知与寄递。 Handling items on the phone: the catalogue, drafts, cases, notifications and \
                  parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
    open: &[
        "list_items",
        "get_item",
        "get_catalogue",
        "list_agencies",
        "list_regions",
        "list_halls",
        "list_topics",
        "sign_in_wechat",
        "request_login_code",
        "sign_in_sms",
        "refresh_session",
    ],
};
