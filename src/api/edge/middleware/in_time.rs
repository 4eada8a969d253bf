//! No caller waits for ever. Whatever is asked for is answered within half a minute, if only with 503: where the line to
//! the record has fallen silent nothing else would end the wait, and what was taken up for it is given back.

use std::time::Duration;

use poem::http::header;
use poem::{Endpoint, Middleware, Request, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;

/// Longer than the longest long-poll, and than PostgreSQL may take for a statement.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A file comes as slowly as the phone's network brings it; but nobody needs so long for the largest.
const UPLOAD_WITHIN: Duration = Duration::from_secs(300);
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The middleware. It stands beneath the one that turns failures into answers.
pub struct AnswerInTime {
    /// How long a caller waits at the most.
    pub limit: Duration,
}

impl<E: Endpoint> Middleware<E> for AnswerInTime {
    type Output = InTime<E>;

    fn transform(&self, inner: E) -> InTime<E> {
        InTime { inner, limit: self.limit }
    }
}

/// See [`AnswerInTime`].
pub struct InTime<E> {
    inner: E,
    limit: Duration,
}

impl<E: Endpoint> Endpoint for InTime<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<E::Output> {
        let limit = if is_upload(&request) { UPLOAD_WITHIN } else { self.limit };
        match tokio::time::timeout(limit, self.inner.call(request)).await {
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
    use poem::EndpointExt;
    use poem::endpoint::make;

    use super::*;

    #[tokio::test]
    async fn a_wait_ends() {
        let hangs = make(|_| std::future::pending::<Result<()>>()).with(AnswerInTime { limit: Duration::ZERO });
        assert_eq!(hangs.call(Request::default()).await.unwrap_err().status().as_u16(), 503);
    }

    #[test]
    fn an_upload_may_take_its_time() {
        let of = |content_type| Request::builder().content_type(content_type).finish();
        assert!(is_upload(&of("multipart/form-data; boundary=a")) && !is_upload(&of("application/json")));
    }
}
