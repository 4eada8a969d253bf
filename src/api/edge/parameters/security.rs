//! The caller that an operation serves is an argument of the operation: [`Person`], [`Officer`], [`Operator`] or
//! [`Client`] demand a token, [`Anyone`] and [`SignInAttempt`] do not. The documents and the rate limiter read it from
//! there. An operation that names no caller breaks a rule of the documents.

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaOperation, MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::principal::{Client, Identity, Officer, Operator, Person, Principal};
use crate::domain::people::staff::Role;

/// Marks an operation that needs no token. Its ordinary limit is that of a phone.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

/// Marks an operation by which callers sign in, or prove an identity: it counts by network address against the limit
/// for attempts to sign in. It needs no token, unless another argument demands one.
#[derive(Debug, Clone, Copy)]
pub struct SignInAttempt;

/// The names of the two marks among the security schemes of an operation. They are in no finished document.
pub const MARKS: [&str; 2] = ["anyone", ATTEMPT];
const ATTEMPT: &str = "sign_in_attempt";

pub fn is_sign_in_attempt(operation: &MetaOperation) -> bool {
    operation.security.iter().any(|schemes| schemes.contains_key(ATTEMPT))
}

macro_rules! marks {
    ($($mark:ident, $name:expr;)*) => {$(
        impl<'a> ApiExtractor<'a> for $mark {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn security_schemes() -> Vec<&'static str> {
                vec![$name]
            }

            async fn from_request(_: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
                Ok(Self)
            }
        }
    )*};
}

marks! {
    Anyone, MARKS[0];
    SignInAttempt, ATTEMPT;
}

/// A security scheme of the documents: its type, name and description, and how to tell this caller from others.
macro_rules! schemes {
    ($($caller:ident, $name:literal, $about:literal, $pick:expr;)*) => {$(
        impl<'a> ApiExtractor<'a> for $caller {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                registry.create_security_scheme($name, bearer_scheme($about));
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$name]
            }

            async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
                let pick: fn(&Principal) -> Result<Self, Problem> = $pick;
                Ok(pick(Identity::of(request).demand()?)?)
            }
        }
    )*};
}

schemes! {
    Person, "person", "申请人的访问令牌。 The access token of a person.", |principal| match principal {
        Principal::Person(person) => Ok(person.clone()),
        _ => Err(Problem::wrong_token()),
    };
    Officer, "officer", "审批人员的访问令牌。 The access token of an officer.", |principal| match principal {
        Principal::Officer(officer) => Ok(officer.clone()),
        _ => Err(Problem::wrong_token()),
    };
    Operator, "operator", "运维人员的访问令牌。 The access token of an officer with the role operator.", |principal| match principal {
        Principal::Officer(officer) if officer.role == Role::Operator => Ok(Self(officer.clone())),
        Principal::Officer(_) => Err(Problem::insufficient_scope()),
        _ => Err(Problem::wrong_token()),
    };
    Client, "client", "后台系统的访问令牌。 The access token of a back-office system.", |principal| match principal {
        Principal::Client(client) => Ok(client.clone()),
        _ => Err(Problem::wrong_token()),
    };
}

const fn bearer_scheme(about: &'static str) -> MetaSecurityScheme {
    MetaSecurityScheme {
        ty: "http",
        description: Some(about),
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: Some("JWT"),
        flows: None,
        openid_connect_url: None,
    }
}
