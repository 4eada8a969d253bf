//! Monitoring: a process's metrics and readiness, and the files for Prometheus and Grafana.

mod files;
mod metrics;
mod readiness;
mod scrape;
