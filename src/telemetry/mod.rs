//! Logs to standard error, and traces to a collector. Metrics are in `crate::metrics`, because Prometheus pulls them.

pub mod logs;
pub mod traces;
