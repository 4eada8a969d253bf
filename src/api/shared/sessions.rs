//! Requests and responses of sign-in that people and officers share.

use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Object};

use crate::api::edge::example;
use crate::domain::kernel::private::Private;
use crate::domain::people::session::RefreshToken;

/// Caches must not keep tokens (RFC 6749 §5.1).
const NO_STORE: &str = "no-store";

/// 刷新令牌。 A refresh token.
#[derive(Object)]
#[oai(deny_unknown_fields, example)]
pub struct Refresh {
    /// The latest refresh token of the session.
    #[oai(validator(min_length = 1, max_length = 200))]
    pub refresh_token: String,
}

impl From<Refresh> for RefreshToken {
    fn from(refresh: Refresh) -> Self {
        Self::presented(Private::new(refresh.refresh_token))
    }
}

example!(Refresh { refresh_token: "q1Zb0m8TzJ3nYc5vXk2wLr7sUe9dHf4gPa6iOt1jQnM".to_owned() });

#[derive(ApiResponse)]
pub enum Opened<T: ToJSON> {
    /// 已登录 · Signed in
    #[oai(status = 201)]
    Created(Json<T>, #[oai(header = "Cache-Control")] String),
}

impl<T: ToJSON> Opened<T> {
    pub fn of(session: impl Into<T>) -> Self {
        Self::Created(Json(session.into()), NO_STORE.to_owned())
    }
}

#[derive(ApiResponse)]
pub enum Refreshed<T: ToJSON> {
    /// 已刷新 · Refreshed
    #[oai(status = 200)]
    Ok(Json<T>, #[oai(header = "Cache-Control")] String),
}

impl<T: ToJSON> Refreshed<T> {
    pub fn of(session: impl Into<T>) -> Self {
        Self::Ok(Json(session.into()), NO_STORE.to_owned())
    }
}
