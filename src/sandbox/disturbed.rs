//! The HTTP responses of broken servers and networks, for faults on demand (see `faults.rs`).

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::http::{StatusCode, header};
use poem::{Body, IntoResponse, Response};

/// Builds a 500 with an HTML page, as a proxy in front of a broken server sends it.
pub fn server_error() -> Response {
    const PAGE: &str = "<html><head><title>500 Internal Server Error</title></head>\
        <body><center><h1>500 Internal Server Error</h1></center><hr><center>nginx</center></body></html>";
    Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).content_type("text/html").body(PAGE)
}

pub fn garbage() -> Response {
    Response::builder().content_type("application/json").body("{\"errcode\":<<\u{fffd}")
}

/// Waits for `hold`, if it is given, and then breaks the connection off before the answer is complete. A long `hold`
/// makes the caller time out.
pub async fn severed(hold: Option<Duration>) -> Response {
    if let Some(hold) = hold {
        tokio::time::sleep(hold).await;
    }
    // If a response body fails, poem ends it as if it were complete. The connection is closed early only because the
    // body is shorter than its Content-Length.
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("severed on demand")) });
    Body::from_bytes_stream(broken).with_header(header::CONTENT_LENGTH, 1024).into_response()
}
