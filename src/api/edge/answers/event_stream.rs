//! Server-Sent Events. A stream is open for hours and waits nearly all the time, so a client costs what it waits on: what
//! there is to say goes to the connection as it comes. (The framework's own answer, which documents this one, takes two
//! more buffers on the way.)

use std::io;
use std::marker::PhantomData;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use poem::http::header;
use poem::web::sse::Event;
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

/// How often a stream says that it is still there: proxies close what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A comment, which clients pass over.
const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// Events, documented by the type of their data.
pub struct EventStream<T> {
    events: BoxStream<'static, Event>,
    of: PhantomData<fn() -> T>,
}

impl<T> EventStream<T> {
    /// Says these, and ends with them.
    pub fn new(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self { events: events.boxed(), of: PhantomData }
    }
}

impl<T> IntoResponse for EventStream<T> {
    fn into_response(self) -> Response {
        let mut events = self.events;
        let mut silence = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let said = stream::poll_fn(move |context| match events.poll_next_unpin(context) {
            Poll::Ready(event) => Poll::Ready(event.map(|event| Ok::<_, io::Error>(event.to_string().into()))),
            Poll::Pending => silence.poll_tick(context).map(|_| Some(Ok(STILL_HERE))),
        });
        Response::builder()
            .content_type("text/event-stream")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream::<_, Bytes, _>(said))
    }
}

impl<T: Type + ToJSON + 'static> ApiResponse for EventStream<T> {
    fn meta() -> MetaResponses {
        payload::EventStream::<BoxStream<'static, T>>::meta()
    }

    fn register(registry: &mut Registry) {
        payload::EventStream::<BoxStream<'static, T>>::register(registry);
    }
}
