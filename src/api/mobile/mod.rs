//! What a resident's phone asks for: `/v1`.

pub mod addresses;
pub mod consents;
pub mod devices;
pub mod items;
pub mod me;
pub mod person;
pub mod sessions;
pub mod tag;

use super::edge::openapi::About;

/// The operations: one implementation per group of paths.
pub type Api = (sessions::Sessions, me::Me, devices::Devices, consents::Consents, addresses::Addresses);

/// The document.
pub const ABOUT: About = About {
    file: "mobile",
    title: "掌上办理 · Songda mobile API",
    description: "办事、进度、通知与寄递。 Handling items on the phone: the catalogue, drafts, cases, notifications and \
                  parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
    open: &["sign_in_wechat", "request_login_code", "sign_in_sms", "refresh_session"],
};
