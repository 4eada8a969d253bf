//! People, officers and API clients: how they sign in, who they are, and how they are reached.
//!
//! A session that ended gets no new tokens at once. Access tokens that a resident holds expire within
//! [`crate::auth::tokens::LIFETIME`], because they are checked without the database. Those of officers and API clients are
//! refused within a second, because the account behind them is looked up ([`known`]).
//!
//! [`People`] is what these use cases share. Each noun has a handle: `people.sessions().by_sms(…)`,
//! `people.identity().verify(…)`. Officers' accounts and API clients need only a few parts, so that an administration command
//! builds just those.

pub mod addresses;
pub mod clients;
pub mod consents;
pub mod devices;
pub mod identity;
pub mod known;
pub mod login_codes;
pub mod officers;
pub mod recent;
pub mod sessions;

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
use crate::gateway::login::LoginGateway;
use crate::store::{Store, StoreError, Tx};

/// Names the county of a six-digit GB/T 2260 code, if the catalogue knows it.
pub type Regions = Arc<dyn Fn(&str) -> Option<RegionNames> + Send + Sync>;

/// What the use cases about people share. Cloning shares it.
#[derive(Clone)]
pub struct People {
    pub store: Store,
    pub clock: Clock,
    /// Rung after a commit.
    pub bell: Bell,
    pub tokens: Tokens,
    pub passwords: Passwords,
    /// WeChat's sign-in, if the installation offers it.
    pub login: Option<Arc<dyn LoginGateway>>,
    /// The real-name check, if the installation has one.
    pub identity: Option<Arc<dyn IdentityGateway>>,
    /// The channel that carries one-time codes.
    pub code_channel: ChannelCode,
    /// The channels that find a device by a token that it reports.
    pub push_channels: Arc<[ChannelCode]>,
    /// The message templates in force, for which people can be asked for consent.
    pub catalog: Catalog,
    /// The counties that exist.
    pub regions: Regions,
    /// API clients that were looked up a moment ago.
    pub recent_clients: Recent<ClientId, ApiClient>,
    /// Officers that were looked up a moment ago, by session.
    pub recent_officers: Recent<SessionId, Officer>,
    /// The address of our token endpoint: the audience of client assertions.
    pub token_endpoint: Arc<str>,
}

async fn commit(tx: Tx<'_>) -> Result<(), StoreError> {
    Ok(tx.commit().await?)
}
