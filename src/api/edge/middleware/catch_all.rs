//! Turns every failure of the inner endpoint into a problem response (RFC 9457): problems of handlers, errors of the
//! web framework (unknown route, wrong method, bad parameter, wrong media type), and panics. So the layers around this
//! one never see an error.
//!
//! The framework's own error texts are dropped, because they repeat the caller's input, and because they show `param0`
//! instead of the name of a path parameter.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError as UndecodablePath};
use poem::http::{HeaderValue, header};
use poem::{Error, Request, Response, Result};
use poem_openapi::OperationId;
use poem_openapi::error::{
    ContentTypeError, ParseMultipartError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::current::current_request;
use crate::api::edge::middleware::layer::{Inner, Layer};
use crate::api::edge::route_table::RouteTable;

pub struct CatchAll {
    /// The table of routes, from which the `Allow` header of a 405 response is built.
    pub routes: Arc<RouteTable>,
}

impl Layer for CatchAll {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let path = request.uri().path().to_owned();
        let (problem, operation) = match AssertUnwindSafe(inner.call(request)).catch_unwind().await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) if error.is_from_response() => return Ok(error.into_response()),
            Ok(Err(error)) => (problem_of(&error), error.data::<OperationId>().copied()),
            Err(panic) => (Problem::internal(Panicked::of(panic.as_ref())), None),
        };
        let problem = self.complete(problem, &path);
        let current = current_request();
        problem.log(&current);
        let mut response = problem.render(&current);
        if let Some(operation) = operation {
            response.set_data(operation); // The metrics of requests have the operation as a label.
        }
        Ok(response)
    }
}

impl CatchAll {
    /// Adds the headers that RFC 9110 requires for 401 and 405.
    fn complete(&self, problem: Problem, path: &str) -> Problem {
        const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="songda""#);
        match problem.code().status().as_u16() {
            401 if !problem.has_header(&header::WWW_AUTHENTICATE) => {
                problem.header(header::WWW_AUTHENTICATE, CHALLENGE)
            }
            405 => match self.routes.allow(path) {
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
        let name = error.name;
        return Problem::new(Code::InvalidParameter)
            .detail(format!("参数 {name} 不正确"), format!("The parameter {name} is not valid"));
    }
    if error.is::<ParsePathError>() || error.is::<UndecodablePath>() {
        return Problem::new(Code::NotFound).detail(
            "地址中的编号格式不正确",
            "The address does not contain an id of this kind; the document has its pattern",
        );
    }
    if matches!(error.downcast_ref::<ContentTypeError>(), Some(ContentTypeError::ExpectContentType)) {
        return Problem::new(Code::UnsupportedMediaType)
            .detail("缺少 Content-Type 请求头", "The Content-Type header is missing");
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

/// An error of the framework that became a problem with a 5xx status. Its text is the cause in the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unforeseen(String);

#[derive(Debug, thiserror::Error)]
#[error("panicked: {0}")]
struct Panicked(String);

impl Panicked {
    fn of(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        Self(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    }
}
