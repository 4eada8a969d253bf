//! Authentication: access tokens and their keys, passwords, and the assertions of API clients.

pub mod client_assertion;
pub mod passwords;
pub mod signing_keys;
pub mod tokens;
pub mod totp;
