//! A request to a twin (a simulated gateway), and an endpoint that reads the whole request and passes it to the twin.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use poem::endpoint::{BoxEndpoint, make};
use poem::http::{HeaderMap, Method, StatusCode};
use poem::{EndpointExt, Request, Response};
use serde_json::Value;

use super::world::World;

/// The size limit of a request body, in bytes. No real gateway accepts a larger body.
const LARGEST: usize = 1 << 20;

#[derive(Debug, Clone)]
pub struct TwinCall {
    pub method: Method,
    /// The path without the prefix under which the sandbox serves the twin.
    pub path: String,
    /// The whole path of the request, with that prefix.
    pub full_path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The fields of a query or a form, by name. If a name occurs several times, the last value counts.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl Fields {
    pub fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Returns the value of a field; empty if the field is missing.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl TwinCall {
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

    /// Returns the value of a header; empty if the header is missing or its value is not text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn query(&self) -> Fields {
        Fields::read(self.query.as_bytes())
    }

    pub fn form(&self) -> Fields {
        Fields::read(&self.body)
    }

    /// Parses the body as JSON; `None` if the body is not valid JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Creates an HTTP endpoint that reads each request and passes it to `act`, which is a method of the twin.
pub fn endpoint<T, F, A>(twin: &Arc<T>, world: &Arc<World>, act: F) -> BoxEndpoint<'static>
where
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, Arc<World>, TwinCall) -> A + Send + Sync + Copy + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let twin = Arc::clone(twin);
    let world = Arc::clone(world);
    make(move |request| {
        let twin = Arc::clone(&twin);
        let world = Arc::clone(&world);
        async move { Ok::<_, poem::Error>(act(twin, world, TwinCall::read(request).await?).await) }
    })
    .boxed()
}

pub fn json(status: StatusCode, value: &Value) -> Response {
    Response::builder().status(status).content_type("application/json;charset=UTF-8").body(value.to_string())
}
