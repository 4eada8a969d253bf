//! The id, trace, language and caller's address of the current request. They are task-local, so that functions need no
//! parameter for them.

use std::future::Future;
use std::sync::Arc;

use poem::http::{HeaderMap, HeaderName, header};

use crate::domain::kernel::clock::{fresh, random_number};
use crate::domain::kernel::ids::RequestId;
use crate::domain::kernel::network::CallerAddress;
use crate::domain::kernel::text::Language;
use crate::trace::Span;

pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The trace header of W3C Trace Context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The properties of the request that the current task handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// A fresh `req_…`. A caller cannot choose it: then two requests could have one id in the log.
    pub id: String,
    /// The caller's own `X-Request-Id`, for the log; `None` if its characters are not harmless.
    pub callers_id: Option<String>,
    /// The `traceparent` for the jobs that this request adds, and for the response: the caller's trace id, or a new
    /// one, with a span id and a sampling flag of this process.
    pub traceparent: String,
    /// The language of the response.
    pub language: Language,
    /// `None` if the request came over no network.
    pub address: Option<CallerAddress>,
}

tokio::task_local! {
    static CURRENT: Arc<Current>;
}

/// Returns the current request. Outside of a request, returns a substitute with a fresh id and Chinese as its language.
pub fn current_request() -> Arc<Current> {
    CURRENT.try_with(Arc::clone).unwrap_or_else(|_| Arc::new(Current::of(&HeaderMap::new(), &Span::default(), None)))
}

impl Current {
    pub fn of(headers: &HeaderMap, span: &Span, address: Option<CallerAddress>) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        Self {
            id: fresh(RequestId::from_uuid).to_string(),
            callers_id: text(&X_REQUEST_ID).filter(|id| is_harmless(id)).map(str::to_owned),
            traceparent: span.traceparent().unwrap_or_else(|| continue_trace(text(&TRACEPARENT))),
            language: Language::negotiate(text(&header::ACCEPT_LANGUAGE)),
            address,
        }
    }

    #[cfg(test)]
    pub fn of_test(language: Language) -> Self {
        Self { language, ..Self::of(&HeaderMap::new(), &Span::default(), None) }
    }

    /// Runs a future in which [`current_request`] returns this request.
    pub fn scope<F: Future>(self: Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }
}

/// True if a caller's request id is safe in a log line.
fn is_harmless(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// Builds a `traceparent` with a new span id, for a request that is not traced. Keeps the trace id of the caller's
/// `parent`, and begins a new trace if it is absent or invalid. The caller's sampling flag is not kept, because the
/// jobs of the request would be traced by it.
fn continue_trace(parent: Option<&str>) -> String {
    let span = hex::encode(random_number::<u64>().to_be_bytes());
    match parent.and_then(read_trace) {
        Some(trace) => ["00-", trace, "-", &span, "-00"].concat(),
        None => ["00-", &hex::encode(random_number::<u128>().to_be_bytes()), "-", &span, "-00"].concat(),
    }
}

/// Returns the trace id of a `traceparent`; `None` if it is invalid.
fn read_trace(parent: &str) -> Option<&str> {
    let is_hex =
        |text: &str, length| text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|b| b != b'0');
    let mut fields = parent.split('-');
    let version = fields.next()?;
    let trace = fields.next()?;
    let span = fields.next()?;
    let flags = fields.next()?;
    let ends = fields.next().is_none() || version != "00"; // A later version can have more fields.
    let is_sound = is_hex(version, 2) && version != "ff" && is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2);
    (ends && is_sound).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"; // W3C Trace Context §3.2.1

    #[test]
    fn a_trace_continues_under_a_new_span_and_is_not_sampled() {
        let next = continue_trace(Some(PARENT));
        assert!(next.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && next.ends_with("-00"), "{next}");
        assert!(!next.contains("b7ad6b7169203331"));
    }

    #[test]
    fn a_broken_trace_is_replaced() {
        let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        for broken in [zeros, "", "00", &PARENT.to_uppercase(), &format!("{PARENT}-1"), &PARENT.replacen("00", "ff", 1)]
        {
            assert_eq!(read_trace(broken), None, "{broken}");
        }
        assert!(read_trace(&format!("{}-more", PARENT.replacen("00", "01", 1))).is_some(), "a later version");
        assert!(read_trace(&continue_trace(None)).is_some());
    }

    #[test]
    fn a_callers_id_is_kept_beside_ours_if_it_is_harmless() {
        let of = |id: &'static str| {
            let headers = HeaderMap::from_iter([(X_REQUEST_ID, id.parse().unwrap())]);
            Current::of(&headers, &Span::default(), None)
        };
        let known = of("mine-1");
        assert!(known.id.starts_with("req_") && known.callers_id.as_deref() == Some("mine-1"));
        assert_eq!(of("mine 1").callers_id, None);
        assert!(is_harmless("a.b_C-9"));
        assert!(!is_harmless("") && !is_harmless("a b") && !is_harmless("a\nb") && !is_harmless(&"x".repeat(129)));
    }
}
