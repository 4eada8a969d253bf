//! A client of SF's services. A request is a form that contains JSON and its digest. The client also recognises that
//! the daily quota is used up.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde_json::Value;

use super::answer;
use super::digest::digest;
use super::settings::SfSettings;
use crate::domain::delivery::parcel::CarrierCode;
use crate::domain::kernel::clock::{Clock, Instant, fresh_uuid, until_beijing_midnight};
use crate::gateway::courier::refusal::{self, CarrierRefusal, RefusalKind};

/// The path of all services; the field `serviceCode` selects one.
const PATH: &str = "std/service";

/// Counts consecutive throttled answers. SF limits calls per second and per day, and its answer does not say which
/// limit was reached.
#[derive(Default)]
pub(super) struct Throttling(AtomicU32);

/// Up to this number of consecutive refusals, the limit per second is assumed to be the cause. After more refusals, the
/// daily quota may be used up.
const BURST: u32 = 20;
/// The first wait if the daily quota may be used up. The wait doubles after every further [`BURST`] refusals. It starts
/// short, so that a parcel does not wait for an hour if only the limit per second was reached.
const FIRST_REST: Duration = Duration::from_secs(60);
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// Returns the wait after a throttled answer that directly follows `refusals` other throttled answers; `None` if the
/// limit per second is the likely cause.
fn wait_after(refusals: u32) -> Option<Duration> {
    let doublings = (refusals / BURST).checked_sub(1)?;
    Some(FIRST_REST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_REST))
}

impl Throttling {
    /// Counts `answer` if it is throttled, and otherwise resets the count to zero. Returns `answer`. If the daily quota
    /// may be used up, the returned refusal contains a longer wait.
    fn observe(&self, answer: Result<Value, CarrierRefusal>, now: Instant) -> Result<Value, CarrierRefusal> {
        if !matches!(answer, Err(CarrierRefusal { kind: RefusalKind::Throttled { .. }, .. })) {
            self.0.store(0, Ordering::Relaxed);
            return answer;
        }
        let Some(wait) = wait_after(self.0.fetch_add(1, Ordering::Relaxed)) else { return answer };
        let kind = RefusalKind::Throttled { after: Some(wait.min(until_beijing_midnight(now))) };
        answer.map_err(|refusal| CarrierRefusal::new(kind, format!("{}, probably the daily quota", refusal.detail)))
    }
}

pub(super) struct Sf {
    pub(super) code: CarrierCode,
    pub(super) settings: SfSettings,
    pub(super) clock: Clock,
    pub(super) throttling: Throttling,
}

impl Sf {
    /// Calls a service and returns the content of its answer. If SF refuses the request as too old, sends it once more
    /// with a new timestamp.
    pub(super) async fn call(&self, service: &'static str, content: &Value) -> Result<Value, CarrierRefusal> {
        let msg_data = content.to_string();
        let mut answer = self.call_once(service, &msg_data).await;
        if matches!(answer, Err(CarrierRefusal { kind: RefusalKind::TooOld, .. })) {
            // Either the request was delayed, or our clock is wrong. If the second request is refused too, our clock is
            // wrong.
            answer = self.call_once(service, &msg_data).await;
        }
        self.throttling.observe(answer, self.clock.now())
    }

    async fn call_once(&self, service: &'static str, msg_data: &str) -> Result<Value, CarrierRefusal> {
        let timestamp = self.clock.now().timestamp_millis().to_string();
        let form = [
            ("partnerID", self.settings.partner_id.as_str()),
            ("requestID", &fresh_uuid().to_string()), // SF refuses a repeated one with A1007
            ("serviceCode", service),
            ("timestamp", &timestamp),
            ("msgDigest", &digest(msg_data, &timestamp, &self.settings.check_word)),
            ("msgData", msg_data),
        ];
        let http = &self.settings.http;
        let request = http.request(Method::POST, PATH);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8").form(&form);
        answer::read(&refusal::body(http.send(request).await?)?)
    }

    /// Downloads a label file with its token. The URL must be below `SONGDA_SF_URL` or one of `SONGDA_SF_LABEL_URLS`.
    pub(super) async fn fetch(&self, url: &Url, token: &str) -> Result<Vec<u8>, CarrierRefusal> {
        let mut hosts = std::iter::once(&self.settings.http).chain(&self.settings.label_hosts);
        let (http, request) =
            hosts.find_map(|http| Some((http, http.request_below(Method::GET, url)?))).ok_or_else(|| {
                CarrierRefusal::new(RefusalKind::Misconfigured, "the label is not below SONGDA_SF_LABEL_URLS")
            })?;
        let answer = http.send(request.header("X-Auth-token", token)).await?;
        Ok(refusal::body(answer)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_in_a_row_count_as_the_daily_quota() {
        let throttling = Throttling::default();
        let moment = Some(Duration::from_secs(2));
        let observe =
            |answer, at: &str| throttling.observe(answer, at.parse().unwrap()).map_err(|refusal| refusal.kind);
        let too_fast = || Err(CarrierRefusal::new(RefusalKind::Throttled { after: moment }, "A1005"));
        let noon = "2026-01-02T04:00:00Z";
        for _ in 0..BURST {
            assert_eq!(observe(too_fast(), noon), Err(RefusalKind::Throttled { after: moment }));
        }
        let waits = |minutes: u64| Err(RefusalKind::Throttled { after: Some(Duration::from_secs(60 * minutes)) });
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..BURST {
                assert_eq!(observe(too_fast(), noon), waits(minutes));
            }
        }
        assert_eq!(observe(too_fast(), "2026-01-02T15:50:00Z"), waits(10), "until midnight");
        assert_eq!(observe(Ok(Value::Null), noon), Ok(Value::Null));
        assert_eq!(observe(too_fast(), noon), Err(RefusalKind::Throttled { after: moment }), "a burst");
    }
}
