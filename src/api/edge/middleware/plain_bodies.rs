//! A body comes as it is. A compressed one would have to be measured again after it was blown up, so it is refused, and
//! the answer says what is taken (RFC 9110 §15.5.16, §12.5.3). What gateways call us with is kept as it comes, whatever it
//! is, for people to see.

use poem::http::{HeaderValue, header};
use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::domain::kernel::text::Bilingual;

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The middleware. It stands beneath the one that turns failures into answers.
pub struct DemandPlainBodies;

impl<E: Endpoint> Middleware<E> for DemandPlainBodies {
    type Output = PlainBodies<E>;

    fn transform(&self, inner: E) -> PlainBodies<E> {
        PlainBodies { inner }
    }
}

/// See [`DemandPlainBodies`].
pub struct PlainBodies<E> {
    inner: E,
}

impl<E: Endpoint> Endpoint for PlainBodies<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let coded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != IDENTITY);
        if coded && has_body(&mut request) && !request.uri().path().starts_with("/callbacks/") {
            let detail = Bilingual::new("请求体不能压缩", "A body must not be compressed");
            let problem = Problem::new(Code::UnsupportedMediaType).detail(detail);
            return Err(problem.header(header::ACCEPT_ENCODING, IDENTITY).into());
        }
        self.inner.call(request).await.map(IntoResponse::into_response)
    }
}

fn has_body(request: &mut Request) -> bool {
    let body = request.take_body();
    let is_empty = body.is_empty();
    request.set_body(body);
    !is_empty
}
