//! Identifies the caller: verifies the access token of a request, and attaches an [`Identity`] to the request.
//!
//! The session may have ended since the token was signed, and an officer's agency and role may have changed, so
//! [`SessionLookup`] tells how they are now.

use std::sync::Arc;

use async_trait::async_trait;
use poem::http::header;
use poem::{Request, Response, Result};

use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::parameters::principal::{Identity, Officer, Principal};
use crate::auth::tokens::{TokenAudience, Tokens};
use crate::casework::people::People;
use crate::casework::read_models::StoreError;
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::ids::SessionId;

#[async_trait]
pub trait SessionLookup: Send + Sync {
    /// True if a person's session has ended.
    fn is_over(&self, session: SessionId) -> bool;

    /// Returns the officer `named` in a verified token, with their current agency and role. Returns `None` if the
    /// session has ended or the account is closed.
    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError>;
}

#[async_trait]
impl SessionLookup for People {
    fn is_over(&self, session: SessionId) -> bool {
        self.ended_sessions.contains(session)
    }

    async fn officer(&self, named: &Officer) -> Result<Option<Officer>, StoreError> {
        let found = self.known().officer(named.session).await?.filter(|found| found.id == named.id);
        Ok(found.map(|found| Officer {
            agency: found.agency.clone(),
            role: found.role,
            next_step: found.next_step(&self.staff_rules),
            ..named.clone()
        }))
    }
}

#[derive(Clone)]
pub struct Identify {
    pub tokens: Tokens,
    pub sessions: Arc<dyn SessionLookup>,
    pub clock: Clock,
}

impl Identify {
    async fn identify(&self, request: &Request) -> Identity {
        match self.claimed(request) {
            Identity::Known(Principal::Person(person)) if self.sessions.is_over(person.session) => Identity::Refused,
            Identity::Known(Principal::Officer(named)) => match self.sessions.officer(&named).await {
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

    /// Verifies the access token and reads the caller from it. The current agency and role of an officer are not looked
    /// up yet.
    fn claimed(&self, request: &Request) -> Identity {
        let Some(header) = request.headers().get(header::AUTHORIZATION) else { return Identity::Unknown };
        let token = header.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let claims = token.and_then(|token| self.tokens.verify(token, &TokenAudience::ALL, self.clock.now()).ok());
        claims.and_then(|claims| Principal::read(&claims)).map_or(Identity::Refused, Identity::Known)
    }
}

impl Layer for Identify {
    async fn answer(&self, mut request: Request, inner: &impl Inner) -> Result<Response> {
        let identity = self.identify(&request).await;
        let kind = identity.kind();
        request.set_data(identity);
        let mut response = inner.call(request).await?;
        response.set_data(kind);
        Ok(response)
    }
}
