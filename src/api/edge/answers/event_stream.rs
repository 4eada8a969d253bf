//! Server-Sent Events. A process holds many streams open for hours, so each stream must need little memory. The
//! framework's own `EventStream` needs two more buffers per stream, so it does not send the events. It only describes
//! the response in the OpenAPI documents.

use std::io;
use std::marker::PhantomData;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use poem::web::sse::Event;
use poem::{Body, IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload;
use poem_openapi::registry::{MetaResponses, Registry};
use poem_openapi::types::{ToJSON, Type};

/// The interval of keep-alives: proxies close a connection that is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// An SSE comment, which clients ignore.
const KEEP_ALIVE_COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// A response that streams events. The OpenAPI documents describe the data of an event as a `T`.
pub struct EventStream<T> {
    events: BoxStream<'static, Event>,
    of: PhantomData<fn() -> T>,
}

impl<T> EventStream<T> {
    /// The response ends when `events` ends.
    pub fn new(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        Self { events: events.boxed(), of: PhantomData }
    }
}

impl<T> IntoResponse for EventStream<T> {
    fn into_response(self) -> Response {
        let mut events = self.events;
        let mut silence = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let bytes = stream::poll_fn(move |context| match events.poll_next_unpin(context) {
            Poll::Ready(event) => Poll::Ready(event.map(|event| Ok::<_, io::Error>(event.to_string().into()))),
            Poll::Pending => silence.poll_tick(context).map(|_| Some(Ok(KEEP_ALIVE_COMMENT))),
        });
        Response::builder()
            .content_type("text/event-stream")
            .header("x-accel-buffering", "no")
            .body(Body::from_bytes_stream::<_, Bytes, _>(bytes))
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
