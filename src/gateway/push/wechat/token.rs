//! The access token (微信《获取稳定版接口调用凭据》, `stable_token`). A process keeps a token until shortly before the token expires.
//! If WeChat rejects the token earlier, the process fetches a new one. A refresh is never forced: it would end the
//! token of the other processes, and WeChat allows only twenty forced refreshes a day.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;

use crate::domain::kernel::clock::{Clock, Instant, random_below};
use crate::domain::kernel::private::Private;
use crate::gateway::push::{PushFact, PushReport};
use crate::gateway::shared::wechat::{MiniProgram, WechatReply};
use crate::single_flight::SingleFlight;

use super::answer::fact;

/// An access token. WeChat requires it in the query string of a request, so query strings must never be logged.
pub type AccessToken = Private<String>;

/// A token, and the time at which the next token must be fetched.
#[derive(Clone)]
struct Held {
    token: AccessToken,
    until: Instant,
}

/// The account's access token, fetched on demand. If the fetch fails, the error is the report on the message that could
/// not be sent without a token.
pub struct AccessTokens {
    source: Arc<Source>,
    held: SingleFlight<Held, PushReport>,
}

struct Source {
    account: MiniProgram,
    clock: Clock,
}

impl AccessTokens {
    pub fn new(account: MiniProgram, clock: Clock) -> Self {
        Self { source: Arc::new(Source { account, clock }), held: SingleFlight::new() }
    }

    pub async fn current(&self) -> Result<AccessToken, PushReport> {
        self.other_than(None).await
    }

    /// Fetches a new token after WeChat rejected one. The result may be the rejected token, if WeChat still issues it.
    pub async fn renewed(&self, rejected: &AccessToken) -> Result<AccessToken, PushReport> {
        self.other_than(Some(rejected)).await
    }

    /// Returns a token that differs from `rejected`, if possible. Simultaneous callers share one fetch and its outcome:
    /// if WeChat does not answer, they all wait for the same time-out.
    async fn other_than(&self, rejected: Option<&AccessToken>) -> Result<AccessToken, PushReport> {
        let now = self.source.clock.now();
        self.held.forget_if(|held| rejected == Some(&held.token) || now >= held.until);
        let source = Arc::clone(&self.source);
        let held = self.held.get(|| async move { source.fetch().await }).await?;
        Ok(held.token)
    }
}

