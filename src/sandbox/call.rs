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

/// The largest request body that is read, in bytes. No gateway takes more.
const LARGEST: usize = 1 << 20;

#[derive(Debug, Clone)]
pub struct TwinCall {
    pub method: Method,
    /// The path without the prefix at which the sandbox serves the twin.
    pub path: String,
    /// The path as the caller wrote it.
    pub full_path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The fields of a query or a form.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl Fields {
    pub fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// A missing field is empty.
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

    /// A header that is missing or not text is empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn query(&self) -> Fields {
        Fields::read(self.query.as_bytes())
    }

    pub fn form(&self) -> Fields {
        Fields::read(&self.body)
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Creates an HTTP endpoint that passes each request to a method of the twin, `act`.
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
