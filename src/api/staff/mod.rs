//! What an officer's desk asks for: `/staff/v1`.

pub mod sessions;
pub mod tag;

use super::edge::openapi::About;

/// The operations: one implementation per group of paths.
pub type Api = sessions::Sessions;

/// The document.
pub const ABOUT: About = About {
    file: "staff",
    title: "审批工作台 · Songda staff API",
    description: "受理、补正、决定与寄递。 Handling cases at an agency: the queue, acceptance, supplement notices, \
                  decisions and parcels. Texts follow `Accept-Language` (zh-CN or en); codes never change.",
    open: &["sign_in", "refresh_session"],
};
