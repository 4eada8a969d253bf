//! People, officers and API clients: how they sign in, who they are, and how they are reached.
//!
//! A session that was ended is refused a refresh at once. Access tokens that a resident was given before run out within
//! [`crate::auth::tokens::LIFETIME`], because they are checked without asking the database; those of officers and API
//! clients within a second, because who they are is looked up ([`known`]).

pub mod address_book;
pub mod at_desk;
pub mod attach_wechat;
pub mod check_code;
pub mod client_token;
pub mod devices;
pub mod join;
pub mod manage_clients;
pub mod manage_officers;
pub mod me;
pub mod officer_sign_in;
pub mod recent;
pub mod refresh;
pub mod report_consents;
pub mod request_login_code;
pub mod set_phone;
pub mod sign_in_sms;
pub mod sign_in_wechat;
pub mod sign_out;
pub mod signed_in;
pub mod verify_identity;

use std::sync::Arc;

use self::recent::Recent;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::casework::frame::bell::Bell;
use crate::catalog::Catalog;
use crate::domain::delivery::address::RegionNames;
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::ids::{ClientId, SessionId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::people::staff::{ApiClient, Officer};
use crate::gateway::identity::IdentityGateway;
use crate::gateway::login::wechat::LoginGateway;
use crate::store::{Store, StoreError, Tx};

/// Names the county of a six-digit GB/T 2260 code, if the catalogue knows it.
pub type Regions = Arc<dyn Fn(&str) -> Option<RegionNames> + Send + Sync>;

/// What the use cases about people share. Cloning shares it.
#[derive(Clone)]
pub struct People {
    pub store: Store,
    /// What tells the time.
    pub clock: Clock,
    /// What is rung after a commit.
    pub bell: Bell,
    /// Makes and checks access tokens.
    pub tokens: Tokens,
    /// Makes and checks passwords.
    pub passwords: Passwords,
    /// WeChat's sign-in, where it is offered.
    pub login: Option<Arc<dyn LoginGateway>>,
    /// The real-name check, where there is one.
    pub identity: Option<Arc<dyn IdentityGateway>>,
    /// The channel that carries one-time codes.
    pub code_channel: ChannelCode,
    /// The channels that find a device by a token that it reports.
    pub push_channels: Arc<[ChannelCode]>,
    /// The message templates in force: what people can be asked to consent to.
    pub catalog: Catalog,
    /// The counties that exist.
    pub regions: Regions,
    /// The API clients that were looked up a moment ago.
    pub recent_clients: Recent<ClientId, ApiClient>,
    /// The officers that were looked up a moment ago, by their sign-ins.
    pub recent_officers: Recent<SessionId, Officer>,
    /// The address of our token endpoint: the audience of client assertions.
    pub token_endpoint: Arc<str>,
}

async fn commit(tx: Tx<'_>) -> Result<(), StoreError> {
    Ok(tx.commit().await?)
}
