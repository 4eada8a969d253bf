//! WeChat sign-in: a code of `wx.login` for the person's openid (微信《小程序登录》, `code2Session`).

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;

use super::{LoginAdapter, LoginFault, LoginGateway, PlatformAccount};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::http::{Http, HttpAnswer};
use crate::gateway::shared::wechat::{MiniProgram, WechatReply};

/// The platform, as `registry.rs` lists it. The twin of `push::wechat` plays it: both are one host with one account.
pub const ADAPTER: LoginAdapter = LoginAdapter { code: "wechat", build };

/// The mini-program's sign-in.
pub struct WechatLogin {
    http: Http,
    account: MiniProgram,
}

/// Builds the gateway from the settings.
fn build(env: &mut Env, _: &Clock) -> Option<Arc<dyn LoginGateway>> {
    if !env.or::<bool>("SONGDA_WECHAT_LOGIN_ENABLED", "true", "`true`: people can sign in through the mini-program")? {
        return None;
    }
    let account = MiniProgram::read(env)?;
    match WechatLogin::new(account) {
        Ok(gateway) => Some(Arc::new(gateway)),
        Err(error) => {
            env.fault(format!("no HTTP client for WeChat: {error}"));
            None
        }
    }
}

impl WechatLogin {
    /// Sign-in for one mini-program.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(account: MiniProgram) -> Result<Self, reqwest::Error> {
        Ok(Self { http: Http::new(&account.http)?, account })
    }

    fn understand(&self, answer: &HttpAnswer) -> Result<PlatformAccount, LoginFault> {
        if let Ok(session) = serde_json::from_slice::<Session>(&answer.body) {
            let appid = self.account.appid.clone();
            return Ok(PlatformAccount { appid, openid: session.openid, unionid: session.unionid });
        }
        let reply = WechatReply::read(&answer.body);
        let detail = reply.as_ref().map_or_else(|| "no readable answer".to_owned(), WechatReply::detail);
        tracing::warn!(status = answer.status.as_u16(), detail, "WeChat refused a sign-in");
        Err(fault(reply.and_then(|reply| reply.code)))
    }
}

#[async_trait]
impl LoginGateway for WechatLogin {
    async fn session(&self, code: &Private<String>) -> Result<PlatformAccount, LoginFault> {
        // By protocol, the query contains the secret and the code: this URL must never be logged.
        let request = self.http.request(Method::GET, "/sns/jscode2session").query(&[
            ("appid", self.account.appid.as_str()),
            ("secret", self.account.secret.expose()),
            ("js_code", code.expose()),
            ("grant_type", "authorization_code"),
        ]);
        match self.http.send(request).await {
            Ok(answer) => self.understand(&answer),
            Err(fault) => {
                tracing::warn!(%fault, "WeChat did not answer a sign-in");
                Err(LoginFault::Unavailable)
            }
        }
    }
}

/// A session. WeChat's `session_key` is not read, because nothing needs it.
#[derive(Deserialize)]
struct Session {
    openid: Private<String>,
    unionid: Option<Private<String>>,
}

/// The meaning of an `errcode`. An undocumented one counts as temporary.
fn fault(code: Option<i64>) -> LoginFault {
    match code {
        Some(40029 | 40163) => LoginFault::CodeRejected,
        Some(40226) => LoginFault::Blocked,
        Some(45009 | 45011) => LoginFault::Throttled,
        // The account, or its allow list of IP addresses.
        Some(40013 | 40125 | 41002 | 41004 | 41008 | 40164 | 61004) => LoginFault::Misconfigured,
        _ => LoginFault::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::shared::http::HttpSettings;
    use crate::gateway::shared::loopback::{self, Loopback, LoopbackReply, unreachable};

    async fn sign_in(http: &HttpSettings) -> Result<PlatformAccount, LoginFault> {
        let secret = Private::new("hush".to_owned());
        let account = MiniProgram { http: http.clone(), appid: "wx0000000000000000".to_owned(), secret };
        WechatLogin::new(account).unwrap().session(&Private::new("code-1".to_owned())).await
    }

    #[tokio::test]
    async fn a_code_becomes_an_account() {
        let gateway = Loopback::start(|_| {
            loopback::json(&json!({"openid": "oAAAA", "session_key": "MTIzNDU2Nzg5MDEyMzQ1Ng==", "unionid": "uZZZZ"}))
        })
        .await;
        let account = sign_in(&gateway.settings).await.unwrap();
        assert_eq!((account.appid.as_str(), account.openid.expose().as_str()), ("wx0000000000000000", "oAAAA"));
        assert_eq!(account.unionid.as_ref().map(|id| id.expose().as_str()), Some("uZZZZ"));
        assert!(!format!("{account:?}").contains("oAAAA"));
        let asked = &gateway.calls()[0];
        assert_eq!(asked.path, "/sns/jscode2session");
        assert_eq!(
            (asked.query["js_code"].as_str(), asked.query["grant_type"].as_str()),
            ("code-1", "authorization_code")
        );
    }

    #[tokio::test]
    async fn each_errcode_has_its_fault() {
        for (code, fault) in [
            (-1, LoginFault::Unavailable),
            (40029, LoginFault::CodeRejected),
            (40163, LoginFault::CodeRejected),
            (40226, LoginFault::Blocked),
            (45011, LoginFault::Throttled),
            (40013, LoginFault::Misconfigured),
            (40125, LoginFault::Misconfigured),
            (41008, LoginFault::Misconfigured),
            (40164, LoginFault::Misconfigured),
            (99999, LoginFault::Unavailable),
        ] {
            let gateway = Loopback::start(move |_| loopback::json(&json!({"errcode": code, "errmsg": "no"}))).await;
            assert_eq!(sign_in(&gateway.settings).await, Err(fault), "{code}");
        }
    }

    #[tokio::test]
    async fn an_unreadable_answer_is_unavailable() {
        for reply in ["<html>", "{}"] {
            let gateway = Loopback::start(move |_| LoopbackReply::Says(200, reply.to_owned())).await;
            assert_eq!(sign_in(&gateway.settings).await, Err(LoginFault::Unavailable));
        }
        assert_eq!(sign_in(&unreachable().await).await, Err(LoginFault::Unavailable));
    }
}
