//! The one error of every handler: a problem answer (RFC 9457).
//!
//! A handler says what went wrong ([`Code`]), and adds what helps the caller. Language, request id and the JSON come
//! last, where [`crate::api::edge::middleware::catch_all`] renders it; so a problem is the same value wherever it arises. Which problems an
//! operation can answer with is derived from its shape in [`crate::api::edge::openapi`]: hence the empty `meta` below.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use poem::error::ResponseError;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::ToJSON;
use poem_openapi::{ApiResponse, Object};

use crate::api::edge::answers::code::Code;
use crate::api::edge::middleware::request_id::Current;
use crate::api::edge::parameters::bearer::wrong_token;
use crate::casework::read_models::StoreError;
use crate::domain::kernel::text::{Bilingual, Language};

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// One fault in the request's body, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What, for machines: `required`, `too_long`, …
    pub code: Cow<'static, str>,
    /// What, for people.
    pub message: Bilingual,
}

impl FieldError {
    /// One fault.
    pub fn new(pointer: impl Into<String>, code: impl Into<Cow<'static, str>>, message: Bilingual) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message }
    }
}

/// A problem answer. Cloning shares its cause.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: Option<Bilingual>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Problem {
    /// A problem of this kind.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self(Box::new(Parts { code, detail: None, errors: vec![], retry_after: None, headers: vec![], cause: None }))
    }

    /// An internal failure: its cause is logged once, with the request's id, and never shown.
    pub fn internal(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(Code::Internal).cause(cause)
    }

    /// Something that we stand on is away for a moment: its cause is logged, and whoever asked may ask again soon.
    pub fn unavailable(cause: impl StdError + Send + Sync + 'static) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        Self::new(Code::Unavailable).retry_after(SOON).cause(cause)
    }

    /// Says what is special about this occurrence. Never put personal data or internals here.
    #[must_use]
    pub fn detail(mut self, detail: Bilingual) -> Self {
        self.0.detail = Some(detail);
        self
    }

    /// Lists every fault of the body.
    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Moves every fault of the body below a place: a row's faults below the row.
    #[must_use]
    pub fn below(mut self, place: &str) -> Self {
        for error in &mut self.0.errors {
            error.pointer.insert_str(0, place);
        }
        self
    }

    /// Says when to try again (`Retry-After`, in whole seconds, rounded up).
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Whether it brings a header already.
    #[must_use]
    pub fn has_header(&self, name: &HeaderName) -> bool {
        self.0.headers.iter().any(|(have, _)| have == name)
    }

    /// Keeps what lies beneath, for the log alone.
    #[must_use]
    pub fn cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// The kind of problem.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// The answer's body, in the language and with the id of a request. For rows of a batch as well.
    #[must_use]
    pub fn body(&self, current: &Current) -> ProblemBody {
        let (code, language) = (self.0.code, current.language);
        ProblemBody {
            kind: code.uri(),
            title: code.title(language).to_owned(),
            status: code.status().as_u16(),
            detail: self.0.detail.as_ref().map(|detail| detail.get(language).to_owned()),
            code: code.as_str().to_owned(),
            request_id: current.id.clone(),
            retry_after: self.0.retry_after.map(whole_seconds),
            errors: self.0.errors.iter().map(|error| FieldErrorBody::of(error, language)).collect(),
        }
    }

    /// The whole answer.
    #[must_use]
    pub fn render(&self, current: &Current) -> poem::Response {
        let mut response = poem::Response::builder()
            .status(self.0.code.status())
            .content_type(PROBLEM_JSON)
            .header(header::CONTENT_LANGUAGE, current.language.tag())
            .header(header::VARY, "Accept-Language")
            .header(header::CACHE_CONTROL, "no-store")
            .body(self.body(current).to_json_string());
        if let Some(after) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        response.headers_mut().extend(self.0.headers.iter().cloned());
        response
    }

    /// Logs what our side did wrong. Called once, at the boundary.
    pub fn log(&self, current: &Current) {
        if self.0.code.status().is_server_error() {
            tracing::error!(request.id = %current.id, code = %self.0.code, cause = %Chain(self.0.cause.as_deref()), "request failed");
        }
    }
}

fn whole_seconds(after: Duration) -> u64 {
    after.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// An error and everything beneath it, on one line.
struct Chain<'a>(Option<&'a (dyn StdError + Send + Sync + 'static)>);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0 else { return f.write_str("unknown") };
        write!(f, "{first}")?;
        let mut next = first.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}

/// A problem, as RFC 9457 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none, skip_serializing_if_is_empty)]
pub struct ProblemBody {
    /// The kind of problem, as a stable address relative to this server.
    #[oai(rename = "type")]
    pub kind: String,
    /// The kind of problem in the reader's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is special about this occurrence.
    pub detail: Option<String>,
    /// The kind of problem for machines. It never changes.
    pub code: String,
    /// The request, as our logs name it.
    pub request_id: String,
    /// Seconds to wait before trying again.
    pub retry_after: Option<u64>,
    /// Every fault of the body; absent where the body is not at fault.
    #[oai(default)]
    pub errors: Vec<FieldErrorBody>,
}

/// One fault of the body.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FieldError")]
pub struct FieldErrorBody {
    /// Where: a JSON pointer into the body.
    pub pointer: String,
    /// What, for machines.
    pub code: String,
    /// What, in the reader's language.
    pub message: String,
}

impl FieldErrorBody {
    /// A fault in the words of a language.
    #[must_use]
    pub fn of(error: &FieldError, language: Language) -> Self {
        Self {
            pointer: error.pointer.clone(),
            code: error.code.to_string(),
            message: error.message.get(language).to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.code)
    }
}

impl StdError for Problem {}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.0.code.status()
    }
}

impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![] }
    }

    fn register(_: &mut Registry) {}
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            // The token of an account that was joined to another outlives it by minutes.
            StoreError::Constraint(_) if error.is_of_nobody() => wrong_token(),
            StoreError::Constraint(_) | StoreError::Broken(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_speaks_the_readers_language_and_hides_its_cause() {
        let problem =
            Problem::internal(StoreError::Broken("secret place".into())).retry_after(Duration::from_millis(1));
        for (language, title) in
            [(Language::Chinese, "服务器内部错误"), (Language::English, "Something went wrong on our side")]
        {
            let current = Current::of_test(language);
            let response = problem.render(&current);
            assert_eq!(response.content_type(), Some(PROBLEM_JSON));
            assert_eq!(response.headers()["Retry-After"], "1");
            let body = response.into_body().into_string().await.unwrap();
            assert!(body.contains(title) && !body.contains("secret"), "{body}");
            assert!(body.contains(r#""type":"/problems/internal""#) && !body.contains("errors"), "{body}");
        }
    }
}
