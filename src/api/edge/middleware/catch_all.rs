//! Turns whatever goes wrong beneath it into a problem answer: problems of handlers, every refusal of the framework
//! (no such route, wrong method, bad parameter, wrong media type, missing token), and panics. Nothing outside it fails.
//!
//! The framework's own texts are dropped: they repeat the caller's input, and name path parameters `param0`.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError as UndecodablePath};
use poem::http::{HeaderValue, header};
use poem::{Endpoint, Error, IntoResponse, Middleware, Request, Response, Result};
use poem_openapi::OperationId;
use poem_openapi::error::{
    ContentTypeError, ParseMultipartError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::allowed::Allowed;
use crate::api::edge::middleware::request_id::current_request;
use crate::domain::kernel::text::Bilingual;

/// The middleware.
#[derive(Clone)]
pub struct CatchAll {
    /// Which methods each address answers to, for 405.
    pub allowed: Arc<Allowed>,
}

impl<E: Endpoint> Middleware<E> for CatchAll {
    type Output = Caught<E>;

    fn transform(&self, inner: E) -> Caught<E> {
        Caught { inner, allowed: Arc::clone(&self.allowed) }
    }
}

/// See [`CatchAll`].
pub struct Caught<E> {
    inner: E,
    allowed: Arc<Allowed>,
}

impl<E: Endpoint> Endpoint for Caught<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path().to_owned();
        let (problem, operation) = match AssertUnwindSafe(self.inner.call(request)).catch_unwind().await {
            Ok(Ok(response)) => return Ok(response.into_response()),
            Ok(Err(error)) if error.is_from_response() => return Ok(error.into_response()),
            Ok(Err(error)) => (problem_of(&error), error.data::<OperationId>().copied()),
            Err(panic) => (Problem::internal(Panicked::of(panic.as_ref())), None),
        };
        let problem = self.complete(problem, &path);
        let current = current_request();
        problem.log(&current);
        let mut response = problem.render(&current);
        if let Some(operation) = operation {
            response.set_data(operation); // The label of the operation's metrics would be lost otherwise.
        }
        Ok(response)
    }
}

impl<E> Caught<E> {
    /// Adds the headers that RFC 9110 demands with a status.
    fn complete(&self, problem: Problem, path: &str) -> Problem {
        const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda""#);
        match problem.code().status().as_u16() {
            401 if !problem.has_header(&header::WWW_AUTHENTICATE) => {
                problem.header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            405 => match self.allowed.at(path) {
                Some(methods) => problem.header(header::ALLOW, methods),
                None => problem,
            },
            _ => problem,
        }
    }
}

fn problem_of(error: &Error) -> Problem {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(error) = error.downcast_ref::<ParseParamError>() {
        return Problem::new(Code::InvalidParameter).detail(Bilingual::new(
            format!("参数 {} 不正确", error.name),
            format!("The parameter {} is not valid", error.name),
        ));
    }
    if error.is::<ParsePathError>() || error.is::<UndecodablePath>() {
        return Problem::new(Code::NotFound).detail(Bilingual::new(
            "地址中的编号格式不正确",
            "What stands in the address is not an id of this kind: see its pattern in the document",
        ));
    }
    if matches!(error.downcast_ref::<ContentTypeError>(), Some(ContentTypeError::ExpectContentType)) {
        return Problem::new(Code::UnsupportedMediaType)
            .detail(Bilingual::new("缺少 Content-Type 请求头", "The Content-Type header is missing"));
    }
    let code = if error.is::<NotFoundError>() {
        Code::NotFound
    } else if error.is::<MethodNotAllowedError>() {
        Code::MethodNotAllowed
    } else if error.is::<ParseRequestPayloadError>() || error.is::<ParseMultipartError>() {
        Code::InvalidBody
    } else if error.is::<ContentTypeError>() {
        Code::UnsupportedMediaType
    } else {
        Code::of_status(error.status())
    };
    let problem = Problem::new(code);
    if code.status().is_server_error() { problem.cause(Unforeseen(error.to_string())) } else { problem }
}

/// An error of the framework that should not have come so far.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unforeseen(String);

/// A panic beneath.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

impl Panicked {
    fn of(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    }
}
