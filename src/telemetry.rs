//! Logs: one JSON object a line (or plain text for people), without personal data. Filter with `SONGDA_LOG`.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::env::Env;

/// How to log.
#[derive(Debug, Clone)]
pub struct LogSettings {
    filter: String,
    plain: bool,
}

impl LogSettings {
    /// Reads the settings.
    pub fn read(env: &mut Env) -> Option<Self> {
        let filter =
            env.or("SONGDA_LOG", "info", "what is logged: a level, or directives like `info,songda::worker=debug`");
        let plain = env.or("SONGDA_LOG_PLAIN", "false", "plain text for people instead of one JSON object a line");
        Some(Self { filter: filter?, plain: plain? })
    }
}

/// Starts logging to standard error. Later calls in one process change nothing.
pub fn start(settings: &LogSettings) {
    // A second call (tests in one process) finds a subscriber in place, which is as good.
    let _ = subscriber(settings, std::io::stderr).try_init();
}

/// What writes the log as the settings say.
pub fn subscriber<W>(settings: &LogSettings, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::NONE).with_writer(writer);
    if settings.plain { Box::new(builder.finish()) } else { Box::new(builder.json().flatten_event(true).finish()) }
}
