//! `/.well-known/jwks.json`: the public keys (RFC 7517) with which other services can verify access tokens. A new key
//! is published well before the server signs with it, so services can cache the response for a minute.

use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::fixed::Fixed;
use crate::auth::tokens::Tokens;

pub struct PublicKeys(pub Tokens);

impl Endpoint for PublicKeys {
    type Output = Response;

    async fn call(&self, _: Request) -> Result<Response> {
        Ok(Fixed::new("application/json", self.0.jwks().to_string()).response())
    }
}
