//! The network and the browser from which an officer signs in.

use poem::Request;
use poem::http::header;

use crate::api::edge::current_request;
use crate::domain::people::session::SignInPlace;

/// Returns the place of the current request's caller.
pub fn place_of(request: &Request) -> SignInPlace {
    SignInPlace::new(current_request().address, request.header(header::USER_AGENT))
}
