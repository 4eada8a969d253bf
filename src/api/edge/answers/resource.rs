//! Answers with a resource: [`Shown`] (200) and [`Created`] (201) have a version, [`Added`] (201) has none. Each is
//! sent at once, or becomes an [`Answer`] that is stored first and sent by
//! [`crate::api::edge::answers::stored::Answered`]. The type that documents it is the same.

use poem::http::header;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

use crate::api::edge::answers::etag::etag;
use crate::api::edge::answers::http_answer::HttpAnswer;
use crate::casework::frame::idempotency::Answer;

/// 200: a resource as it is now, with the ETag of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<T> {
    pub body: T,
    pub version: i64,
}

/// 201: a new resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    pub body: T,
    pub version: i64,
    /// The address: `/v1/cases/case_…`.
    pub location: String,
}

/// 201: a new resource without a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added<T> {
    pub body: T,
    /// The address: `/v1/uploads/upl_…`.
    pub location: String,
}

impl<T: ToJSON> From<Shown<T>> for Answer {
    fn from(shown: Shown<T>) -> Self {
        HttpAnswer::new(200, shown.body.to_json().unwrap_or_default())
            .header(header::ETAG.as_str(), etag(shown.version))
            .into()
    }
}

impl<T: ToJSON> From<Created<T>> for Answer {
    fn from(made: Created<T>) -> Self {
        HttpAnswer::new(201, made.body.to_json().unwrap_or_default())
            .header(header::ETAG.as_str(), etag(made.version))
            .header(header::LOCATION.as_str(), made.location)
            .into()
    }
}

impl<T: ToJSON> From<Added<T>> for Answer {
    fn from(made: Added<T>) -> Self {
        HttpAnswer::new(201, made.body.to_json().unwrap_or_default())
            .header(header::LOCATION.as_str(), made.location)
            .into()
    }
}

fn meta<T: Type>(status: u16, description: &'static str, headers: &[(&str, &str)]) -> MetaResponses {
    let header = |(name, about): &(&str, &str)| MetaHeader {
        name: (*name).to_owned(),
        description: Some((*about).to_owned()),
        required: true,
        deprecated: false,
        schema: String::schema_ref(),
    };
    let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
    let headers = headers.iter().map(header).collect();
    MetaResponses {
        responses: vec![MetaResponse { description, status: Some(status), status_range: None, content, headers }],
    }
}

const VERSION: (&str, &str) =
    ("ETag", "版本，供 If-Match 与 If-None-Match 使用。 The version, for If-Match and If-None-Match.");
const ADDRESS: (&str, &str) = ("Location", "新资源的地址。 The address of the new resource.");

/// How an answer with a resource is documented and sent.
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
