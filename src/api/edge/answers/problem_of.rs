//! Problems that an operation's shape does not tell. Most follow from it ([`crate::api::edge::openapi`]): a body may be wrong, an id
//! may name nothing. That a gateway is asked while the caller waits does not; so such an operation names, in its return
//! type, what brings them: `Result<Opened, ProblemOf<WechatSignInError>>`.

use std::marker::PhantomData;

use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;

/// What brings problems of its own to an operation: mostly the error of its use case.
pub trait Brings {
    /// Those that the shapes of its operations do not tell.
    const CODES: &'static [Code];
}

/// A [`Problem`] of an operation to which `E` brings some of its own.
#[derive(Debug)]
pub struct ProblemOf<E>(Problem, PhantomData<fn() -> E>);

impl<E, F: Into<Problem>> From<F> for ProblemOf<E> {
    fn from(fault: F) -> Self {
        Self(fault.into(), PhantomData)
    }
}

impl<E> From<ProblemOf<E>> for poem::Error {
    fn from(problem: ProblemOf<E>) -> Self {
        problem.0.into()
    }
}

impl<E: Brings> ApiResponse for ProblemOf<E> {
    fn meta() -> MetaResponses {
        let response = |code: &Code| MetaResponse {
            description: "",
            status: Some(code.status().as_u16()),
            status_range: None,
            content: vec![],
            headers: vec![],
        };
        MetaResponses { responses: E::CODES.iter().map(response).collect() }
    }

    fn register(_: &mut Registry) {}
}
