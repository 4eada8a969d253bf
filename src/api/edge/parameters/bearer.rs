//! Who asks: the access token of a request is verified once ([`Identify`]), and each operation names in its signature
//! whom it serves: [`Person`], [`Officer`], [`Operator`] or [`Client`]. An operation without one of them is open.
//!
//! Of an officer the token says only who signed in. Whether they still may, for which agency and in which role, the record
//! says ([`Desks`]).

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use poem::http::{HeaderValue, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, RequestBody, Response, Result};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::auth::tokens::{Claims, TokenAudience, Tokens};
use crate::casework::people::People;
use crate::casework::read_models::StoreError;
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::{Clock, Instant};
use crate::domain::kernel::ids::{ClientId, OfficerId, PersonId, SessionId};
use crate::domain::kernel::text::Bilingual;
use crate::domain::people::acting::Acting;
use crate::domain::people::staff::Role;

/// A person who signed in on the mobile API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// By which sign-in.
    pub session: SessionId,
    /// When their token ends.
    pub until: Instant,
}

impl Person {
    /// The person acts for themselves: nobody can act for another yet.
    #[must_use]
    pub const fn acting(&self) -> Acting<PersonId> {
        Acting::own(self.id)
    }
}

/// An officer who signed in on the staff API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    /// Who.
    pub id: OfficerId,
    /// By which sign-in.
    pub session: SessionId,
    /// Their agency.
    pub agency: AgencyCode,
    /// What they may do.
    pub role: Role,
}

/// An officer who looks after jobs and gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator(pub Officer);

/// A back-office system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Which.
    pub id: ClientId,
    /// What it may do.
    pub scopes: Vec<String>,
}

impl Client {
    /// Goes on only with a scope.
    ///
    /// # Errors
    /// `forbidden`, naming the scope that is missing.
    pub fn require_scope(&self, scope: &str) -> Result<(), Problem> {
        if self.scopes.iter().any(|have| have == scope) {
            return Ok(());
        }
        Err(insufficient().detail(Bilingual::new(format!("需要权限 {scope}"), format!("The scope {scope} is needed"))))
    }
}

/// Whoever a token named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// A person.
    Person(Person),
    /// An officer.
    Officer(Officer),
    /// A back-office system.
    Client(Client),
}

impl Principal {
    /// Its id, which says its kind by its prefix.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Person(person) => person.id.to_string(),
            Self::Officer(officer) => officer.id.to_string(),
            Self::Client(client) => client.id.to_string(),
        }
    }

    fn read(claims: &Claims) -> Option<Self> {
        fn id<I: FromStr>(claims: &Claims) -> Option<I> {
            claims.sub.parse().ok()
        }
        let audience = TokenAudience::ALL.into_iter().find(|audience| audience.as_str() == claims.aud)?;
        Some(match audience {
            TokenAudience::Mobile => Self::Person(Person {
                id: id(claims)?,
                session: claims.grant.sid?,
                until: Instant::from_timestamp(claims.exp, 0)?,
            }),
            TokenAudience::Staff => Self::Officer(Officer {
                id: id(claims)?,
                session: claims.grant.sid?,
                agency: AgencyCode::new(claims.grant.agency.clone()?),
                role: claims.grant.role.as_ref()?.parse().ok()?,
            }),
            TokenAudience::Integration => {
                let scopes = claims.grant.scope.as_deref().unwrap_or_default();
                Self::Client(Client { id: id(claims)?, scopes: scopes.split_whitespace().map(str::to_owned).collect() })
            }
        })
    }
}

/// Knows who sits at a desk.
#[async_trait]
pub trait Desks: Send + Sync {
    /// The officer whom a token names, as they are now; `None` where the sign-in ended, or the account was closed.
    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError>;
}

#[async_trait]
impl Desks for People {
    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError> {
        let found = self.known().officer(named.session).await?.filter(|found| found.id == named.id);
        Ok(found.map(|found| Officer { agency: found.agency.clone(), role: found.role, ..named.clone() }))
    }
}

/// What became of a request's `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// There was none.
    Unknown,
    /// It held no valid token.
    Refused,
    /// It named an officer, of whom the record cannot be asked now.
    Unanswered,
    /// It named someone.
    Known(Principal),
}

impl Identity {
    /// Who, as [`Identify`] found out.
    #[must_use]
    pub fn of(request: &Request) -> &Self {
        request.data().unwrap_or(&Self::Unknown)
    }

