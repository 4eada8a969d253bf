//! Closes connections on which neither side has sent anything for long. A phone that loses its network does not close
//! its connections itself.
//!
//! The framework's own idle time-out needs a task per connection, which wakes at every read and write. Here, a
//! connection only stores the time of its last byte, and a timer checks that time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Accepts connections, and closes each one when it has had no traffic for the time `after`.
pub struct EndSilent<A> {
    pub acceptor: A,
    pub after: Duration,
}

impl<A: Acceptor> Acceptor for EndSilent<A> {
    type Io = TimedConnection<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.acceptor.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (io, local, remote, scheme) = self.acceptor.accept().await?;
        Ok((TimedConnection::new(io, self.after), local, remote, scheme))
    }
}

pub struct TimedConnection<Io> {
    io: Io,
    /// The maximum time without traffic.
    after: Duration,
    /// The time at which the last byte was read or written.
    last: Instant,
    /// The timer for the next check.
    look: Pin<Box<Sleep>>,
}

impl<Io> TimedConnection<Io> {
    fn new(io: Io, after: Duration) -> Self {
        let last = Instant::now();
        Self { io, after, last, look: Box::pin(sleep_until(last + after)) }
    }

    /// Ready if the connection has been silent for too long.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.look.as_mut().poll(context));
            let end = self.last + self.after;
            if end <= Instant::now() {
                return Poll::Ready(());
            }
            self.look.as_mut().reset(end);
        }
    }

    fn note<T>(&mut self, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.last = Instant::now();
        }
        progress
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for TimedConnection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_pending() && self.poll_silence(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.note(read)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for TimedConnection<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.note(written)
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
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_silent_connection_ends() {
        let (_there, here) = tokio::io::duplex(64);
        let ended = TimedConnection::new(here, Duration::from_millis(1)).read_u8().await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_connection_that_was_used_since_the_timer_was_set_goes_on() {
        let (mut there, here) = tokio::io::duplex(64);
        let mut here = TimedConnection::new(here, Duration::from_secs(3600));
        here.look.as_mut().reset(Instant::now());
        there.write_u8(b'!').await.unwrap();
        assert_eq!(here.read_u8().await.unwrap(), b'!');
        let read = tokio::time::timeout(Duration::from_millis(1), here.read_u8()).await;
        assert!(read.is_err(), "it still waits: {read:?}");
        assert_eq!(here.look.deadline(), here.last + here.after, "and the timer is set again");
    }
}
