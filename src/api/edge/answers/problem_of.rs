//! Problems that do not follow from an operation's shape. Most do ([`crate::api::edge::openapi`]): a body may be wrong,
//! an id may name nothing. That the operation calls a gateway while the caller waits does not show, for example. Such
//! an operation names the source of these problems in its return type: `Result<Opened, ProblemOf<WechatSignInError>>`.

use std::marker::PhantomData;

use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;

/// A source of problems, mostly the error of a use case.
pub trait Brings {
    /// The problems that do not follow from the shapes of its operations.
    const CODES: &'static [Code];
}

/// A [`Problem`] of an operation with further problems from `E`.
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
