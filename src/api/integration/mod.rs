//! What a back-office system asks for: `/integration/v1`.

pub mod results;
pub mod tag;
pub mod token;

mod batch_view;
mod new_result;

use super::edge::openapi::About;
use crate::casework::Casework;
use crate::casework::people::People;

/// The operations: one implementation per group of paths.
pub type Api = (token::Token, results::Results);

/// Puts the operations together.
#[must_use]
pub fn api(people: &People, casework: &Casework) -> Api {
    (token::Token(people.clone()), results::Results { people: people.clone(), casework: casework.clone() })
}

/// The document.
pub const ABOUT: About = About {
    file: "integration",
    title: "业务系统对接 · Songda integration API",
    description: "接收其他系统作出的决定，通知并寄递。 Hands in decisions that were made in another system; Songda \
                  tells the applicant and sends the result. Clients authenticate with `private_key_jwt` (RFC 7523).",
    open: &["get_token"],
};
