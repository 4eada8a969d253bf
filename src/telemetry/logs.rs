//! Writes the log to standard error: one JSON object per line, or plain text. The log contains no personal data.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::env::Env;

#[derive(Debug, Clone)]
pub struct LogSettings {
    filter: String,
    plain: bool,
}

impl LogSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let filter =
            env.or("SONGDA_LOG", "info", "what is logged: a level, or directives like `info,songda::worker=debug`");
        let plain = env.or("SONGDA_LOG_PLAIN", "false", "plain text for people instead of one JSON object a line");
        Some(Self { filter: filter?, plain: plain? })
    }
}

pub fn start(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::NONE).with_writer(std::io::stderr);
    // A second call in one process, as in tests, fails and changes nothing.
    let _ = if settings.plain { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
}
