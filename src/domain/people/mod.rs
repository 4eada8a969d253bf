//! Residents, officers and API clients: who they are and how they sign in.

pub mod acting;
pub mod guesses;
pub mod identity;
pub mod login_code;
pub mod password;
pub mod person;
pub mod recovery_code;
pub mod remit;
pub mod session;
pub mod staff;
