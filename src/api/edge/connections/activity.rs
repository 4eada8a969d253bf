//! Notices connections that stall: no request begins on them, or a request on them makes no progress.
//!
//! The bytes of a request count as progress only after its head is complete. So a client cannot keep a connection by
//! sending a head byte by byte, or the control frames of HTTP/2 without a request. While a request runs on an HTTP/2
//! connection, its control frames count too, because bytes do not show to which stream they belong.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, io::IoSlice};

use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

use crate::api::edge::connections::limits::ConnectionLimits;

/// The activity on one connection, reported by its socket and its requests.
pub struct Activity {
    opened: Instant,
    /// The time of the last progress, in milliseconds since `opened`.
    last: AtomicU64,
    /// The number of requests that are being answered.
    running: AtomicUsize,
    /// True while the client does not read what is ready to be sent.
    is_blocked: AtomicBool,
}

impl Activity {
    pub fn begin() -> Self {
        Self {
            opened: Instant::now(),
            last: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            is_blocked: AtomicBool::new(false),
        }
    }

    /// Counts a request as running until the returned value is dropped.
    pub fn answering(self: &Arc<Self>) -> Answering {
        self.running.fetch_add(1, Relaxed);
        self.progress();
        Answering(Arc::clone(self))
    }

    /// Completes when the connection has stalled.
    pub async fn stalled(&self, limits: &ConnectionLimits) {
        loop {
            let now = Instant::now();
            let end = self.end(limits);
            if end <= now {
                return;
            }
            // The end comes nearer if a request begins or ends and the shorter limit then holds, so this looks often
            // enough for that.
            sleep_until(end.min(now + limits.keep_alive.min(limits.silence))).await;
        }
    }

    /// The time at which the connection has stalled, if nothing happens until then.
    fn end(&self, limits: &ConnectionLimits) -> Instant {
        let is_answering = self.is_running() || self.is_blocked.load(Relaxed);
        let limit = if is_answering { limits.silence } else { limits.keep_alive };
        self.opened + Duration::from_millis(self.last.load(Relaxed)) + limit
    }

    fn is_running(&self) -> bool {
        self.running.load(Relaxed) > 0
    }

    fn progress(&self) {
        let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Relaxed);
    }

    fn read(&self) {
        if self.is_running() {
            self.progress();
        }
    }

    /// `is_blocked` is true if nothing could be written.
    fn wrote(&self, is_blocked: bool) {
        if !is_blocked && (self.is_running() || self.is_blocked.load(Relaxed)) {
            self.progress();
        }
        self.is_blocked.store(is_blocked, Relaxed);
    }
}

/// A request that is being answered. Dropped when hyper has taken the last part of the answer, which it possibly still
/// has to send.
pub struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.progress();
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// The body of an answer, whose request runs until the body is dropped.
pub struct AnswerBody<B> {
    body: B,
    #[expect(dead_code, reason = "the request ends when it is dropped")]
    answering: Answering,
}

impl<B> AnswerBody<B> {
    pub const fn new(body: B, answering: Answering) -> Self {
        Self { body, answering }
    }
}

impl<B: Body + Unpin> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The socket of a connection, which reports what it reads and writes.
pub struct ObservedIo<Io> {
    io: Io,
    activity: Arc<Activity>,
}

impl<Io> ObservedIo<Io> {
    pub const fn new(io: Io, activity: Arc<Activity>) -> Self {
        Self { io, activity }
    }

    fn note_write<T>(&self, written: Poll<T>) -> Poll<T> {
        self.activity.wrote(written.is_pending());
        written
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for ObservedIo<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.activity.read();
        }
        read
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for ObservedIo<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        in_all: 1,
        per_address: None,
        keep_alive: Duration::from_millis(1),
        silence: Duration::from_secs(3600),
    };

    fn activity() -> Arc<Activity> {
        Arc::new(Activity { opened: Instant::now() - Duration::from_secs(1), ..Activity::begin() })
    }

    /// True if there was progress since the last call.
    fn moved(activity: &Activity) -> bool {
        activity.last.swap(0, Relaxed) > 0
    }

    #[tokio::test]
    async fn bytes_count_only_while_a_request_runs() {
        let activity = activity();
        let (mut there, here) = tokio::io::duplex(64);
        let mut here = ObservedIo::new(here, Arc::clone(&activity));
        let mut exchange = async || {
            there.write_u8(b'!').await.unwrap();
            here.read_u8().await.unwrap();
            here.write_u8(b'!').await.unwrap();
            there.read_u8().await.unwrap();
        };
        exchange().await;
        assert!(!moved(&activity), "bytes of an incomplete head, and control frames");
        let answering = activity.answering();
        assert!(moved(&activity), "a request begins");
        exchange().await;
        assert!(moved(&activity), "bytes of the bodies");
        drop(answering);
        assert!(moved(&activity), "the request ends");
        exchange().await;
        assert!(!moved(&activity));
    }

    #[tokio::test]
    async fn an_answer_that_the_client_reads_slowly_is_progress_after_its_request_too() {
        let activity = activity();
        let (mut there, here) = tokio::io::duplex(4);
        let mut here = ObservedIo::new(here, Arc::clone(&activity));
        drop(activity.answering());
        assert!(moved(&activity));
        let receive = async {
            there.read_exact(&mut [0; 4]).await.unwrap();
            assert_eq!(activity.end(&LIMITS), activity.opened + LIMITS.silence, "the client has not read all of it");
            there.read_exact(&mut [0; 4]).await.unwrap();
        };
        let (sent, ()) = tokio::join!(here.write_all(b"12345678"), receive);
        sent.unwrap();
        assert!(moved(&activity));
        assert_eq!(activity.end(&LIMITS), activity.opened + LIMITS.keep_alive);
    }

    #[tokio::test]
    async fn a_connection_stalls_after_its_last_request_and_not_before() {
        let activity = activity();
        activity.stalled(&LIMITS).await;
        let answering = activity.answering();
        tokio::select! {
            biased;
            () = activity.stalled(&LIMITS) => panic!("a request is running"),
            () = tokio::task::yield_now() => {}
        }
        drop(answering);
        activity.stalled(&LIMITS).await;
    }

    #[tokio::test]
    async fn a_request_stalls_although_a_connection_may_be_idle_for_longer() {
        let limits =
            ConnectionLimits { keep_alive: Duration::from_secs(3600), silence: Duration::from_millis(1), ..LIMITS };
        let activity = activity();
        let begins = async { activity.answering() };
        let ((), _answering) = tokio::join!(activity.stalled(&limits), begins);
    }
}
