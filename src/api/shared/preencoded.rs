//! Answers that were encoded before they were asked for: documented by their type, sent as bytes.

use std::marker::PhantomData;

use poem::http::{HeaderValue, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToJSON, Type};

use crate::api::edge::answers::etag::etag_of;

/// How long a shared cache may answer for us. A new publication is seen everywhere within this time.
const FRESH: HeaderValue = HeaderValue::from_static("public, max-age=60");

/// A `T` as JSON bytes with their ETag. Cloning shares the bytes.
pub struct Preencoded<T> {
    bytes: bytes::Bytes,
    etag: HeaderValue,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Preencoded<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), etag: self.etag.clone(), of: PhantomData }
    }
}

impl<T: ToJSON> Preencoded<T> {
    /// Encodes a value.
    pub fn new(value: &T) -> Self {
        let bytes = bytes::Bytes::from(value.to_json_string());
        Self::with_tag(bytes.clone(), &bytes)
    }
}

impl<T> Preencoded<T> {
    /// Takes bytes that are a `T`, and what makes them different from other bytes of the same address.
    pub fn with_tag(bytes: bytes::Bytes, identity: &[u8]) -> Self {
        // Quotes and hexadecimal digits always make a header value.
        let etag = HeaderValue::from_str(&etag_of(identity)).unwrap_or(HeaderValue::from_static("\"\""));
        Self { bytes, etag, of: PhantomData }
    }

    /// The bytes.
    pub const fn bytes(&self) -> &bytes::Bytes {
        &self.bytes
    }
}

impl<T: Type + ToJSON> IntoResponse for Preencoded<T> {
    fn into_response(self) -> Response {
        Response::builder()
            .content_type("application/json")
            .header(header::ETAG, self.etag)
            .header(header::CACHE_CONTROL, FRESH)
            .header(header::CONTENT_LENGTH, HeaderValue::from(self.bytes.len()))
            .body(Body::from(self.bytes))
    }
}

impl<T: Type + ToJSON> ApiResponse for Preencoded<T> {
    fn meta() -> MetaResponses {
        let etag = MetaHeader {
            name: "ETag".to_owned(),
            description: Some("Send it back in If-None-Match: 304 if nothing changed.".to_owned()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        };
        let content = MetaMediaType { content_type: "application/json", schema: T::schema_ref() };
        let ok = MetaResponse {
            description: "成功。 It is there.",
            status: Some(200),
            status_range: None,
            content: vec![content],
            headers: vec![etag],
        };
        MetaResponses { responses: vec![ok] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}
