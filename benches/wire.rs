//! HTTP/1.1 on a bare socket, only as much as a measurement needs: the load generator takes little processor time from
//! the measured program, and the gateway answers faster than any client calls.

use std::io;
use std::net::SocketAddr;
use std::str::from_utf8;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Returns the bytes of a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// Returns the bytes of a response with a JSON body.
pub fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A request or a response that arrived.
pub struct Message<'a> {
    /// The first line and the headers.
    pub head: &'a str,
    pub body: &'a [u8],
}

impl Message<'_> {
    pub fn status(&self) -> Option<u16> {
        self.head.split(' ').nth(1)?.parse().ok()
    }

    /// Returns the path of a request, with its query.
    pub fn path(&self) -> Option<&str> {
        self.head.split(' ').nth(1)
    }
}

/// A connection that is kept alive. It carries one message at a time in each direction.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    taken: usize,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        Self::of(TcpStream::connect(address).await?)
    }

    /// Makes a connection over a socket that is open already.
    pub fn of(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096), taken: 0 })
    }

    /// Sends a request and waits for its response.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Message<'_>> {
        self.send(request).await?;
        self.receive().await?.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Waits for a message. `None` if the peer closed the connection.
    pub async fn receive(&mut self) -> io::Result<Option<Message<'_>>> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let (head, whole) = loop {
            if let Some(extent) = extent(&self.buffer)?
                && extent.1 <= self.buffer.len()
            {
                break extent;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        };
        self.taken = whole;
        let (head, body) = self.buffer[..whole].split_at(head);
        Ok(Some(Message { head: from_utf8(head).map_err(io::Error::other)?, body }))
    }

    /// Reads the next bytes of a stream that never ends.
    pub async fn read_some(&mut self) -> io::Result<&[u8]> {
        self.buffer.clear();
        self.taken = 0;
        self.stream.read_buf(&mut self.buffer).await?;
        Ok(&self.buffer)
    }
}

/// Returns the lengths of the head and of the whole message at the beginning of a buffer. `None` while the head is
/// incomplete.
fn extent(buffer: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = from_utf8(&buffer[..end]).map_err(io::Error::other)?;
    let mut length = 0;
    for line in head.split("\r\n").skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(io::Error::other("the body is chunked, and its length is not known"));
        }
    }
    Ok(Some((end + 4, end + 4 + length)))
}
