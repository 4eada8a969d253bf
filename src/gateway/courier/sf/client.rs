//! One call to SF: a digested body in a form.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::digest::digest;
use super::settings::Settings;
use crate::domain::kernel::clock::{Clock, Instant, fresh_uuid, until_beijing_midnight};
use crate::gateway::courier::refusal::{self, Kind, Refusal};
use crate::gateway::shared::http::Http;

/// All services share one path; `serviceCode` tells them apart.
const PATH: &str = "std/service";

/// How often in a row SF said "too fast". It limits flow by the second and by the day, and does not say which limit was hit.
#[derive(Default)]
pub(super) struct Flow(AtomicU32);

/// More than that in a row are no second's burst: the day's quota may be used up.
const BURST: u32 = 20;
/// The first rest then, in case it was a burst after all. It doubles with as many refusals again: a licence waits no hour for
/// a bad minute at SF.
const FIRST_REST: Duration = Duration::from_secs(60);
/// How long is rested at the most, before it is tried whether SF has more to give.
const LONGEST_REST: Duration = Duration::from_secs(3_600);

/// How long to rest after so many refusals in a row and one more; `None` after a mere burst.
fn rest(refusals: u32) -> Option<Duration> {
    let doublings = (refusals / BURST).checked_sub(1)?;
    Some(FIRST_REST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_REST))
}

impl Flow {
    /// The same answer; one that says "too fast" with how long to wait.
    fn judge(&self, answer: Result<Value, Refusal>, now: Instant) -> Result<Value, Refusal> {
        match answer {
            Err(refusal) if matches!(refusal.kind, Kind::Throttled { .. }) => {
                Err(match rest(self.0.fetch_add(1, Ordering::Relaxed)) {
                    None => refusal,
                    Some(rest) => {
                        let after = Some(rest.min(until_beijing_midnight(now)));
                        let detail = format!("{}, the day's quota it seems", refusal.detail);
                        Refusal { kind: Kind::Throttled { after }, detail }
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

/// Calls SF in the name of one account.
pub(super) struct Client {
    pub(super) http: Http,
    /// Clients for the places where label files lie.
    pub(super) label_places: Vec<Http>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) flow: Flow,
}

impl Client {
    /// Calls one service, and reads the answer's content.
    pub(super) async fn call(&self, service: &'static str, content: &impl Serialize) -> Result<Value, Refusal> {
        let msg_data = serde_json::to_string(content)
            .map_err(|_| Refusal::new(Kind::Misconfigured, "the request cannot be written"))?;
        let mut answer = self.call_once(service, &msg_data).await;
        if matches!(answer, Err(Refusal { kind: Kind::TooOld, .. })) {
            // It waited somewhere, or our clock is wrong. A fresh one tells which.
            answer = self.call_once(service, &msg_data).await;
        }
        self.flow.judge(answer, self.clock.now())
    }

    async fn call_once(&self, service: &'static str, msg_data: &str) -> Result<Value, Refusal> {
        let timestamp = self.clock.now().timestamp_millis().to_string();
        let form = [
            ("partnerID", self.settings.partner_id.as_str()),
            ("requestID", &fresh_uuid().to_string()), // a repeated one is refused with A1007
            ("serviceCode", service),
            ("timestamp", &timestamp),
            ("msgDigest", &digest(msg_data, &timestamp, &self.settings.check_word)),
            ("msgData", msg_data),
        ];
        let request = self.http.request(Method::POST, PATH);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8").form(&form);
        answer::read(&refusal::body(self.http.send(request).await?)?)
    }

    /// Fetches a label file with its token, if it lies where the settings say that files may lie.
    pub(super) async fn fetch(&self, url: &Url, token: &str) -> Result<Vec<u8>, Refusal> {
        let mut places = std::iter::once(&self.http).chain(&self.label_places);
        let (http, request) = places
            .find_map(|http| Some((http, http.request_below(Method::GET, url)?)))
            .ok_or_else(|| Refusal::new(Kind::Misconfigured, "the label is at no place of SONGDA_SF_LABEL_URLS"))?;
        let answer = http.send(request.header("X-Auth-token", token)).await?;
        Ok(refusal::body(answer)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_refusals_in_a_row_are_the_days_quota() {
        let (flow, moment) = (Flow::default(), Some(Duration::from_secs(2)));
        let judge = |answer, at: &str| flow.judge(answer, at.parse().unwrap()).map_err(|refusal| refusal.kind);
        let too_fast = || Err(Refusal::new(Kind::Throttled { after: moment }, "A1005"));
        let noon = "2026-01-02T04:00:00Z";
        for _ in 0..BURST {
            assert_eq!(judge(too_fast(), noon), Err(Kind::Throttled { after: moment }));
        }
        let rested = |minutes: u64| Err(Kind::Throttled { after: Some(Duration::from_secs(60 * minutes)) });
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            for _ in 0..BURST {
                assert_eq!(judge(too_fast(), noon), rested(minutes));
            }
        }
        let after = Some(Duration::from_secs(600));
        assert_eq!(judge(too_fast(), "2026-01-02T15:50:00Z"), Err(Kind::Throttled { after }), "until midnight");
        assert_eq!(judge(Ok(Value::Null), noon), Ok(Value::Null));
        assert_eq!(judge(too_fast(), noon), Err(Kind::Throttled { after: moment }), "a burst");
    }
}
