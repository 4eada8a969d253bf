//! WeChat sign-in: exchanges a code of `wx.login` for the person's openid (微信《小程序登录》, `code2Session`).

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;

use super::{LoginAdapter, LoginFault, LoginGateway, PlatformAccount};
use crate::domain::kernel::clock::Clock;
use crate::domain::kernel::private::Private;
use crate::env::Env;
use crate::gateway::shared::http::HttpAnswer;
use crate::gateway::shared::wechat::{MiniProgram, WechatReply};

/// There is no sandbox for sign-in alone: WeChat has one host and one account for sign-in and messages, so the sandbox
/// in `push::wechat` simulates both.
pub const ADAPTER: LoginAdapter = LoginAdapter { code: "wechat", build };

struct WechatLogin {
    account: MiniProgram,
}

fn build(env: &mut Env, _: &Clock) -> Option<Arc<dyn LoginGateway>> {
    if !env.or::<bool>("SONGDA_WECHAT_LOGIN_ENABLED", "true", "`true`: people can sign in through the mini-program")? {
        return None;
    }
    Some(Arc::new(WechatLogin { account: MiniProgram::read(env)? }))
}

impl WechatLogin {
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
        // WeChat requires the secret and the code in the query, so this URL must never be logged.
        let http = &self.account.http;
        let request = http.request(Method::GET, "/sns/jscode2session").query(&[
            ("appid", self.account.appid.as_str()),
            ("secret", self.account.secret.expose()),
            ("js_code", code.expose()),
            ("grant_type", "authorization_code"),
        ]);
        match http.send(request).await {
            Ok(answer) => self.understand(&answer),
            Err(fault) => {
                tracing::warn!(%fault, "WeChat did not answer a sign-in");
                Err(LoginFault::Unavailable)
            }
        }
    }
}

/// WeChat's answer to a successful sign-in. Its `session_key` is not read, because Songda does not need it.
#[derive(Deserialize)]
struct Session {
    openid: Private<String>,
    unionid: Option<Private<String>>,
}

/// Turns an `errcode` into a fault. An undocumented `errcode` counts as temporary.
fn fault(code: Option<i64>) -> LoginFault {
    match code {
        Some(40029 | 40163) => LoginFault::CodeRejected,
        Some(40226) => LoginFault::Blocked,
        Some(45009 | 45011) => LoginFault::Throttled,
        // Our id or secret is wrong, or our IP address is not on the allow list.
        Some(40013 | 40125 | 41002 | 41004 | 41008 | 40164 | 61004) => LoginFault::Misconfigured,
        _ => LoginFault::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::shared::http::HttpSettings;
    use crate::gateway::shared::loopback::{Loopback, LoopbackReply, unreachable};

    async fn sign_in(at: &HttpSettings) -> Result<PlatformAccount, LoginFault> {
        let account = MiniProgram::sample(at);
        WechatLogin { account }.session(&Private::new("code-1".to_owned())).await
    }

    #[tokio::test]
    async fn a_code_becomes_an_account() {
        let session = json!({"openid": "oAAAA", "session_key": "MTIzNDU2Nzg5MDEyMzQ1Ng==", "unionid": "uZZZZ"});
        let gateway = Loopback::answering(session).await;
        let account = sign_in(&gateway.settings).await.unwrap();
        assert_eq!((account.appid.as_str(), account.openid.expose().as_str()), ("wx0000000000000000", "oAAAA"));
        assert_eq!(account.unionid.as_ref().map(|id| id.expose().as_str()), Some("uZZZZ"));
        assert!(!format!("{account:?}").contains("oAAAA"));
        let asked = &gateway.calls()[0];
        assert_eq!(asked.path, "/sns/jscode2session");
        assert_eq!(asked.query["js_code"], "code-1");
        assert_eq!(asked.query["grant_type"], "authorization_code");
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
            let gateway = Loopback::answering(json!({"errcode": code, "errmsg": "no"})).await;
            assert_eq!(sign_in(&gateway.settings).await, Err(fault), "{code}");
        }
    }

    #[tokio::test]
    async fn an_unreadable_answer_is_unavailable() {
        for reply in ["<html>", "{}"] {
            let gateway = Loopback::always(LoopbackReply::Says(200, reply.to_owned())).await;
            assert_eq!(sign_in(&gateway.settings).await, Err(LoginFault::Unavailable));
        }
        assert_eq!(sign_in(&unreachable().await).await, Err(LoginFault::Unavailable));
    }
}
