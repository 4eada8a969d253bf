//! A running call to a gateway. Its end is counted and ends its span even if our caller has stopped waiting, because an operator
//! must see a gateway that hangs.

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::gateways::{CallClass, Calls};
use crate::trace::Span;

/// A running call, which ends when this is dropped.
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

    /// Ends the call with an outcome. A call that is dropped without an outcome counts as unclear.
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