impl Source {
    async fn fetch(&self) -> Result<Held, PushReport> {
        let http = &self.account.http;
        let request = http.request(Method::POST, "/cgi-bin/stable_token").json(&serde_json::json!({
            "grant_type": "client_credential",
            "appid": self.account.appid,
            "secret": self.account.secret,
            "force_refresh": false,
        }));
        let unavailable = |why: String| PushReport::new(PushFact::Unavailable, format!("no access token: {why}"));
        // If this fetch fails, the message that needs the token was certainly not sent.
        let answer = http.send(request).await.map_err(|fault| unavailable(fault.to_string()))?;
        if let Ok(granted) = serde_json::from_slice::<Granted>(&answer.body) {
            return Ok(Held { token: granted.access_token, until: self.clock.now() + keep_for(granted.expires_in) });
        }
        match WechatReply::read(&answer.body) {
            Some(reply @ WechatReply { code: Some(code), .. }) if code != 0 => {
                let detail = format!("no access token: {}", reply.detail());
                let fact = fact(code, self.clock.now());
                Err(fact.map_or_else(|| PushReport::unexplained(&detail), |fact| PushReport::new(fact, &detail)))
            }
            _ => Err(unavailable(format!("HTTP {} without a readable body", answer.status.as_u16()))),
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: AccessToken,
    expires_in: u64,
}

/// Returns how long a token is kept: until five minutes before it expires, when WeChat begins to issue the next token.
/// Up to one random minute is subtracted, so that the processes do not all fetch at once. The result is at least one
/// minute.
fn keep_for(expires_in: u64) -> Duration {
    const LAST: u64 = 300;
    const LEAST: u64 = 60;
    Duration::from_secs(expires_in.min(86_400).saturating_sub(LAST + random_below(60)).max(LEAST))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use chrono::TimeDelta;

    use super::*;
    use crate::gateway::shared::http::HttpSettings;
    use crate::gateway::shared::loopback::{Loopback, LoopbackReply, json, unreachable};

    fn tokens(at: &HttpSettings, clock: Clock) -> AccessTokens {
        AccessTokens::new(MiniProgram::sample(at), clock)
    }

    async fn gateway() -> Loopback {
        let served = AtomicU64::new(0);
        Loopback::start(move |_| {
            let number = served.fetch_add(1, Ordering::SeqCst) + 1;
            json(&serde_json::json!({"access_token": format!("token-{number}"), "expires_in": 7200}))
        })
        .await
    }

    fn noon() -> Instant {
        "2026-01-02T04:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn simultaneous_callers_fetch_once() {
        let gateway = gateway().await;
        let tokens = tokens(&gateway.settings, Clock::frozen(noon()));
        let (a, b, c) = tokio::join!(tokens.current(), tokens.current(), tokens.current());
        assert!(a.is_ok() && a == b && b == c);
        assert_eq!(gateway.calls().len(), 1);
        let asked = gateway.calls()[0].json();
        assert_eq!(asked["force_refresh"], false);
        assert_eq!(asked["secret"], "hush");
        assert!(gateway.calls()[0].query.is_empty());
    }

    #[tokio::test]
    async fn simultaneous_callers_share_a_failure() {
        let gateway = Loopback::always(LoopbackReply::Says(502, "<html>".to_owned())).await;
        let tokens = tokens(&gateway.settings, Clock::frozen(noon()));
        let (a, b, c) = tokio::join!(tokens.current(), tokens.current(), tokens.current());
        assert_eq!(a.clone().unwrap_err().fact, PushFact::Unavailable);
        assert!(a == b && b == c);
        assert_eq!(gateway.calls().len(), 1);
        assert!(tokens.current().await.is_err(), "the next caller tries again");
        assert_eq!(gateway.calls().len(), 2);
    }

    #[tokio::test]
    async fn a_token_is_kept_until_its_last_five_minutes() {
        let gateway = gateway().await;
        let minutes = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&minutes);
        let clock = Clock::told(move || noon() + TimeDelta::minutes(shown.load(Ordering::SeqCst)));
        let tokens = tokens(&gateway.settings, clock);
        let first = tokens.current().await.unwrap();
        minutes.store(113, Ordering::SeqCst);
        assert_eq!(tokens.current().await.unwrap(), first);
        minutes.store(115, Ordering::SeqCst);
        assert_ne!(tokens.current().await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_rejected_token_is_replaced_once_for_all_its_users() {
        let gateway = gateway().await;
        let tokens = tokens(&gateway.settings, Clock::frozen(noon()));
        let first = tokens.current().await.unwrap();
        let (a, b) = tokio::join!(tokens.renewed(&first), tokens.renewed(&first));
        assert!(a == b && a.as_ref() != Ok(&first));
        assert_eq!(tokens.renewed(&first).await, a, "a late caller gets the new one");
        assert_eq!(gateway.calls().len(), 2);
    }

    #[tokio::test]
    async fn each_refusal_has_its_fact() {
        for (code, fact) in [
            (40001, PushFact::Misconfigured),
            (40125, PushFact::Misconfigured),
            (-1, PushFact::Unavailable),
            (45011, PushFact::Throttled { after: Some(Duration::from_mins(1)) }),
            (45009, PushFact::Throttled { after: Some(Duration::from_hours(12)) }),
        ] {
            let gateway = Loopback::answering(serde_json::json!({"errcode": code, "errmsg": "no"})).await;
            let report = tokens(&gateway.settings, Clock::frozen(noon())).current().await.unwrap_err();
            assert_eq!(report.fact, fact, "{code}");
        }
        let gateway = Loopback::always(LoopbackReply::HangsUp).await;
        for settings in [gateway.settings.clone(), unreachable().await] {
            let report = tokens(&settings, Clock::frozen(noon())).current().await.unwrap_err();
            assert_eq!(report.fact, PushFact::Unavailable, "the message was certainly not sent");
        }
    }

    #[test]
    fn the_time_that_a_token_is_kept_has_bounds() {
        assert_eq!(keep_for(300), Duration::from_mins(1));
        assert!((6_840..=6_900).contains(&keep_for(7_200).as_secs()));
        assert!(keep_for(u64::MAX) <= Duration::from_hours(24));
    }
}
