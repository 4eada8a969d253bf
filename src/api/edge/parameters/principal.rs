//! The callers of the API. [`crate::api::edge::middleware::identify`] reads them from access tokens; operations take
//! them as arguments ([`crate::api::edge::parameters::security`]).

use std::str::FromStr;
use std::time::Duration;

use poem::Request;

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::auth::tokens::{Claims, TokenAudience};
use crate::domain::item::AgencyCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{ClientId, OfficerId, PersonId, SessionId};
use crate::domain::people::acting::Acting;
use crate::domain::people::staff::{Role, SignInStep};

/// A person who signed in on the mobile API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub session: SessionId,
    /// When the token expires.
    pub until: Instant,
}

impl Person {
    /// Returns on whose behalf the person acts: always their own. Mandates, by which one person can act for another, do
    /// not exist yet.
    pub const fn acting(&self) -> Acting<PersonId> {
        Acting::own(self.id)
    }
}

/// An officer who signed in on the staff API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Officer {
    pub id: OfficerId,
    pub session: SessionId,
    pub agency: AgencyCode,
    pub role: Role,
    /// What the officer must do before anything else. A token does not say it.
    pub next_step: Option<SignInStep>,
}

impl Officer {
    /// Fails if the officer must first complete the account.
    pub fn require_complete(&self) -> Result<(), Problem> {
        match self.next_step {
            None => Ok(()),
            Some(SignInStep::ChangePassword) => Err(Problem::new(Code::PasswordChangeRequired)),
            Some(SignInStep::EnrolSecondFactor) => Err(Problem::new(Code::SecondFactorMissing)),
        }
    }
}

/// An officer with the role operator, who manages jobs and gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator(pub Officer);

/// A back-office system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: ClientId,
    pub scopes: Vec<String>,
}

impl Client {
    /// Fails with `forbidden` if the client does not have the scope. The response names the scope.
    pub fn require_scope(&self, scope: &str) -> Result<(), Problem> {
        if self.scopes.iter().any(|have| have == scope) {
            return Ok(());
        }
        Err(Problem::insufficient_scope().detail(format!("需要权限 {scope}"), format!("The scope {scope} is needed")))
    }
}

/// The caller in an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    Person(Person),
    Officer(Officer),
    Client(Client),
}

impl Principal {
    /// The caller's id. Its prefix shows the kind of caller: `per_…`.
    pub fn id(&self) -> String {
        match self {
            Self::Person(person) => person.id.to_string(),
            Self::Officer(officer) => officer.id.to_string(),
            Self::Client(client) => client.id.to_string(),
        }
    }

    /// The audience of the caller's tokens.
    pub const fn tokens(&self) -> TokenAudience {
        match self {
            Self::Person(_) => TokenAudience::Mobile,
            Self::Officer(_) => TokenAudience::Staff,
            Self::Client(_) => TokenAudience::Integration,
        }
    }

    /// Reads the caller from the claims of a verified token; `None` if a claim is missing or malformed.
    pub fn read(claims: &Claims) -> Option<Self> {
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
                next_step: None,
            }),
            TokenAudience::Integration => {
                let scopes = claims.grant.scope.as_deref().unwrap_or_default();
                Self::Client(Client { id: id(claims)?, scopes: scopes.split_whitespace().map(str::to_owned).collect() })
            }
        })
    }
}

/// The result of reading a request's `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The request has no token.
    Unknown,
    /// The token is not valid.
    Refused,
    /// The token belongs to an officer who cannot be looked up, because the database is unavailable.
    Unanswered,
    Known(Principal),
}

impl Identity {
    /// Returns the identity that [`crate::api::edge::middleware::identify`] attached to a request.
    pub fn of(request: &Request) -> &Self {
        request.data().unwrap_or(&Self::Unknown)
    }

    pub const fn kind(&self) -> CallerKind {
        CallerKind(match self {
            Self::Unknown => "nobody",
            Self::Refused => "refused",
            Self::Known(Principal::Person(_)) => "person",
            Self::Unanswered | Self::Known(Principal::Officer(_)) => "officer",
            Self::Known(Principal::Client(_)) => "client",
        })
    }

    /// Returns the caller. Fails if the token is missing or invalid, or if the officer cannot be looked up.
    pub fn demand(&self) -> Result<&Principal, Problem> {
        match self {
            Self::Known(principal) => Ok(principal),
            Self::Refused => Err(Problem::wrong_token()),
            Self::Unanswered => Err(Problem::new(Code::Unavailable).retry_after(Duration::from_secs(1))),
            Self::Unknown => Err(Problem::new(Code::Unauthenticated)),
        }
    }
}

/// The kind of caller, for the log. The log does not contain the caller's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallerKind(pub &'static str);

impl Default for CallerKind {
    /// The kind for a request that is refused before its token is read.
    fn default() -> Self {
        Identity::Unknown.kind()
    }
}
