//! Budgets of what costs money and can be asked for by strangers: sign-in codes and identity checks. A budget has a part for
//! each network and a sum for the installation, both shared by all processes ([`Quotas`]).
//!
//! A network is a /24 of IPv4 or a /48 of IPv6, because an attacker with one address can usually have all of these.

use std::time::Duration;

use poem::http::Method;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::limits::gcra::RatePolicy;
use crate::api::edge::limits::quotas::Quotas;
use crate::domain::kernel::network::CallerAddress;
use crate::env::Env;
use crate::metrics::budgets::{self, Paid};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The caller under which the sum of the installation is counted.
const ALL: &str = "all";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budgets {
    codes: Budget,
    checks: Budget,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Budget {
    paid: Paid,
    of_ipv4: RatePolicy,
    of_ipv6: RatePolicy,
    of_day: RatePolicy,
}

impl Budgets {
    /// Reads all settings, even after an invalid one, so that the operator sees every fault at once.
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let codes_ipv4 = env.or(
            "SONGDA_CODES_PER_IPV4_NETWORK",
            "30",
            "Sign-in codes per hour that one IPv4 network (/24) can ask for",
        );
        let codes_ipv6 = env.or(
            "SONGDA_CODES_PER_IPV6_NETWORK",
            "300",
            "Sign-in codes per hour that one IPv6 network (/48) can ask for",
        );
        let codes = env.or("SONGDA_CODES_PER_DAY", "20000", "Sign-in codes per day that the installation pays for");
        let checks_ipv4 = env.or(
            "SONGDA_IDENTITY_CHECKS_PER_IPV4_NETWORK",
            "30",
            "Identity checks per hour that one IPv4 network (/24) can ask for",
        );
        let checks_ipv6 = env.or(
            "SONGDA_IDENTITY_CHECKS_PER_IPV6_NETWORK",
            "300",
            "Identity checks per hour that one IPv6 network (/48) can ask for",
        );
        let checks =
            env.or("SONGDA_IDENTITY_CHECKS_PER_DAY", "20000", "Identity checks per day that the installation pays for");
        let policy = |name, quota, window| RatePolicy { name, quota, window };
        Some(Self {
            codes: Budget {
                paid: Paid::SignInCodes,
                of_ipv4: policy("codes-24", codes_ipv4?, HOUR),
                of_ipv6: policy("codes-48", codes_ipv6?, HOUR),
                of_day: policy("codes-day", codes?, DAY),
            },
            checks: Budget {
                paid: Paid::IdentityChecks,
                of_ipv4: policy("checks-24", checks_ipv4?, HOUR),
                of_ipv6: policy("checks-48", checks_ipv6?, HOUR),
                of_day: policy("checks-day", checks?, DAY),
            },
        })
    }

    /// Counts a request against its budget, if it has one. `route` is the path as the documents write it. Fails if the
    /// caller's network or the installation has used the budget up.
    ///
    /// The network is asked first, so that a network without a budget takes nothing from the others.
    pub async fn take(
        &self,
        quotas: &Quotas,
        method: &Method,
        route: &str,
        address: Option<CallerAddress>,
    ) -> Result<(), Problem> {
        let Some(budget) = self.of(method, route) else { return Ok(()) };
        if let Some(address) = address {
            let policy = if address.ip().is_ipv4() { &budget.of_ipv4 } else { &budget.of_ipv6 };
            let decision = quotas.take(policy, &address.network(24, 48).to_string()).await;
            if !decision.allowed {
                return Err(budget.spent_by_network().retry_after(decision.next_in));
            }
        }
        let decision = quotas.take(&budget.of_day, ALL).await;
        budgets::left(budget.paid, decision.remaining, budget.of_day.quota);
        if decision.allowed { Ok(()) } else { Err(budget.spent_by_all().retry_after(decision.next_in)) }
    }

    fn of(&self, method: &Method, route: &str) -> Option<&Budget> {
        match (method, route) {
            (&Method::POST, "/v1/login-codes") => Some(&self.codes),
            (&Method::PUT, "/v1/me/identity") => Some(&self.checks),
            _ => None,
        }
    }
}

impl Budget {
    fn spent_by_network(&self) -> Problem {
        let problem = Problem::new(Code::TooManyRequests);
        match self.paid {
            Paid::SignInCodes => problem.detail(
                "您所在网络获取验证码过多。请稍后再试、换用其他网络，或用微信登录",
                "Your network asked for too many codes. Try later, from another network, or sign in with WeChat",
            ),
            Paid::IdentityChecks => problem.detail(
                "您所在网络实名认证过多。请稍后再试，或换用其他网络",
                "Your network asked for too many identity checks. Try later, or from another network",
            ),
        }
    }

    fn spent_by_all(&self) -> Problem {
        let problem = Problem::new(Code::TooManyRequests);
        match self.paid {
            Paid::SignInCodes => problem.detail(
                "今日验证码已达上限。请用微信登录，或稍后再试",
                "Today's codes are used up. Sign in with WeChat, or try later",
            ),
            Paid::IdentityChecks => {
                problem.detail("今日实名认证已达上限，请稍后再试", "Today's identity checks are used up; try later")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::pages::route_table;

    #[test]
    fn each_budget_belongs_to_a_route_that_exists() {
        let budgets = Budgets::from_env(&mut Env::default()).unwrap();
        let routes = route_table();
        for (method, path) in [(Method::POST, "/v1/login-codes"), (Method::PUT, "/v1/me/identity")] {
            let route = routes.route(path).unwrap();
            assert!(budgets.of(&method, route.name()).is_some(), "{path}");
            assert!(routes.is_sign_in_attempt(&method, path), "{path}");
        }
        assert!(budgets.of(&Method::GET, "/v1/me").is_none());
    }
}
