//! A call that is under way. When it ends it is counted and its span ends, even if nobody waits for it any more: a gateway
//! that hangs is given up by whoever called it, and that is what must be seen.

use crate::domain::kernel::clock::Stopwatch;
use crate::metrics::gateways::{Calls, Class};
use crate::trace::Span;

use crate::gateway::shared::http::{Answer, HttpFault};

/// A call that is under way.
pub(in crate::gateway) struct Underway<'a> {
    calls: &'a Calls,
    span: Span,
    since: Stopwatch,
    class: Class,
}

impl<'a> Underway<'a> {
    pub(in crate::gateway) fn begin(calls: &'a Calls, method: &str) -> Self {
        let (span, since) = (Span::call(calls.gateway(), method), Stopwatch::start());
        Self { calls, span, since, class: Class::Unclear }
    }

    /// It ended so.
    pub(in crate::gateway) fn end(mut self, outcome: &Result<Answer, HttpFault>) {
        self.class = match outcome {
            Ok(answer) => Class::Status(answer.status.as_u16()),
            Err(HttpFault::NotSent(_)) => Class::NotSent,
            Err(HttpFault::Unclear(_)) => Class::Unclear,
        };
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.calls.ended(self.class, self.since.elapsed());
        match self.class {
            Class::Status(status) => self.span.returned(status),
            Class::NotSent | Class::Unclear => self.span.failed(self.class.name()),
        }
    }
}
