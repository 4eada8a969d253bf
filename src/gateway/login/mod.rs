//! Sign-in through platforms that know the person: a code of the client becomes an account. One folder per platform;
//! `registry.rs` lists them.

pub mod wechat;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::probe::Probe;

/// The person who signed in, as the platform knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformAccount {
    /// The app at the platform: an openid has no meaning outside it.
    pub appid: String,
    /// The person within this app.
    pub openid: Private<String>,
    /// The person within all apps of the same owner; only if the app is bound to them.
    pub unionid: Option<Private<String>>,
}

/// Why a sign-in failed. The platform's own code is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// The code is invalid, expired or used: the client must get a new one.
    #[error("the code is not valid any more")]
    CodeRejected,
    /// The platform considers the account a high risk and blocks its sign-ins.
    #[error("the platform blocks this account")]
    Blocked,
    /// Too many sign-ins.
    #[error("too many sign-ins")]
    Throttled,
    /// No sensible answer. The code may be used up: the client must get a new one.
    #[error("the platform does not answer")]
    Unavailable,
    /// Nothing will change until an operator corrects our account.
    #[error("the platform refuses our account")]
    Misconfigured,
}

/// Turns a client's code into an account.
#[async_trait]
pub trait LoginGateway: Send + Sync {
    /// Asks for the account of a code. A code is good for one question.
    async fn session(&self, code: &Private<String>) -> Result<PlatformAccount, LoginFault>;

    /// Asks for the account of a code that does not exist. Only a platform that accepts our account refuses the code.
    async fn probe(&self) -> Probe {
        match self.session(&Private::new("no-code".to_owned())).await {
            Ok(_) | Err(LoginFault::CodeRejected | LoginFault::Blocked) => Probe::Well,
            Err(LoginFault::Throttled) => Probe::Throttled,
            Err(fault @ LoginFault::Misconfigured) => Probe::Refused(fault.to_string()),
            Err(fault @ LoginFault::Unavailable) => Probe::Silent(fault.to_string()),
        }
    }
}

/// Builds a platform's sign-in from the settings; `registry.rs` lists one per platform.
#[derive(Clone, Copy)]
pub struct LoginAdapter {
    /// The platform's name in settings: small letters, digits and `_`.
    pub code: &'static str,
    /// Reads its settings and builds its client. `None` if it is off, or if the settings have faults.
    pub build: fn(&mut Env, &Clock) -> Option<Arc<dyn LoginGateway>>,
}

/// The platforms through which people sign in to this installation, by name.
#[derive(Clone, Default)]
pub struct Logins(BTreeMap<&'static str, Arc<dyn LoginGateway>>);

impl Logins {
    /// Builds those that are on.
    pub fn read(env: &mut Env, adapters: &[LoginAdapter], clock: &Clock) -> Self {
        Self(adapters.iter().filter_map(|adapter| Some((adapter.code, (adapter.build)(env, clock)?))).collect())
    }

    /// The platform with this name, if it is on.
    pub fn get(&self, code: &str) -> Option<&Arc<dyn LoginGateway>> {
        self.0.get(code)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arc<dyn LoginGateway>)> {
        self.0.iter().map(|(code, login)| (*code, login))
    }
}
