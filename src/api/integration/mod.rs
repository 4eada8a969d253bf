//! What a back-office system asks for: `/integration/v1`.

pub mod tag;
pub mod token;

use super::edge::openapi::About;

/// The operations: one implementation per group of paths.
pub type Api = token::Token;

/// The document.
pub const ABOUT: About = About {
    file: "integration",
    title: "业务系统对接 · Songda integration API",
    description: "接收其他系统作出的决定，通知并寄递。 Hands in decisions that were made in another system; Songda \
                  tells the applicant and sends the result. Clients authenticate with `private_key_jwt` (RFC 7523).",
    open: &["get_token"],
};