    /// What kind of caller it is.
    const fn kind(&self) -> CallerKind {
        CallerKind(match self {
            Self::Unknown => "nobody",
            Self::Refused => "refused",
            Self::Known(Principal::Person(_)) => "person",
            Self::Unanswered | Self::Known(Principal::Officer(_)) => "officer",
            Self::Known(Principal::Client(_)) => "client",
        })
    }

    fn demand(&self) -> Result<&Principal, Problem> {
        match self {
            Self::Known(principal) => Ok(principal),
            Self::Refused => Err(wrong_token()),
            Self::Unanswered => Err(Problem::new(Code::Unavailable).retry_after(Duration::from_secs(1))),
            Self::Unknown => Err(Problem::new(Code::Unauthenticated)),
        }
    }
}

/// The kind of caller that an answer goes to, left with the answer for the log; who it is stays out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerKind(pub &'static str);

impl Default for CallerKind {
    /// Of a request that is answered before anybody asks for its token.
    fn default() -> Self {
        Identity::Unknown.kind()
    }
}

/// The token names nobody, or nobody any more.
pub(in crate::api::edge) fn wrong_token() -> Problem {
    const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda", error="invalid_token""#);
    Problem::new(Code::InvalidToken).header(header::WWW_AUTHENTICATE, CHALLENGE)
}

fn insufficient() -> Problem {
    const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda", error="insufficient_scope""#);
    Problem::new(Code::Forbidden).header(header::WWW_AUTHENTICATE, CHALLENGE)
}

/// The middleware: verifies the token, if there is one, and leaves an [`Identity`] with the request.
#[derive(Clone)]
pub struct Identify {
    /// With which keys.
    pub tokens: Tokens,
    /// Where officers are looked up.
    pub desks: Arc<dyn Desks>,
    /// At what time.
    pub clock: Clock,
}

impl Identify {
    async fn identify(&self, request: &Request) -> Identity {
        match self.claimed(request) {
            Identity::Known(Principal::Officer(named)) => match self.desks.officer(&named).await {
                Ok(Some(officer)) => Identity::Known(Principal::Officer(officer)),
                Ok(None) => Identity::Refused,
                Err(error) => {
                    tracing::warn!(%error, "an officer cannot be looked up");
                    Identity::Unanswered
                }
            },
            other => other,
        }
    }

    /// Who the token says it is.
    fn claimed(&self, request: &Request) -> Identity {
        let Some(header) = request.headers().get(header::AUTHORIZATION) else { return Identity::Unknown };
        let token = header.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let claims = token.and_then(|token| self.tokens.verify(token, &TokenAudience::ALL, self.clock.now()).ok());
        claims.and_then(|claims| Principal::read(&claims)).map_or(Identity::Refused, Identity::Known)
    }
}

impl<E: Endpoint> Middleware<E> for Identify {
    type Output = Identified<E>;

    fn transform(&self, inner: E) -> Identified<E> {
        Identified { inner, identify: self.clone() }
    }
}

/// See [`Identify`].
pub struct Identified<E> {
    inner: E,
    identify: Identify,
}

impl<E: Endpoint> Endpoint for Identified<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let identity = self.identify.identify(&request).await;
        let kind = identity.kind();
        request.set_data(identity);
        let mut response = self.inner.call(request).await?.into_response();
        response.set_data(kind);
        Ok(response)
    }
}

/// A security scheme of the documents: its type, its name there, what it is, and how it is told from others.
macro_rules! schemes {
    ($($who:ident, $name:literal, $about:literal, $pick:expr;)*) => {$(
        impl<'a> ApiExtractor<'a> for $who {
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
        _ => Err(wrong_token()),
    };
    Officer, "officer", "审批人员的访问令牌。 The access token of an officer.", |principal| match principal {
        Principal::Officer(officer) => Ok(officer.clone()),
        _ => Err(wrong_token()),
    };
    Operator, "operator", "运维人员的访问令牌。 The access token of an officer with the role operator.", |principal| match principal {
        Principal::Officer(officer) if officer.role == Role::Operator => Ok(Self(officer.clone())),
        Principal::Officer(_) => Err(insufficient()),
        _ => Err(wrong_token()),
    };
    Client, "client", "后台系统的访问令牌。 The access token of a back-office system.", |principal| match principal {
        Principal::Client(client) => Ok(client.clone()),
        _ => Err(wrong_token()),
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
