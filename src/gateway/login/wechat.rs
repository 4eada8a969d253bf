//! WeChat sign-in: a code of `wx.login` for the person's openid (微信《小程序登录》, `code2Session`).

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use serde::Deserialize;

use crate::domain::kernel::private::Private;
use crate::env::Env;

use crate::gateway::push::wechat::{Account, Said};
use crate::gateway::shared::http::{Answer, Http};
use crate::gateway::shared::probe::Probe;

/// Who signed in, as WeChat knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WechatIdentity {
    /// The mini-program: an openid means nothing without it.
    pub appid: String,
    /// The person, within this mini-program.
    pub openid: Private<String>,
    /// The person, within all that the same owner runs on WeChat; only where the mini-program is bound so.
    pub unionid: Option<Private<String>>,
}

/// Why nobody signed in. WeChat's own code is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginFault {
    /// The code is wrong, too old, or was used: the client calls `wx.login` again.
    #[error("the code is not valid any more")]
    CodeRejected,
    /// WeChat rates the account a high risk and lets it sign in nowhere.
    #[error("WeChat blocks this account")]
    Blocked,
    /// Too many sign-ins.
    #[error("too many sign-ins")]
    Throttled,
    /// No sensible answer. The code may be used up: the client calls `wx.login` again.
    #[error("WeChat does not answer")]
    Unavailable,
    /// Nothing will change until somebody mends our account.
    #[error("our account at WeChat is at fault")]
    Misconfigured,
}

/// Turns a code of a client into a person.
#[async_trait]
pub trait LoginGateway: Send + Sync {
    /// Asks once. A code is good for one question.
    async fn session(&self, code: &Private<String>) -> Result<WechatIdentity, LoginFault>;

    /// Asks for the session of a code that nobody has: it is refused for the code's sake only by a WeChat that takes
    /// our account for good.
    async fn probe(&self) -> Probe {
        match self.session(&Private::new("no-code".to_owned())).await {
            Ok(_) | Err(LoginFault::CodeRejected | LoginFault::Blocked) => Probe::Well,
            Err(LoginFault::Throttled) => Probe::Throttled,
            Err(fault @ LoginFault::Misconfigured) => Probe::Refused(fault.to_string()),
            Err(fault @ LoginFault::Unavailable) => Probe::Silent(fault.to_string()),
        }
    }
}

/// The mini-program's sign-in.
pub struct WechatLogin {
    http: Http,
    account: Account,
}

/// Builds the gateway from the settings.
pub fn gateway(env: &mut Env) -> Option<Arc<dyn LoginGateway>> {
    if !env.or::<bool>("SONGDA_WECHAT_LOGIN_ENABLED", "true", "whether people sign in through the mini-program")? {
        return None;
    }
    let account = Account::read(env)?;
    match WechatLogin::new(account) {
        Ok(gateway) => Some(Arc::new(gateway)),
        Err(error) => {
            env.fault(format!("no HTTP client for WeChat: {error}"));
            None
        }
    }
}

impl WechatLogin {
    /// For one mini-program.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(account: Account) -> Result<Self, reqwest::Error> {
        Ok(Self { http: Http::new(&account.http)?, account })
    }

    fn understand(&self, answer: &Answer) -> Result<WechatIdentity, LoginFault> {
        if let Ok(session) = serde_json::from_slice::<Session>(&answer.body) {
            let appid = self.account.appid.clone();
            return Ok(WechatIdentity { appid, openid: session.openid, unionid: session.unionid });
        }
        let said = Said::read(&answer.body);
        let detail = said.as_ref().map_or_else(|| "no readable answer".to_owned(), Said::detail);
        tracing::warn!(status = answer.status.as_u16(), detail, "WeChat refused a sign-in");
        Err(fault(said.and_then(|said| said.code)))
    }
}

#[async_trait]
impl LoginGateway for WechatLogin {
    async fn session(&self, code: &Private<String>) -> Result<WechatIdentity, LoginFault> {
        // The secret and the code stand in the query by protocol: this URL must never be logged.
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

/// A session. WeChat's `session_key` is not read at all: nothing here needs it.
#[derive(Deserialize)]
struct Session {
    openid: Private<String>,
    unionid: Option<Private<String>>,
}

/// What a code means; one that nobody has described may pass.
fn fault(code: Option<i64>) -> LoginFault {
    match code {
        Some(40029 | 40163) => LoginFault::CodeRejected,
        Some(40226) => LoginFault::Blocked,
        Some(45009 | 45011) => LoginFault::Throttled,
        // The account, or its white list of addresses.
        Some(40013 | 40125 | 41002 | 41004 | 41008 | 40164 | 61004) => LoginFault::Misconfigured,
        _ => LoginFault::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gateway::shared::http::HttpSettings;
    use crate::gateway::shared::loopback::{self, Loopback, Reply, nobody};

    async fn sign_in(http: &HttpSettings) -> Result<WechatIdentity, LoginFault> {
        let secret = Private::new("hush".to_owned());
        let account = Account { http: http.clone(), appid: "wx0000000000000000".to_owned(), secret };
        WechatLogin::new(account).unwrap().session(&Private::new("code-1".to_owned())).await
    }

    #[tokio::test]
    async fn a_code_becomes_a_person() {
        let gateway = Loopback::start(|_| {
            loopback::json(&json!({"openid": "oAAAA", "session_key": "MTIzNDU2Nzg5MDEyMzQ1Ng==", "unionid": "uZZZZ"}))
        })
        .await;
        let identity = sign_in(&gateway.settings).await.unwrap();
        assert_eq!((identity.appid.as_str(), identity.openid.expose().as_str()), ("wx0000000000000000", "oAAAA"));
        assert_eq!(identity.unionid.as_ref().map(|id| id.expose().as_str()), Some("uZZZZ"));
        assert!(!format!("{identity:?}").contains("oAAAA"));
        let asked = &gateway.calls()[0];
        assert_eq!(asked.path, "/sns/jscode2session");
        assert_eq!(
            (asked.query["js_code"].as_str(), asked.query["grant_type"].as_str()),
            ("code-1", "authorization_code")
        );
    }

    #[tokio::test]
    async fn refusals_have_their_class() {
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
    async fn no_answer_is_no_sign_in() {
        for reply in ["<html>", "{}"] {
            let gateway = Loopback::start(move |_| Reply::Says(200, reply.to_owned())).await;
            assert_eq!(sign_in(&gateway.settings).await, Err(LoginFault::Unavailable));
        }
        assert_eq!(sign_in(&nobody().await).await, Err(LoginFault::Unavailable));
    }
}
