//! The answers that show a resource with its version, [`Versioned`] (200) and [`Created`] (201), and [`Added`] (201) for one
//! that has none. Given at once, or turned into an [`Answer`] that is stored first and given through
//! [`crate::api::edge::parameters::idempotency::Answered`]; the type that documents it is the same.

pub mod code;
pub mod etag;
pub mod event_stream;
pub mod fixed;
pub mod http_answer;
pub mod problem;
pub mod problem_of;
pub mod problem_pages;
pub mod reference;

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
pub struct Versioned<T> {
    /// The resource.
    pub body: T,
    /// Its version.
    pub version: i64,
}

/// 201: a resource that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// The resource.
    pub body: T,
    /// Its version.
    pub version: i64,
    /// Its address: `/v1/cases/case_…`.
    pub location: String,
}

/// 201: a resource without a version that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added<T> {
    /// The resource.
    pub body: T,
    /// Its address: `/v1/uploads/upl_…`.
    pub location: String,
}

impl<T: ToJSON> From<Versioned<T>> for Answer {
    fn from(shown: Versioned<T>) -> Self {
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
    ("ETag", "版本，供 If-Match 与 If-None-Match 使用。 Its version, for If-Match and If-None-Match.");
const ADDRESS: (&str, &str) = ("Location", "新资源的地址。 The address of what was made.");

/// An answer with a body of its own: what it documents, and how it is given.
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
    Versioned, 200, "现状 As it is now", &[VERSION];
    Created, 201, "已创建 It was made", &[VERSION, ADDRESS];
    Added, 201, "已创建 It was made", &[ADDRESS];
}
