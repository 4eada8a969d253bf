//! The API by which back-office systems report results: `/integration/v1`.

pub mod results;
pub mod tag;
pub mod token;

mod batch_view;
mod new_result;

use crate::api::edge::openapi::document::About;
use crate::api::services::Services;

/// The structs with all operations of this API. Its routes and its OpenAPI document are built from them.
pub type Api = (token::Token, results::Results);

pub fn api(services: &Services) -> Api {
    (token::Token(services.people.clone()), results::Results(services.clone()))
}

pub const ABOUT: About = About {
    file: "integration",
    title: "业务系统对接 · Songda integration API",
    description: "接收其他系统作出的决定，通知并寄递。 Reports decisions that another system made; Songda notifies \
                  the applicant and sends the result. Clients authenticate with `private_key_jwt` (RFC 7523).",
};
