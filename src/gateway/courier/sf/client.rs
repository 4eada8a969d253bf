//! One call to SF: a digested body in a form.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::digest::digest;
use super::settings::SfSettings;
use crate::domain::kernel::clock::{Clock, Instant, fresh_uuid, until_beijing_midnight};
use crate::gateway::courier::refusal::{self, CarrierRefusal, RefusalKind};
use crate::gateway::shared::http::Http;

/// All services share one path; `serviceCode` selects one.
const PATH: &str = "std/service";

/// Counts consecutive throttled answers. SF limits calls per second and per day, and does not say which limit was hit.
#[derive(Default)]
pub(super) struct Throttling(AtomicU32);

/// More refusals in a row are not a burst within a second: the daily quota may be used up.
const BURST: u32 = 20;
/// The first wait then, in case it was a burst after all. It doubles with every further [`BURST`] refusals, so that a licence
/// does not wait an hour for a bad minute at SF.
const FIRST_REST: Duration = Duration::from_secs(60);
/// The longest wait before SF is tried again.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// The wait after a number of earlier refusals in a row; `None` within a burst.
fn wait_after(refusals: u32) -> Option<Duration> {
    let doublings = (refusals / BURST).checked_sub(1)?;
    Some(FIRST_REST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_REST))
}

impl Throttling {
    /// The same answer. A throttled one gets the time to wait.
    fn observe(&self, answer: Result<Value, CarrierRefusal>, now: Instant) -> Result<Value, CarrierRefusal> {
        match answer {
            Err(refusal) if matches!(refusal.kind, RefusalKind::Throttled { .. }) => {
                Err(match wait_after(self.0.fetch_add(1, Ordering::Relaxed)) {
                    None => refusal,
                    Some(wait) => {
                        let after = Some(wait.min(until_beijing_midnight(now)));
                        let detail = format!("{}, probably the daily quota", refusal.detail);
                        CarrierRefusal { kind: RefusalKind::Throttled { after }, detail }
                    }
                })
            }
            other => {
                self.0.store(0, Ordering::Relaxed);
                other
            }
        }
    }
}

/// SF's client for one account.
pub(super) struct SfClient {
    pub(super) http: Http,
    /// Clients for the hosts of label files.
    pub(super) label_hosts: Vec<Http>,
    pub(super) settings: SfSettings,
    pub(super) clock: Clock,
    pub(super) throttling: Throttling,
}

impl SfClient {
    /// Calls a service and returns the answer's content. Sends the request again if it was too old on arrival.
    pub(super) async fn call(&self, service: &'static str, content: &impl Serialize) -> Result<Value, CarrierRefusal> {
        let msg_data = serde_json::to_string(content)
            .map_err(|_| CarrierRefusal::new(RefusalKind::Misconfigured, "the request cannot be written"))?;
        let mut answer = self.call_once(service, &msg_data).await;
        if matches!(answer, Err(CarrierRefusal { kind: RefusalKind::TooOld, .. })) {
            // Either the request was delayed or our clock is wrong. A second one shows which.
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
        let request = self.http.request(Method::POST, PATH);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8").form(&form);
        answer::read(&refusal::body(self.http.send(request).await?)?)
    }

    /// Fetches a label file with its token, if it is below a URL of the settings.
    pub(super) async fn fetch(&self, url: &Url, token: &str) -> Result<Vec<u8>, CarrierRefusal> {
        let mut hosts = std::iter::once(&self.http).chain(&self.label_hosts);
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
        let after = Some(Duration::from_secs(600));
        assert_eq!(
            observe(too_fast(), "2026-01-02T15:50:00Z"),
            Err(RefusalKind::Throttled { after }),
            "until midnight"
        );
        assert_eq!(observe(Ok(Value::Null), noon), Ok(Value::Null));
        assert_eq!(observe(too_fast(), noon), Err(RefusalKind::Throttled { after: moment }), "a burst");
    }
}
