//! Refuses compressed request bodies (RFC 9110 §15.5.16), because their size after decompression is unknown. Callbacks
//! of gateways are excepted, because the server stores their bodies unchanged.

use poem::http::{HeaderValue, header};
use poem::{Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::layer::{Inner, Layer};

const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

pub struct DemandPlainBodies;

impl Layer for DemandPlainBodies {
    async fn answer(&self, mut request: Request, inner: &impl Inner) -> Result<Response> {
        let is_coded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != IDENTITY);
        if is_coded && has_body(&mut request) && !request.uri().path().starts_with("/callbacks/") {
            return Err(Problem::new(Code::UnsupportedMediaType)
                .detail("请求体不能压缩", "A body must not be compressed")
                .header(header::ACCEPT_ENCODING, IDENTITY)
                .into());
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
