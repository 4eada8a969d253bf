//! The API for residents' phones: `/v1`.

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
mod spooled_file;
pub mod tag;
pub mod timeline;
pub mod uploads;

use crate::api::edge::openapi::document::About;
use crate::api::services::Services;

/// The structs with all operations of this API. Its routes and its OpenAPI document are built from them.
pub type Api = (
    items::ItemsApi,
    (sessions::MobileSessions, me::Me, devices::Devices, consents::MobileConsents, addresses::Addresses),
    (drafts::Drafts, uploads::Uploads, cases::MobileCases),
    (timeline::Timeline, notifications::Notifications, changes::Changes),
);

pub fn api(services: &Services) -> Api {
    let Services { people, casework, cursors, .. } = services;
    (
        items::ItemsApi::new(casework.catalog().clone(), cursors.clone()),
        (
            sessions::MobileSessions(people.clone()),
            me::Me(people.clone()),
            devices::Devices(people.clone()),
            consents::MobileConsents(people.clone()),
            addresses::Addresses(people.clone()),
        ),
        (drafts::Drafts(services.clone()), uploads::Uploads(casework.clone()), cases::MobileCases(services.clone())),
        (
            timeline::Timeline(casework.clone()),
            notifications::Notifications(services.clone()),
            changes::Changes(services.clone()),
        ),
    )
}

pub const ABOUT: About = About {
    file: "mobile",
    title: "掌上办理 · Songda mobile API",
    description: "办事、进度、通知与寄递。 Items on the phone: the catalogue, drafts, cases, notifications and parcels. \
                  Texts follow `Accept-Language` (zh-CN or en); codes never change.",
};
