//! An HTTP response that a use case stores before it is sent. The use case knows nothing about HTTP, so it stores the
//! status and the headers as one opaque value.

use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::casework::frame::idempotency::Answer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    form: Form,
    body: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Form {
    status: u16,
    headers: Vec<(String, String)>,
}

impl HttpAnswer {
    pub const fn new(status: u16, body: Value) -> Self {
        Self { form: Form { status, headers: vec![] }, body }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.form.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

impl From<HttpAnswer> for Answer {
    fn from(HttpAnswer { form, body }: HttpAnswer) -> Self {
        Self { form: serde_json::to_value(form).unwrap_or_default(), body }
    }
}

impl From<Answer> for HttpAnswer {
    fn from(Answer { form, body }: Answer) -> Self {
        let plain = Form { status: StatusCode::OK.as_u16(), headers: vec![] };
        Self { form: serde_json::from_value(form).unwrap_or(plain), body }
    }
}

impl IntoResponse for HttpAnswer {
    fn into_response(self) -> Response {
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.form.status).unwrap_or(StatusCode::OK))
            .content_type("application/json")
            .body(self.body.to_string());
        for (name, value) in self.form.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
