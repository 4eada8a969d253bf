//! Limits the size of request bodies. A declared length is checked before the body is read. A body of undeclared length
//! is counted while it is read, and reading fails at the limit.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use poem::http::header;
use poem::{Body, Request, Response, Result};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::middleware::layer::{Inner, Layer};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The limit for the paths that are not in [`LARGER`], in bytes.
pub const DEFAULT: u64 = 256 * KIB;

/// The paths with larger limits, in bytes. A path belongs to an entry if it begins with the entry's text.
const LARGER: [(&str, u64); 2] = [("/v1/uploads", 20 * MIB), ("/integration/v1/result-batches", 4 * MIB)];

pub fn limit(path: &str) -> u64 {
    LARGER.iter().find(|(start, _)| path.starts_with(start)).map_or(DEFAULT, |(_, limit)| *limit)
}

fn too_large(limit: u64) -> Problem {
    let kib = limit / KIB;
    Problem::new(Code::BodyTooLarge)
        .detail(format!("请求体不能超过 {kib} KiB"), format!("A body may have at most {kib} KiB here"))
}

pub struct LimitBodies;

impl Layer for LimitBodies {
    async fn answer(&self, mut request: Request, inner: &impl Inner) -> Result<Response> {
        let limit = limit(request.uri().path());
        let declared = request.header(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit).into());
        }
        let is_over = Arc::new(AtomicBool::new(false));
        if declared.is_none() {
            let body = request.take_body();
            request.set_body(count(body, limit, Arc::clone(&is_over)));
        }
        let answer = inner.call(request).await;
        if is_over.load(Ordering::Relaxed) {
            return Err(too_large(limit).into());
        }
        answer
    }
}

/// Wraps a body of undeclared length. When the body exceeds the limit, reading it fails, and `is_over` becomes true.
fn count(body: Body, limit: u64, is_over: Arc<AtomicBool>) -> Body {
    if body.is_empty() {
        return body;
    }
    let mut left = limit;
    Body::from_bytes_stream(body.into_bytes_stream().map(move |part: io::Result<Bytes>| {
        let part = part?;
        let Some(rest) = left.checked_sub(part.len() as u64) else {
            is_over.store(true, Ordering::Relaxed);
            return Err(io::Error::other("the body is too large"));
        };
        left = rest;
        Ok(part)
    }))
}
