//! Responses that are stored before they are sent, so that a repeated request gets the first response
//! (`Idempotency-Key`, [`crate::casework::frame::idempotency`]).

use std::marker::PhantomData;
use std::time::Duration;

use poem::http::{HeaderName, HeaderValue};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::api::edge::answers::problem::Problem;
use crate::casework::frame::idempotency::{Given, IdempotencyError};

pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A response that was stored before it is sent. The OpenAPI documents describe it as an `R`.
#[derive(Debug)]
pub struct Answered<R> {
    given: Given,
    documented_as: PhantomData<fn() -> R>,
}

impl<R> From<Given> for Answered<R> {
    fn from(given: Given) -> Self {
        Self { given, documented_as: PhantomData }
    }
}

impl<R: ApiResponse> ApiResponse for Answered<R> {
    fn meta() -> MetaResponses {
        R::meta()
    }

    fn register(registry: &mut Registry) {
        R::register(registry);
    }
}

impl<R> IntoResponse for Answered<R> {
    fn into_response(self) -> Response {
        let mut response = HttpAnswer::from(self.given.answer).into_response();
        if self.given.replayed {
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl From<IdempotencyError> for Problem {
    fn from(error: IdempotencyError) -> Self {
        match error {
            IdempotencyError::InProgress => Self::new(Code::RequestInProgress).retry_after(Duration::from_secs(1)),
            IdempotencyError::Mismatch => Self::new(Code::IdempotencyKeyReused),
            IdempotencyError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casework::frame::idempotency::Answer;
    use serde_json::json;

    #[test]
    fn a_repeated_answer_differs_in_one_header() {
        let answer = Answer::from(HttpAnswer::new(201, json!({ "id": "case_1" })).header("ETag", "\"1\""));
        let give = |replayed| Answered::<()>::from(Given { answer: answer.clone(), replayed }).into_response();
        let first = give(false);
        let again = give(true);
        assert_eq!((first.status(), first.header("ETag")), (again.status(), Some("\"1\"")));
        assert!(first.header("Idempotent-Replayed").is_none());
        assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    }
}
