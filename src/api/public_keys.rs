//! `/.well-known/jwks.json`: the public keys of access tokens (RFC 7517), for whoever verifies them elsewhere. A key stands
//! here before it signs, so they may keep the answer for a minute.

use poem::http::{HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::etag::etag_of;
use crate::auth::tokens::Tokens;

/// The answer.
pub struct PublicKeys(pub Tokens);

impl Endpoint for PublicKeys {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        let body = self.0.jwks().to_string();
        let response = Response::builder()
            .content_type("application/json")
            .header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"))
            .header(header::ETAG, etag_of(body.as_bytes()))
            .header(header::CONTENT_LENGTH, body.len());
        Ok(response.body(body))
    }
}
