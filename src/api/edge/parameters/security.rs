//! The caller of an operation, as an argument of the operation. [`Person`], [`Officer`], [`IncompleteOfficer`],
//! [`Operator`] and [`Client`] demand a token; [`Anyone`] and [`SignInAttempt`] do not. The OpenAPI documents and the rate limiter depend on this
//! argument, so [`crate::api::edge::openapi`] rejects an operation without it.

use poem::{Request, RequestBody, Result};
use poem_openapi::registry::{MetaOperation, MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::principal::{Client, Identity, Officer, Operator, Person, Principal};
use crate::domain::people::staff::Role;

/// Marks an operation that needs no token. Requests without a token have the rate limit of the mobile API.
#[derive(Debug, Clone, Copy)]
pub struct Anyone;

/// Marks an operation that signs a caller in, or proves an identity. Its requests have the stricter rate limit for
/// attempts to sign in, per network address. The operation needs no token, unless another argument demands one.
#[derive(Debug, Clone, Copy)]
pub struct SignInAttempt;

/// An officer who may still have to complete the account. Only the operations for the own account take one.
#[derive(Debug, Clone)]
pub struct IncompleteOfficer(pub Officer);

/// The names of [`Anyone`] and [`SignInAttempt`] as security schemes. They are removed from the finished OpenAPI
/// documents.
pub const MARKS: [&str; 2] = ["anyone", ATTEMPT];
const ATTEMPT: &str = "sign_in_attempt";

pub fn is_sign_in_attempt(operation: &MetaOperation) -> bool {
    operation.security.iter().any(|schemes| schemes.contains_key(ATTEMPT))
}

/// Implements each type as the caller of an operation. Each line of `callers!` names the type, its security scheme, the
/// description of its token in the OpenAPI documents (`None` if it needs no token), and the function that reads the
/// caller from a request.
macro_rules! callers {
    ($($caller:ident, $name:expr, $about:expr, $read:expr;)*) => {$(
        impl<'a> ApiExtractor<'a> for $caller {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                let about: Option<&'static str> = $about;
                if let Some(about) = about {
                    registry.create_security_scheme($name, bearer_scheme(about));
                }
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$name]
            }

            async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> Result<Self> {
                let read: fn(&Request) -> Result<Self, Problem> = $read;
                Ok(read(request)?)
            }
        }
    )*};
}

callers! {
    Anyone, MARKS[0], None, |_| Ok(Self);
    SignInAttempt, ATTEMPT, None, |_| Ok(Self);
    Person, "person", Some("申请人的访问令牌。 The access token of a person."), |request| match principal(request)? {
        Principal::Person(person) => Ok(person.clone()),
        _ => Err(Problem::wrong_token()),
    };
    Officer, "officer", Some("审批人员的访问令牌。 The access token of an officer."), |request| {
        let officer = officer(request)?;
        officer.require_complete()?;
        Ok(officer.clone())
    };
    IncompleteOfficer, "officer", Some("审批人员的访问令牌。 The access token of an officer."), |request| {
        Ok(Self(officer(request)?.clone()))
    };
    Operator, "operator", Some("运维人员的访问令牌。 The access token of an officer with the role operator."), |request| {
        let officer = officer(request)?;
        officer.require_complete()?;
        if officer.role != Role::Operator {
            return Err(Problem::insufficient_scope());
        }
        Ok(Self(officer.clone()))
    };
    Client, "client", Some("后台系统的访问令牌。 The access token of a back-office system."), |request| match principal(request)? {
        Principal::Client(client) => Ok(client.clone()),
        _ => Err(Problem::wrong_token()),
    };
}

fn officer(request: &Request) -> Result<&Officer, Problem> {
    match principal(request)? {
        Principal::Officer(officer) => Ok(officer),
        _ => Err(Problem::wrong_token()),
    }
}

fn principal(request: &Request) -> Result<&Principal, Problem> {
    Identity::of(request).demand()
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
