//! Sign-in with an account that the person has at a platform, such as WeChat. The client gets a code from the platform
//! and sends it to Songda. Songda sends the code to the platform, which answers with the person's account. Each
//! platform has a folder and a line in `registry.rs`.

pub mod wechat;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformAccount {
    /// Our app at the platform. An openid is valid only within this app.
    pub appid: String,
    /// Identifies the person within the app.
    pub openid: Private<String>,
    /// Identifies the person within all apps of the same owner. Missing unless the platform links our app to the
    /// others.
    pub unionid: Option<Private<String>>,
}

/// The reason why a sign-in failed. The platform's own error code is only in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// The code is invalid, expired or used: the client must get a new one.
    #[error("the code is not valid any more")]
    CodeRejected,
    /// The platform considers the account a high risk and blocks its sign-ins.
    #[error("the platform blocks this account")]
    Blocked,
    #[error("too many sign-ins")]
    Throttled,
    /// No answer came, or the answer is unreadable. The code may be used up: the client must get a new one.
    #[error("the platform does not answer")]
    Unavailable,
    /// The platform refuses our account. An operator must correct the account or its settings.
    #[error("the platform refuses our account")]
    Misconfigured,
}

#[async_trait]
pub trait LoginGateway: Send + Sync {
    /// Exchanges a client's code for the person's account. A code can be used once.
    async fn session(&self, code: &Private<String>) -> Result<PlatformAccount, LoginFault>;

    /// Sends a code that does not exist. A platform refuses the code only after it has accepted our account.
    async fn probe(&self) -> Probe {
        match self.session(&Private::new("no-code".to_owned())).await {
            Ok(_) | Err(LoginFault::CodeRejected | LoginFault::Blocked) => Probe::Well,
            Err(LoginFault::Throttled) => Probe::Throttled,
            Err(fault @ LoginFault::Misconfigured) => Probe::Refused(fault.to_string()),
            Err(fault @ LoginFault::Unavailable) => Probe::Silent(fault.to_string()),
        }
    }
}

/// A platform's entry in `registry.rs`.
#[derive(Clone, Copy)]
pub struct LoginAdapter {
    /// The platform's name in settings: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads the platform's settings and builds its client; `None` if it is off or the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn LoginGateway>>,
}

#[derive(Clone, Default)]
pub struct Logins(BTreeMap<&'static str, Arc<dyn LoginGateway>>);

impl Logins {
    pub fn read(env: &mut Env, adapters: &[LoginAdapter], clock: &Clock) -> Self {
        Self(adapters.iter().filter_map(|adapter| Some((adapter.code, (adapter.build)(env, clock)?))).collect())
    }

    pub fn get(&self, code: &str) -> Option<&Arc<dyn LoginGateway>> {
        self.0.get(code)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn LoginGateway>)> {
        self.0.iter().map(|(code, login)| (*code, login))
    }
}
