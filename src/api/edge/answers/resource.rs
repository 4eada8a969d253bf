//! Responses with a resource. An operation sends such a response at once, or turns it into an [`Answer`]. A use case
//! stores the `Answer`, and [`crate::api::edge::answers::stored::Answered`] then sends it.

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

use crate::api::edge::answers::etag::etag;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::casework::frame::idempotency::Answer;

/// 200: a resource, with its version as the ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<T> {
    pub body: T,
    pub version: i64,
}

/// 201: a new resource, with its version as the ETag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    pub body: T,
    pub version: i64,
    /// The path of the new resource: `/v1/cases/case_…`.
    pub location: String,
}

/// 201: a new resource without a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added<T> {
    pub body: T,
    /// The path of the new resource: `/v1/uploads/upl_…`.
    pub location: String,
}

impl<T: ToJSON> From<Shown<T>> for Answer {
    fn from(Shown { body, version }: Shown<T>) -> Self {
        json(200, &body).header(header::ETAG.as_str(), etag(version)).into()
    }
}

impl<T: ToJSON> From<Created<T>> for Answer {
    fn from(Created { body, version, location }: Created<T>) -> Self {
        let answer = json(201, &body).header(header::ETAG.as_str(), etag(version));
        answer.header(header::LOCATION.as_str(), location).into()
    }
}

impl<T: ToJSON> From<Added<T>> for Answer {
    fn from(Added { body, location }: Added<T>) -> Self {
        json(201, &body).header(header::LOCATION.as_str(), location).into()
    }
}

fn json(status: u16, body: &impl ToJSON) -> HttpAnswer {
    HttpAnswer::new(status, body.to_json().unwrap_or_default())
}

/// Describes a JSON response for the OpenAPI documents. `headers` are pairs of name and description.
pub fn meta<T: Type>(status: u16, description: &'static str, headers: &[(&str, &str)]) -> MetaResponses {
    let header = |(name, about): &(&str, &str)| MetaHeader {
        name: (*name).to_owned(),
        description: Some((*about).to_owned()),
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
    };
    let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
    let headers = headers.iter().map(header).collect();
    let response = MetaResponse { description, status: Some(status), status_range: None, content, headers };
    MetaResponses { responses: vec![response] }
}

/// The name and the description of the `ETag` header, for a resource without a version.
pub const TAG: (&str, &str) =
    ("ETag", "供 If-None-Match 使用；未变则返回 304。 Send it back in If-None-Match: 304 if nothing has changed.");
const VERSION: (&str, &str) =
    ("ETag", "版本，供 If-Match 与 If-None-Match 使用。 The version, for If-Match and If-None-Match.");
const ADDRESS: (&str, &str) = ("Location", "新资源的地址。 The address of the new resource.");

/// Implements each kind of response: how the OpenAPI documents describe it, and how it is sent. Each line of `answers!`
/// names the type, the status, the description and the headers.
macro_rules! answers {
    ($($name:ident, $status:literal, $about:literal, $headers:expr;)*) => {$(
        impl<T: Type + ToJSON> ApiResponse for $name<T> {
            fn meta() -> MetaResponses {
                meta::<T>($status, $about, $headers)
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }

        impl<T: ToJSON + Send> IntoResponse for $name<T> {
            fn into_response(self) -> Response {
                HttpAnswer::from(Answer::from(self)).into_response()
            }
        }
    )*};
}

answers! {
    Shown, 200, "现状 · The current state", &[VERSION];
    Created, 201, "已创建 · Created", &[VERSION, ADDRESS];
    Added, 201, "已创建 · Created", &[ADDRESS];
}
