//! Answers that no gateway should give: errors of servers and networks.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::http::{StatusCode, header};
use poem::{Body, IntoResponse, Response};

/// A 500 with an HTML page, as a proxy before a broken server sends it.
pub fn server_error() -> Response {
    const PAGE: &str = "<html><head><title>500 Internal Server Error</title></head>\
        <body><center><h1>500 Internal Server Error</h1></center><hr><center>nginx</center></body></html>";
    Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).content_type("text/html").body(PAGE)
}

/// A 200 with an unreadable body.
pub fn garbage() -> Response {
    Response::builder().content_type("application/json").body("{\"errcode\":<<\u{fffd}")
}

/// No answer: the connection is closed, after `hold` if the caller should run into its own time-out.
pub async fn severed(hold: Option<Duration>) -> Response {
    if let Some(hold) = hold {
        tokio::time::sleep(hold).await;
    }
    // A failing body alone is not enough: poem ends it as if it were complete. A body that is shorter than its
    // Content-Length cannot be ended, so the server drops the connection.
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("severed on demand")) });
    Body::from_bytes_stream(broken).with_header(header::CONTENT_LENGTH, 1024).into_response()
}
