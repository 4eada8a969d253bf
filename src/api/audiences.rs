//! The table of audiences. An audience is a group of callers with its own API: residents, back-office systems,
//! officers, operators. Each has a folder with its operations, and an entry in this table. The routes, the OpenAPI
//! documents, the methods in the `Allow` header and the rate-limit settings are derived from the table.
//!
//! If the callers of a new audience have a new kind of token, add a variant to [`TokenAudience`] and a type to
//! [`crate::api::edge::parameters::principal`].

use poem::IntoEndpoint;
use poem::endpoint::BoxEndpoint;
use poem_openapi::registry::MetaApi;
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use crate::api::edge::limits::policies::{CallerLimit, Policies};
use crate::api::edge::openapi::document::{About, document};
use crate::api::services::Services;
use crate::api::{integration, mobile, ops, staff};
use crate::auth::tokens::TokenAudience;
use crate::env::Env;

pub static AUDIENCES: [Audience; 4] = [
    Audience {
        prefix: "/v1",
        api: &mobile::api,
        about: mobile::ABOUT,
        limit: Some(CallerLimit {
            tokens: TokenAudience::Mobile,
            name: "mobile",
            setting: "SONGDA_RATE_MOBILE",
            default: "600",
            meaning: "Requests per minute of one person, or of one network address that is not signed in",
        }),
    },
    Audience {
        prefix: "/staff/v1",
        api: &staff::api,
        about: staff::ABOUT,
        limit: Some(CallerLimit {
            tokens: TokenAudience::Staff,
            name: "staff",
            setting: "SONGDA_RATE_STAFF",
            default: "1200",
            meaning: "Requests per minute of one officer",
        }),
    },
    Audience {
        prefix: "/integration/v1",
        api: &integration::api,
        about: integration::ABOUT,
        limit: Some(CallerLimit {
            tokens: TokenAudience::Integration,
            name: "integration",
            setting: "SONGDA_RATE_INTEGRATION",
            default: "60000",
            meaning: "Requests per minute of one back-office client",
        }),
    },
    // Operators sign in as officers. Their requests count against the rate limit of the staff API.
    Audience { prefix: "/ops/v1", api: &ops::api, about: ops::ABOUT, limit: None },
];

pub struct Audience {
    /// All paths of the audience begin with this text.
    pub prefix: &'static str,
    pub api: &'static dyn AudienceApi,
    pub about: About,
    /// The rate limit of the callers. `None` if they have the tokens of another audience, whose limit then applies.
    pub limit: Option<CallerLimit>,
}

/// The operations of one audience. The trait hides their Rust types, so that all audiences fit into one table.
pub trait AudienceApi: Sync {
    fn operations(&self) -> Vec<MetaApi>;

    /// Builds the OpenAPI document. If it breaks documentation rules, fails with the list of the broken rules.
    fn document(&self, about: &About) -> Result<Value, Vec<String>>;

    fn endpoint(&self, services: &Services, about: &About) -> BoxEndpoint<'static>;
}

impl<A: OpenApi + 'static, F: Fn(&Services) -> A + Sync> AudienceApi for F {
    fn operations(&self) -> Vec<MetaApi> {
        A::meta()
    }

    fn document(&self, about: &About) -> Result<Value, Vec<String>> {
        document::<A>(about)
    }

    fn endpoint(&self, services: &Services, about: &About) -> BoxEndpoint<'static> {
        OpenApiService::new(self(services), about.title, env!("CARGO_PKG_VERSION")).into_endpoint()
    }
}

pub fn rate_policies(env: &mut Env) -> Option<Policies> {
    Policies::from_env(env, AUDIENCES.iter().filter_map(|audience| audience.limit))
}

#[cfg(test)]
mod tests {
    use poem::http::Method;

    use super::*;
    use crate::api::edge::parameters::principal::{Identity, Person, Principal};
    use crate::api::edge::parameters::wire_ids::EXAMPLE;
    use crate::api::pages::route_table;
    use crate::domain::kernel::clock::Instant;
    use crate::domain::kernel::ids::{PersonId, SessionId};

    #[test]
    fn the_callers_of_every_token_have_one_limit() {
        let limits: Vec<CallerLimit> = AUDIENCES.iter().filter_map(|audience| audience.limit).collect();
        for tokens in TokenAudience::ALL {
            assert_eq!(limits.iter().filter(|limit| limit.tokens == tokens).count(), 1, "{tokens:?}");
        }
        assert_eq!(limits.len(), TokenAudience::ALL.len());
    }

    #[test]
    fn every_operation_is_below_the_prefix_of_its_audience() {
        for audience in &AUDIENCES {
            for path in audience.api.operations().into_iter().flat_map(|api| api.paths) {
                assert!(path.path.starts_with(&format!("{}/", audience.prefix)), "{}", path.path);
            }
        }
    }

    #[test]
    fn attempts_to_sign_in_count_by_address_and_health_checks_do_not_count() {
        let policies = rate_policies(&mut Env::default()).unwrap();
        let routes = route_table();
        let person = Identity::Known(Principal::Person(Person {
            id: PersonId::from_uuid(EXAMPLE),
            session: SessionId::from_uuid(EXAMPLE),
            until: Instant::default(),
        }));
        let chosen = |method, path, identity: &Identity| {
            let is_attempt = routes.is_sign_in_attempt(&method, path);
            policies
                .choose(path, is_attempt, identity, "1.2.3.4".parse().ok())
                .map(|(limit, caller)| (limit.policy.name, caller))
        };
        let by_address = || Some(("sign-in", "1.2.3.4/32".to_owned()));
        for (method, path) in [
            (Method::POST, "/v1/sessions/wechat"),
            (Method::POST, "/v1/sessions/sms"),
            (Method::POST, "/v1/login-codes"),
            (Method::PUT, "/v1/me/identity"),
            (Method::PUT, "/v1/me/phone"),
            (Method::PUT, "/v1/me/wechat"),
            (Method::POST, "/staff/v1/sessions"),
            (Method::POST, "/integration/v1/token"),
        ] {
            assert_eq!(chosen(method.clone(), path, &Identity::Unknown), by_address(), "{path}");
            assert_eq!(chosen(method, path, &person), by_address(), "{path}");
        }
        let name = |method, path, identity| chosen(method, path, identity).map(|(name, _)| name);
        assert_eq!(name(Method::GET, "/v1/me", &person), Some("mobile"));
        assert_eq!(name(Method::POST, "/v1/sessions/refresh", &Identity::Unknown), Some("mobile"));
        assert_eq!(name(Method::DELETE, "/v1/sessions", &person), Some("mobile"));
        assert_eq!(name(Method::GET, "/v1/items", &Identity::Unknown), Some("mobile"));
        assert_eq!(chosen(Method::POST, "/callbacks/sf/x", &person), Some(("callbacks", "1.2.3.4/32".to_owned())));
        assert_eq!(name(Method::GET, "/healthz", &Identity::Unknown), None);
    }
}
