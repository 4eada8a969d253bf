//! The accounts of residents, officers and API clients: sign-in, identity, addresses, devices and consents.
//!
//! When a session ends, its refresh token is refused at once. A resident's access token is refused within two seconds,
//! when each process has read that the session ended ([`ended_sessions`]). The access token of an officer or API client
//! is refused within a second, because the session or client is looked up ([`known`]).
//!
//! All use cases share one [`People`], and are grouped in handles: `people.sessions().by_sms(…)`.

pub mod addresses;
pub mod clients;
pub mod consents;
pub mod devices;
pub mod ended_sessions;
pub mod identity;
pub mod known;
pub mod login_codes;
pub mod officers;
pub mod own_account;
pub mod recent;
pub mod second_factor;
pub mod sessions;

use std::sync::Arc;

use self::ended_sessions::EndedSessions;
use self::recent::Recent;
use crate::auth::passwords::Passwords;
use crate::auth::tokens::Tokens;
use crate::casework::frame::bell::Bell;
use crate::catalog::Catalog;
use crate::domain::delivery::address::RegionNames;
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::ids::{ClientId, SessionId};
use crate::domain::notice::notification::ChannelCode;
use crate::domain::people::staff::{ApiClient, Officer, StaffRules};
use crate::gateway::identity::IdentityGateway;
use crate::gateway::login::LoginGateway;
use crate::store::{Store, StoreError, Tx};

/// Finds the names of a county by its six-digit GB/T 2260 code; `None` if the catalogue has no such county.
pub type Regions = Arc<dyn Fn(&str) -> Option<RegionNames> + Send + Sync>;

/// The dependencies of the use cases for accounts. Clones share them.
#[derive(Clone)]
pub struct People {
    pub store: Store,
    pub clock: Clock,
    pub bell: Bell,
    pub tokens: Tokens,
    pub passwords: Passwords,
    /// WeChat's sign-in, if the installation offers it.
    pub login: Option<Arc<dyn LoginGateway>>,
    /// The real-name check, if the installation has one.
    pub identity: Option<Arc<dyn IdentityGateway>>,
    /// The channel over which one-time sign-in codes are sent.
    pub code_channel: ChannelCode,
    /// The channels that reach a device by the push token that its client registers.
    pub push_channels: Arc<[ChannelCode]>,
    /// The catalogue, which defines the message templates that need consent.
    pub catalog: Catalog,
    pub regions: Regions,
    pub recent_clients: Recent<ClientId, ApiClient>,
    pub recent_officers: Recent<SessionId, Officer>,
    pub ended_sessions: EndedSessions,
    pub staff_rules: StaffRules,
    /// The URL of our token endpoint, which a client's assertion must name as its audience.
    pub token_endpoint: Arc<str>,
}

async fn commit(tx: Tx<'_>) -> Result<(), StoreError> {
    Ok(tx.commit().await?)
}
