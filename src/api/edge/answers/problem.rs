//! The error type of every handler: a problem response (RFC 9457). A handler names the [`Code`] and adds details for
//! the caller. [`crate::api::edge::middleware::catch_all`] renders the problem in the caller's language.

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
use crate::api::edge::current::Current;
use crate::casework::read_models::StoreError;
use crate::domain::kernel::text::{Bilingual, Language};

pub const PROBLEM_JSON: &str = "application/problem+json";

/// One validation fault in the body of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The place of the fault, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// The kind of fault, for machines: `required`, `too_long`, …
    pub code: Cow<'static, str>,
    /// The message for people, in both languages.
    pub message: Bilingual,
}

impl FieldError {
    pub fn new(pointer: impl Into<String>, code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), message: Bilingual::new(zh, en) }
    }
}

/// An error that becomes a problem response (RFC 9457).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.code)]
pub struct Problem(Box<ProblemParts>);

#[derive(Debug, Clone)]
struct ProblemParts {
    code: Code,
    detail: Option<Bilingual>,
    errors: Vec<FieldError>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Problem {
    pub fn new(code: Code) -> Self {
        Self(Box::new(ProblemParts {
            code,
            detail: None,
            errors: vec![],
            retry_after: None,
            headers: vec![],
            cause: None,
        }))
    }

    /// Creates a 422 problem with the faults of the body.
    pub fn invalid(errors: impl IntoIterator<Item = FieldError>) -> Self {
        Self::new(Code::InvalidBody).errors(errors.into_iter().collect())
    }

    /// Creates a 500 problem. The cause is logged with the request's id, and never sent to the caller.
    pub fn internal(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(Code::Internal).cause(cause)
    }

    /// Creates a 503 problem, for the failure of a service that this server depends on. The cause is logged, and never
    /// sent to the caller.
    pub fn unavailable(cause: impl StdError + Send + Sync + 'static) -> Self {
        const SOON: Duration = Duration::from_secs(1);
        Self::new(Code::Unavailable).retry_after(SOON).cause(cause)
    }

    /// Creates a 401 problem: the access token is not valid, or its account no longer exists.
    pub fn wrong_token() -> Self {
        const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda", error="invalid_token""#);
        Self::new(Code::InvalidToken).header(header::WWW_AUTHENTICATE, CHALLENGE)
    }

    /// Creates a 403 problem: the access token is valid, but does not allow this operation.
    pub fn insufficient_scope() -> Self {
        const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda", error="insufficient_scope""#);
        Self::new(Code::Forbidden).header(header::WWW_AUTHENTICATE, CHALLENGE)
    }

    /// Adds an explanation for people, in both languages. It must not contain personal data or internals.
    #[must_use]
    pub fn detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.detail = Some(Bilingual::new(zh, en));
        self
    }

    #[must_use]
    pub fn errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Prefixes the pointer of every fault with `row`, the JSON pointer of the faulty row in the body of a batch.
    #[must_use]
    pub fn below(mut self, row: &str) -> Self {
        for error in &mut self.0.errors {
            error.pointer.insert_str(0, row);
        }
        self
    }

    /// Sets `Retry-After`. The time is rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    pub fn has_header(&self, name: &HeaderName) -> bool {
        self.0.headers.iter().any(|(have, _)| have == name)
    }

    /// Adds the cause, which is logged, and never sent to the caller.
    #[must_use]
    pub fn cause(mut self, cause: impl StdError + Send + Sync + 'static) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    pub const fn code(&self) -> Code {
        self.0.code
    }

    /// Renders the JSON body in the caller's language. The response to a batch contains one such body per refused row.
    pub fn body(&self, current: &Current) -> ProblemBody {
        let code = self.0.code;
        let language = current.language;
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

    /// Renders the whole response in the caller's language.
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

    /// Logs the problem if the server is at fault (5xx). Call it once per response.
    pub fn log(&self, current: &Current) {
        if self.0.code.status().is_server_error() {
            tracing::error!(request.id = %current.id, code = %self.0.code, cause = %Chain(self.0.cause.as_deref()), "request failed");
        }
    }
}

fn whole_seconds(after: Duration) -> u64 {
    after.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

/// Displays an error and its causes on one line.
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

/// 问题。 The body of an error response (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "Problem", skip_serializing_if_is_none, skip_serializing_if_is_empty)]
pub struct ProblemBody {
    /// The kind of problem, as a URL relative to this server. It never changes.
    #[oai(rename = "type")]
    pub kind: String,
    /// The kind of problem in the reader's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong in this request, in the reader's language.
    pub detail: Option<String>,
    /// The kind of problem, for programs. It never changes.
    pub code: String,
    /// The request's id, as in the server's logs.
    pub request_id: String,
    /// Seconds to wait before trying again.
    pub retry_after: Option<u64>,
    /// Every fault in the body of the request; absent if the problem is not in that body.
    #[oai(default)]
    pub errors: Vec<FieldErrorBody>,
}

/// 字段错误。 One fault in the body of a request.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(rename = "FieldError")]
pub struct FieldErrorBody {
    /// The faulty member, as a JSON pointer (RFC 6901) into the body of the request.
    pub pointer: String,
    /// The kind of fault, for programs: `required`, `too_long`, …
    pub code: String,
    /// The kind of fault in the reader's language.
    pub message: String,
}

impl FieldErrorBody {
    pub fn of(error: &FieldError, language: Language) -> Self {
        Self {
            pointer: error.pointer.clone(),
            code: error.code.to_string(),
            message: error.message.get(language).to_owned(),
        }
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.0.code.status()
    }
}

impl ApiResponse for Problem {
    /// Returns no responses, because [`crate::api::edge::openapi`] derives the problems of an operation from its
    /// parameters.
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
            // The person's account was merged into another account a few minutes ago, and its token has not expired
            // yet.
            StoreError::Constraint(_) if error.names_missing_person() => Self::wrong_token(),
            StoreError::Constraint(_) | StoreError::Broken(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_has_the_readers_language_and_hides_its_cause() {
        let problem =
            Problem::internal(StoreError::Broken("secret place".into())).retry_after(Duration::from_millis(1));
        for (language, title) in [(Language::Chinese, "服务器内部错误"), (Language::English, "Internal error")] {
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
