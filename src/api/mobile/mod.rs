//! What a resident's phone asks for: `/v1`.

use super::edge::openapi::About;

/// The operations: one implementation per group of paths.
pub type Api = ();

/// The document.
pub const ABOUT: About = About {
    file: "mobile",
    title: "掌上办理 · Songda mobile API",
    description: "办事、进度、通知与寄递。 Handling items on the phone: the catalogue, drafts, cases, notifications and \
                  parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
    open: &[],
};
