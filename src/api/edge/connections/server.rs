//! Serves HTTP/1.1 and HTTP/2 on a listener, through hyper.
//!
//! poem's own server is not used, because strangers could hold its connections for ever: it limits neither their number
//! nor the time of an incomplete request, nor the streams of an HTTP/2 connection. If the process has no file
//! descriptor left, it tries to accept again and again without a pause.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::Endpoint;
use poem::endpoint::BoxEndpoint;
use poem::http::uri::Scheme;
use poem::http::{Request, Response};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::api::edge::connections::activity::{Activity, AnswerBody, ObservedIo};
use crate::api::edge::connections::limits::{ConnectionLimits, OpenConnections, RefusalLog, Slot};
use crate::lifecycle::Tasks;

/// The maximum number of requests that an HTTP/2 client may have running on one connection.
const STREAMS: u32 = 100;
/// How often an HTTP/2 client is asked if it is still there. It finds phones that lost their network while a stream is
/// open.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_WITHIN: Duration = Duration::from_secs(20);
/// How long a stalled connection may take to close. HTTP/2 says goodbye (GOAWAY), so that the client knows that it may
/// repeat a request that it was just sending.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// The wait after a failed accept: until then, some of the open files may be closed.
const REST: Duration = Duration::from_secs(1);

/// An HTTP server on one listener.
pub struct HttpServer {
    pub endpoint: BoxEndpoint<'static>,
    pub limits: ConnectionLimits,
    /// How long running requests may go on after a stop.
    pub grace: Duration,
}

impl HttpServer {
    /// Serves the endpoint until `stop`. Then accepts nothing more, and finishes the running requests.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) {
        let Self { endpoint, limits, grace } = self;
        let tasks = Tasks::new();
        let open = OpenConnections::new(&limits);
        let served = Arc::new(Served { endpoint, limits, grace, http: http(), stop: tasks.stopping() });
        let mut refusals = RefusalLog::default();
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((socket, peer)) => match open.admit(peer.ip().into()) {
                    Ok(slot) => tasks.spawn(Arc::clone(&served).connection(socket, peer, slot)),
                    Err(limit) => refusals.note(limit),
                },
                Err(error) => rest_after(&error, &stop).await,
            }
        }
        drop(listener);
        tasks.stop(grace + CLOSE_WITHIN).await;
    }
}

/// Waits after a failed accept, unless only the connection itself failed.
async fn rest_after(error: &io::Error, stop: &CancellationToken) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be accepted");
        stop.run_until_cancelled(tokio::time::sleep(REST)).await;
    }
}

/// The protocol settings. hyper's `header_read_timeout` is off, because [`Activity`] limits the same time and more: it
/// also holds while hyper does not know yet which version a client speaks, and for HTTP/2.
fn http() -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().header_read_timeout(None);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_WITHIN);
    http
}

/// What all connections of a server share.
struct Served {
    http: auto::Builder<TokioExecutor>,
    endpoint: BoxEndpoint<'static>,
    limits: ConnectionLimits,
    grace: Duration,
    /// Cancelled when connections should finish.
    stop: CancellationToken,
}

impl Served {
    /// Serves one connection to its end.
    async fn connection(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, slot: Slot) {
        let _slot = slot;
        let activity = Arc::new(Activity::begin());
        let io = TokioIo::new(ObservedIo::new(socket, Arc::clone(&activity)));
        let service = service_fn(|request: Request<Incoming>| {
            let served = Arc::clone(&self);
            let answering = activity.answering();
            async move {
                let request = (request, LocalAddr::default(), RemoteAddr(peer.into()), Scheme::HTTP);
                let response: Response<_> = served.endpoint.get_response(request.into()).await.into();
                Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, answering)))
            }
        });
        let mut connection = pin!(self.http.serve_connection(io, service));
        let close_within = tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = activity.stalled(&self.limits) => CLOSE_WITHIN,
            () = self.stop.cancelled() => self.grace,
        };
        connection.as_mut().graceful_shutdown();
        let _ = tokio::time::timeout(close_within, connection).await;
    }
}
