//! A running call. When it ends, it is counted and its span ends, even if the caller has given up waiting: calls of a gateway
//! that hangs must be visible.

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::gateways::{CallClass, Calls};
use crate::trace::Span;

/// A running call. Dropping it ends it.
pub(in crate::gateway) struct Underway<'a> {
    calls: &'a Calls,
    span: Span,
    since: Stopwatch,
    class: CallClass,
}

impl<'a> Underway<'a> {
    pub(in crate::gateway) fn begin(calls: &'a Calls, method: &str) -> Self {
        let span = Span::call(calls.gateway(), method);
        Self { calls, span, since: Stopwatch::start(), class: CallClass::Unclear }
    }

    /// Ends the call with an outcome. A call that is dropped without one is unclear.
    pub(in crate::gateway) fn end(mut self, class: CallClass) {
        self.class = class;
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.calls.ended(self.class, self.since.elapsed());
        match self.class {
            CallClass::Status(status) => self.span.returned(status),
            CallClass::NotSent | CallClass::Unclear => self.span.failed(self.class.name()),
        }
    }
}
