//! Connections on which neither side says anything for long are closed: a phone that lost its network never takes leave.
//!
//! The framework can do that too, with a task for each connection that is woken by every read and write. Here a connection
//! notes when something was last said on it, and one timer looks at the note when it might be time.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// Accepts connections that end when they were silent for so long.
pub struct EndSilent<A> {
    /// Where they come from.
    pub acceptor: A,
    /// How long.
    pub after: Duration,
}

impl<A: Acceptor> Acceptor for EndSilent<A> {
    type Io = Attended<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.acceptor.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (io, local, remote, scheme) = self.acceptor.accept().await?;
        Ok((Attended::new(io, self.after), local, remote, scheme))
    }
}

/// A connection that knows when something was last said on it.
pub struct Attended<Io> {
    io: Io,
    after: Duration,
    last: Instant,
    look: Pin<Box<Sleep>>,
}

impl<Io> Attended<Io> {
    fn new(io: Io, after: Duration) -> Self {
        let last = Instant::now();
        Self { io, after, last, look: Box::pin(sleep_until(last + after)) }
    }

    /// Ready when it was silent for too long.
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

    fn said<T>(&mut self, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if progress.is_ready() {
            self.last = Instant::now();
        }
        progress
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Attended<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_pending() && self.poll_silence(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.said(read)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Attended<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.said(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.said(written)
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
    async fn whoever_says_nothing_is_left() {
        let (_there, here) = tokio::io::duplex(64);
        let ended = Attended::new(here, Duration::from_millis(1)).read_u8().await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn whoever_spoke_since_the_timer_was_set_is_not() {
        let (mut there, here) = tokio::io::duplex(64);
        let mut here = Attended::new(here, Duration::from_secs(3600));
        here.look.as_mut().reset(Instant::now());
        there.write_u8(b'!').await.unwrap();
        assert_eq!(here.read_u8().await.unwrap(), b'!');
        let read = tokio::time::timeout(Duration::from_millis(1), here.read_u8()).await;
        assert!(read.is_err(), "it waits on: {read:?}");
        assert_eq!(here.look.deadline(), here.last + here.after, "and looks again when it might be time");
    }
}
