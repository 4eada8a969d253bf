//! Watching over a process: what it counts, whether it is ready, and the files by which Prometheus and Grafana do it.

mod files;
mod journey;
mod readiness;
mod scrape;
