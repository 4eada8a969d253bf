//! Rate limits: one for each kind of caller, a stricter one for attempts to sign in, and one for gateways' callbacks.

use std::time::Duration;

use poem::http::HeaderValue;

use crate::api::edge::limits::budgets::Budgets;
use crate::api::edge::limits::gcra::RatePolicy;
use crate::api::edge::parameters::principal::Identity;
use crate::auth::tokens::TokenAudience;
use crate::domain::kernel::network::CallerAddress;
use crate::env::Env;

const MINUTE: Duration = Duration::from_secs(60);

/// The beginnings of paths without a rate limit: health checks. A health check is answered from memory
/// ([`crate::api::watch::ready`]). A limit would save nothing, and strangers that share an address with the load
/// balancer could use it up.
const UNLIMITED: [&str; 2] = ["/healthz", "/readyz"];

/// The beginning of the paths on which carriers and platforms call back.
const CALLBACKS: &str = "/callbacks/";

/// The setting for the rate limit of one kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerLimit {
    /// The kind of token that these callers have.
    pub tokens: TokenAudience,
    /// The name of the policy in the rate-limit headers.
    pub name: &'static str,
    pub setting: &'static str,
    /// Requests per minute, if the setting is absent.
    pub default: &'static str,
    /// The description of the setting.
    pub meaning: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    sign_in: Limit,
    callbacks: Limit,
    /// What strangers may cost.
    pub budgets: Budgets,
    callers: Vec<(TokenAudience, Limit)>,
}

/// A policy, and the `RateLimit-Policy` header that announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub policy: RatePolicy,
    pub announced: HeaderValue,
}

impl Limit {
    fn new(name: &'static str, quota: u32) -> Self {
        let policy = RatePolicy { name, quota, window: MINUTE };
        let announced = HeaderValue::try_from(format!("\"{name}\";q={quota};w={}", MINUTE.as_secs()));
        // The fallback is never used: an ASCII name and numbers are always valid in a header.
        Self { policy, announced: announced.unwrap_or(HeaderValue::from_static("")) }
    }
}

impl Policies {
    /// Reads all settings, even after an invalid one, so that the operator sees every fault at once.
    pub fn from_env(env: &mut Env, callers: impl IntoIterator<Item = CallerLimit>) -> Option<Self> {
        let sign_in: Option<u32> = env.or(
            "SONGDA_RATE_SIGN_IN",
            "60",
            "Attempts to sign in, or to prove an identity, per minute and network address",
        );
        let callbacks: Option<u32> =
            env.or("SONGDA_RATE_CALLBACKS", "60000", "Callbacks of gateways per minute and network address");
        let budgets = Budgets::from_env(env);
        let read = |caller: CallerLimit| {
            let quota = env.or(caller.setting, caller.default, caller.meaning)?;
            Some((caller.tokens, Limit::new(caller.name, quota)))
        };
        let callers: Vec<Option<_>> = callers.into_iter().map(read).collect();
        Some(Self {
            sign_in: Limit::new("sign-in", sign_in?),
            callbacks: Limit::new("callbacks", callbacks?),
            budgets: budgets?,
            callers: callers.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Returns the limit for a request, and the key under which the request is counted: a caller's id or a network
    /// address. Returns `None` if the request is not limited.
    ///
    /// Attempts to sign in count by network address alone, because an attacker can have many accounts.
    pub fn choose(
        &self,
        path: &str,
        is_attempt: bool,
        identity: &Identity,
        address: Option<CallerAddress>,
    ) -> Option<(&Limit, String)> {
        if UNLIMITED.iter().any(|start| path.starts_with(start)) {
            return None;
        }
        let address = || address.map_or_else(|| "unknown".to_owned(), |address| address.subscriber().to_string());
        // A gateway has no token. Its network address counts, even if its path or its signature is wrong.
        if path.starts_with(CALLBACKS) {
            return Some((&self.callbacks, address()));
        }
        if is_attempt {
            return Some((&self.sign_in, address()));
        }
        Some(match identity {
            Identity::Known(principal) => (self.of(principal.tokens()), principal.id()),
            // Without a valid token, the limit of the mobile API applies, per network address.
            Identity::Unknown | Identity::Refused | Identity::Unanswered => (self.of(TokenAudience::Mobile), address()),
        })
    }

    /// Returns the limit for callers with these tokens. A test checks that each kind of token has a limit, so the
    /// fallback to the strictest limit is never used.
    fn of(&self, tokens: TokenAudience) -> &Limit {
        let known = self.callers.iter().find(|(of, _)| *of == tokens);
        known.map_or(&self.sign_in, |(_, limit)| limit)
    }
}
