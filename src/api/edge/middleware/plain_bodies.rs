//! A body comes uncompressed. A compressed one would have to be measured again after it was expanded, so it is refused,
//! and the answer says what is accepted (RFC 9110 §15.5.16, §12.5.3). Callbacks of gateways are excepted: they are
//! stored as they come, for people to see.

use poem::http::{HeaderValue, header};
use poem::{Endpoint, Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::layer::Layer;
use crate::domain::kernel::text::Bilingual;

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Below the layer that turns failures into answers.
pub struct DemandPlainBodies;

impl Layer for DemandPlainBodies {
    async fn answer(&self, mut request: Request, inner: &impl Endpoint<Output = Response>) -> Result<Response> {
        let is_coded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != IDENTITY);
        if is_coded && has_body(&mut request) && !request.uri().path().starts_with("/callbacks/") {
            let detail = Bilingual::new("请求体不能压缩", "A body must not be compressed");
            let problem = Problem::new(Code::UnsupportedMediaType).detail(detail);
            return Err(problem.header(header::ACCEPT_ENCODING, IDENTITY).into());
        }
        inner.call(request).await
    }
}

fn has_body(request: &mut Request) -> bool {
    let body = request.take_body();
    let is_empty = body.is_empty();
    request.set_body(body);
    !is_empty
}
