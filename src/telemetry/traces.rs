//! Sends spans to a collector by OTLP over HTTP. Ended spans wait in a bounded queue. A separate thread sends them, so
//! no request waits for the collector. If the collector is slow or unreachable, spans are dropped.

use std::str::FromStr;
use std::time::Duration;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, SamplingResult,
    SdkTracerProvider, ShouldSample,
};

use crate::env::Env;
use crate::trace;

#[derive(Debug, Clone)]
pub struct TraceSettings {
    collector: Option<Collector>,
    share: Share,
}

impl TraceSettings {
    pub fn read(env: &mut Env) -> Option<Self> {
        let collector = env.optional(
            "SONGDA_OTLP_ENDPOINT",
            "collector of spans, by OTLP over HTTP (`http://collector:4318`); without it no spans are made",
        );
        let share = env.or(
            "SONGDA_TRACE_SHARE",
            "1",
            "share of requests to trace, from 0 to 1, whatever the caller's `traceparent` says",
        );
        Some(Self { collector, share: share? })
    }
}

/// The base URL of the collector, without a slash at the end.
#[derive(Debug, Clone)]
struct Collector(String);

impl FromStr for Collector {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_http = text.starts_with("http://") || text.starts_with("https://");
        let url: url::Url = text.parse().map_err(drop)?;
        (is_http && url.has_host()).then(|| Self(text.trim_end_matches('/').to_owned())).ok_or(())
    }
}

/// The share of requests to trace, from 0 to 1.
#[derive(Debug, Clone, Copy)]
struct Share(f64);

impl FromStr for Share {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let share = text.parse().map_err(drop)?;
        (0.0..=1.0).contains(&share).then_some(Self(share)).ok_or(())
    }
}

/// The maximum number of ended spans in the queue. Further spans are dropped.
const QUEUE: usize = 4_096;
/// The maximum number of spans in one message to the collector.
const BATCH: usize = 512;
/// The interval at which waiting spans are sent, even if they do not fill a message.
const EVERY: Duration = Duration::from_secs(2);
/// The time-out for the collector's answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The time limit for sending the last spans when the process ends.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// The sender of spans; `None` if no collector is configured.
#[must_use = "`finish` sends the last spans"]
pub struct Traces(Option<SdkTracerProvider>);

/// Turns traces on if a collector is configured. `part` is the sub-command of this process: `serve`, `work` or `all`.
pub fn start(settings: &TraceSettings, part: &'static str) -> Result<Traces, ExporterBuildError> {
    let Some(Collector(base)) = &settings.collector else { return Ok(Traces(None)) };
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{base}/v1/traces"))
        .with_timeout(ANSWER_WITHIN)
        .build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(EVERY);
    let resource = Resource::builder()
        .with_service_name("songda")
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("songda.part", part),
        ])
        .build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(ShareOfRequests { share: Sampler::TraceIdRatioBased(settings.share.0) })
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build())
        .build();
    trace::begin(provider.tracer("songda"));
    Ok(Traces(Some(provider)))
}

impl Traces {
    /// Sends the spans that are still in the queue, for at most two seconds.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let finished = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FINISH_WITHIN)).await;
        if !matches!(finished, Ok(Ok(()))) {
            tracing::warn!("the collector did not take the last spans");
        }
    }
}

/// Decides which traces are sent: the configured share of requests, and an attempt at a job if the request that caused
/// the job was traced.
///
/// The caller of a request decides nothing: a stranger could send every request to the collector, or keep its own ones
/// out. Neither the flag in its `traceparent` counts nor its trace id, which a share by trace ids would look at.
#[derive(Debug, Clone)]
struct ShareOfRequests {
    share: Sampler,
}

impl ShouldSample for ShareOfRequests {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent =
            parent.filter(|parent| parent.has_active_span()).map(|parent| parent.span().span_context().clone());
        let parent_says = parent.filter(|parent| !parent.is_remote()).map(|parent| parent.is_sampled());
        let cause_says = || links.first().map(|link| link.span_context.is_sampled());
        let decision = match parent_says.or_else(cause_says) {
            Some(true) => SamplingDecision::RecordAndSample,
            Some(false) => SamplingDecision::Drop,
            None => {
                let drawn = RandomIdGenerator::default().new_trace_id();
                return self.share.should_sample(None, drawn, name, kind, attributes, links);
            }
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    use super::*;

    #[test]
    fn a_caller_decides_neither_by_its_flag_nor_by_its_trace_id() {
        let decide = |share: f64, trace: &str, flags: u8| {
            let trace = TraceId::from_hex(trace).unwrap();
            let flags = TraceFlags::new(flags);
            let caller = SpanContext::new(trace, SpanId::from_bytes([7; 8]), flags, true, TraceState::default());
            let parent = Context::new().with_remote_span_context(caller);
            let shares = ShareOfRequests { share: Sampler::TraceIdRatioBased(share) };
            shares.should_sample(Some(&parent), trace, "request", &SpanKind::Server, &[], &[]).decision
        };
        // By the ratio of trace ids, the first id is in every share and the second one in none below one.
        for trace in ["00000000000000000000000000000001", "ffffffffffffffffffffffffffffffff"] {
            assert_eq!(decide(0.0, trace, 1), SamplingDecision::Drop);
            assert_eq!(decide(1.0, trace, 0), SamplingDecision::RecordAndSample);
            let half: Vec<_> = (0..100).map(|_| decide(0.5, trace, 1)).collect();
            assert!(half.contains(&SamplingDecision::Drop) && half.contains(&SamplingDecision::RecordAndSample));
        }
    }

    #[test]
    fn a_wrong_collector_or_share_is_a_fault() {
        for (name, wrong) in [
            ("SONGDA_OTLP_ENDPOINT", "collector:4318"),
            ("SONGDA_OTLP_ENDPOINT", "http://"),
            ("SONGDA_TRACE_SHARE", "NaN"),
            ("SONGDA_TRACE_SHARE", "10"),
        ] {
            let mut env = Env::of([(name, wrong)]);
            let _ = TraceSettings::read(&mut env);
            assert_eq!(env.faults().len(), 1, "{name}={wrong}");
        }
        let mut env = Env::of([("SONGDA_OTLP_ENDPOINT", "http://collector:4318/"), ("SONGDA_TRACE_SHARE", "0.1")]);
        assert!(TraceSettings::read(&mut env).is_some_and(|settings| settings.collector.is_some()));
    }
}
