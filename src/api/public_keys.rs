//! `/.well-known/jwks.json`: the public keys that verify access tokens (RFC 7517), for services elsewhere. A key is
//! published before the server signs with it, so services may keep the answer for a minute.

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
