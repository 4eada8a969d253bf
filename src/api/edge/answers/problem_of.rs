//! Problems (error responses) that [`crate::api::edge::openapi`] cannot derive from an operation's parameters, for
//! example the failure of a gateway. An operation with such problems names the error of the use case in its return
//! type: `Result<Opened, ProblemOf<WechatCodeError>>`.

use std::marker::PhantomData;

use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;

/// Implemented by the errors of use cases. `CODES` lists the problems that the OpenAPI document then shows for each
/// operation whose return type names this error.
pub trait Brings {
    const CODES: &'static [Code];
}

/// A [`Problem`] in the return type of an operation. The OpenAPI document then also lists the codes of `E` for this
/// operation.
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
