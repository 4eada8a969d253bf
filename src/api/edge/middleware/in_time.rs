//! Responds with 503 if a request takes longer than its time-out, for example because a database connection hangs. The
//! work for the request is cancelled, and its resources are released.

use std::time::Duration;

use poem::http::header;
use poem::{Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::layer::{Inner, Layer};

/// The time-out of all requests except uploads. It is longer than the longest long-poll, and longer than the time-out
/// of a statement in PostgreSQL.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The time-out of an upload: enough for the largest file over a slow mobile network.
const UPLOAD_WITHIN: Duration = Duration::from_secs(300);
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub struct AnswerInTime {
    /// The time-out of all requests except uploads.
    pub limit: Duration,
}

impl Layer for AnswerInTime {
    async fn answer(&self, request: Request, inner: &impl Inner) -> Result<Response> {
        let limit = if is_upload(&request) { UPLOAD_WITHIN } else { self.limit };
        match tokio::time::timeout(limit, inner.call(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::new(Code::Unavailable).retry_after(RETRY_AFTER).into()),
        }
    }
}

fn is_upload(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|content_type| content_type.starts_with("multipart/"))
}

#[cfg(test)]
mod tests {
    use poem::Endpoint;
    use poem::endpoint::make;

    use super::*;
    use crate::api::edge::middleware::layer::WithLayer;

    #[tokio::test]
    async fn a_request_that_hangs_is_answered() {
        let hangs = make(|_| std::future::pending::<Result<Response>>()).layer(AnswerInTime { limit: Duration::ZERO });
        assert_eq!(hangs.call(Request::default()).await.unwrap_err().status().as_u16(), 503);
    }

    #[test]
    fn an_upload_has_more_time() {
        let of = |content_type| Request::builder().content_type(content_type).finish();
        assert!(is_upload(&of("multipart/form-data; boundary=a")) && !is_upload(&of("application/json")));
    }
}
