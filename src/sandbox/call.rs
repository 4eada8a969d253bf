//! A request read whole, the endpoint that hands it to a twin, and the answers that no gateway should give.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::endpoint::{BoxEndpoint, make};
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Body, EndpointExt, IntoResponse, Request, Response};
use serde_json::Value;

use super::world::World;

/// The largest request that is read: no gateway takes more.
const LARGEST: usize = 1 << 20;

/// A request, read whole.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    /// The path below the twin's own prefix.
    pub path: String,
    /// The path as the caller wrote it.
    pub full_path: String,
    /// The query string, as it came.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Fields of a query or a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded` text.
    #[must_use]
    pub fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A field; empty if it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl Call {
    pub(super) async fn read(mut request: Request) -> Result<Self, poem::Error> {
        let body = request.take_body().into_bytes_limit(LARGEST).await?;
        Ok(Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            full_path: request.original_uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
            body,
        })
    }

    /// A header; empty if it is not there, or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The fields of the query.
    #[must_use]
    pub fn query(&self) -> Fields {
        Fields::read(self.query.as_bytes())
    }

    /// The fields of the body, read as a form.
    #[must_use]
    pub fn form(&self) -> Fields {
        Fields::read(&self.body)
    }

    /// The body, read as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// An endpoint that reads each request whole and hands it to a method of the twin.
pub fn endpoint<T, F, A>(twin: &Arc<T>, world: &Arc<World>, act: F) -> BoxEndpoint<'static>
where
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, Arc<World>, Call) -> A + Send + Sync + Copy + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let (twin, world) = (Arc::clone(twin), Arc::clone(world));
    make(move |request| {
        let (twin, world) = (Arc::clone(&twin), Arc::clone(&world));
        async move { Ok::<_, poem::Error>(act(twin, world, Call::read(request).await?).await) }
    })
    .boxed()
}

/// A JSON answer with a status.
#[must_use]
pub fn json(status: StatusCode, value: &Value) -> Response {
    Response::builder().status(status).content_type("application/json;charset=UTF-8").body(value.to_string())
}

/// A server that fell over, as a proxy before it words it.
#[must_use]
pub fn server_error() -> Response {
    const PAGE: &str = "<html><head><title>500 Internal Server Error</title></head>\
        <body><center><h1>500 Internal Server Error</h1></center><hr><center>nginx</center></body></html>";
    Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).content_type("text/html").body(PAGE)
}

/// A success that says nothing.
#[must_use]
pub fn garbage() -> Response {
    Response::builder().content_type("application/json").body("{\"errcode\":<<\u{fffd}")
}

/// No answer: the connection is closed, after `hold` if the caller is to wait for its own time-out.
pub async fn severed(hold: Option<Duration>) -> Response {
    if let Some(hold) = hold {
        tokio::time::sleep(hold).await;
    }
    // A body that fails would do, but poem then ends it as if it were whole. One that is shorter than it promised
    // to be cannot be ended: the server drops the connection.
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::other("severed on demand")) });
    Body::from_bytes_stream(broken).with_header(header::CONTENT_LENGTH, 1024).into_response()
}
