//! Verifies and decrypts WeChat's callbacks to Songda (《消息推送》). They report consents that people give or withdraw, and
//! the fate of messages.
//!
//! The age of a callback is not checked, because a worker may read the stored callback long after it came. A replayed
//! callback does no harm: equal callbacks are stored once, and equal consents count once.

mod events;
mod tree;

use std::collections::HashMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::domain::kernel::private::Private;
use crate::gateway::push::wechat::settings::CallbackSettings;
use crate::gateway::shared::callback::{CallbackFault, RawCallback};

pub use events::news;

pub struct CallbackReader {
    pub settings: CallbackSettings,
    pub appid: String,
}

impl CallbackReader {
    /// True if WeChat encrypts its callbacks. Then their signature covers the content.
    pub const fn is_encrypted(&self) -> bool {
        !self.settings.keys.is_empty()
    }

    /// Returns the answer to WeChat's check of our callback address: the query's `echostr`. Returns `None` if the
    /// signature is wrong.
    pub fn challenge(&self, query: &str) -> Option<String> {
        let query = Query::read(query);
        self.check("signature", &query, "").ok()?;
        query.0.get("echostr").cloned()
    }

    /// Verifies a callback and decrypts its message. If an AES key is set, a plain message is refused, because its
    /// signature does not cover the content.
    pub fn open(&self, call: &RawCallback) -> Result<Value, CallbackFault> {
        let query = Query::read(&call.query);
        let body = call.body.expose();
        if !self.is_encrypted() {
            self.check("signature", &query, "")?;
            return tree::read(body);
        }
        let envelope = tree::read(body).map_err(|_| CallbackFault::NotAuthentic)?;
        let encrypted = envelope.get("Encrypt").and_then(Value::as_str).ok_or(CallbackFault::NotAuthentic)?;
        self.check("msg_signature", &query, encrypted)?;
        let message = self.settings.keys.iter().find_map(|key| key.decrypt(encrypted, &self.appid));
        tree::read(message.ok_or(CallbackFault::NotAuthentic)?.expose())
    }

    fn check(&self, name: &str, query: &Query, encrypted: &str) -> Result<(), CallbackFault> {
        let ours = signature(&self.settings.token, [query.get("timestamp"), query.get("nonce"), encrypted]);
        let theirs = query.get(name);
        verify_slices_are_equal(ours.as_bytes(), theirs.as_bytes()).map_err(|_| CallbackFault::NotAuthentic)
    }
}

/// Computes WeChat's signature: SHA-1 over the token and the parts, sorted and joined. An empty part has no effect.
fn signature(token: &Private<String>, parts: [&str; 3]) -> String {
    let mut all = [token.expose().as_str(), parts[0], parts[1], parts[2]];
    all.sort_unstable();
    hex::encode(Sha1::digest(all.concat()))
}

/// Removes the parameter `openid`, which WeChat adds to the query of a callback. The signature does not cover this
/// parameter.
pub fn without_openid(query: &str) -> String {
    let others = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "openid");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish()
}

struct Query(HashMap<String, String>);

impl Query {
    fn read(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Returns a parameter; empty if the parameter is missing.
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::push::wechat::cipher::AesKey;

    #[test]
    fn the_stored_query_names_no_person() {
        let kept = without_openid("signature=a%2Bb&timestamp=1&nonce=2&openid=oABC&msg_signature=c");
        assert_eq!(kept, "signature=a%2Bb&timestamp=1&nonce=2&msg_signature=c");
    }

    const APPID: &str = "wxba5fad812f8e6fb9";
    const ENCRYPTED: &str = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=";
    const QUERY: &str = "signature=6c5c811b55cc85e0e1b54100749188c20beb3f5d&timestamp=1714112445&nonce=415670741&openid=o9AgO5Kd5ggOC-bXrbNODIiE3bGY&encrypt_type=aes&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3";

    fn token() -> Private<String> {
        Private::new("AAAAA".to_owned())
    }

    fn callbacks(keys: &[&str]) -> CallbackReader {
        let keys = keys.iter().map(|key| AesKey::parse(key).unwrap()).collect();
        CallbackReader { settings: CallbackSettings { token: token(), keys }, appid: APPID.to_owned() }
    }

    fn call(query: &str, body: &str) -> RawCallback {
        let body = Private::new(body.as_bytes().to_vec());
        RawCallback { content_type: "application/json".to_owned(), query: query.to_owned(), body }
    }

    fn key(letter: &str) -> String {
        letter.repeat(43)
    }

    #[test]
    fn the_published_signatures_hold() {
        let url_check = signature(&token(), ["1714036504", "1514711492", ""]);
        assert_eq!(url_check, "f464b24fc39322e44b38aa78f5edd27bd1441696");
        let plain = signature(&token(), ["1714037059", "486452656", ""]);
        assert_eq!(plain, "899cf89e464efb63f54ddac96b0a0a235f53aa78");
        assert_eq!(signature(&token(), ["1714112445", "415670741", ""]), "6c5c811b55cc85e0e1b54100749188c20beb3f5d");
        let encrypted = signature(&token(), ["1714112445", "415670741", ENCRYPTED]);
        assert_eq!(encrypted, "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3");
    }

    #[test]
    fn the_address_check_is_answered_only_to_wechat() {
        let query = "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492&echostr=4375120948345356249";
        let callbacks = callbacks(&[]);
        assert_eq!(callbacks.challenge(query).as_deref(), Some("4375120948345356249"));
        assert_eq!(callbacks.challenge(&query.replace("1514711492", "1514711493")), None);
        assert_eq!(callbacks.challenge(""), None);
    }

    #[test]
    fn the_published_encrypted_message_opens() {
        let json = format!(r#"{{"ToUserName":"gh_97417a04a28d","Encrypt":"{ENCRYPTED}"}}"#);
        let xml = format!(
            "<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName><Encrypt><![CDATA[{ENCRYPTED}]]></Encrypt></xml>"
        );
        for body in [json, xml] {
            let message = callbacks(&[&key("A")]).open(&call(QUERY, &body)).unwrap();
            assert_eq!(message["Event"], "debug_demo");
            let rotated = callbacks(&[&key("B"), &key("A")]).open(&call(QUERY, &body)).unwrap();
            assert_eq!(rotated["debug_str"], "hello world", "the previous key still opens");
        }
    }

    #[test]
    fn calls_that_are_not_wechats_are_refused() {
        let body = format!(r#"{{"Encrypt":"{ENCRYPTED}"}}"#);
        let with_key = callbacks(&[&key("A")]);
        let wrong_nonce = QUERY.replace("nonce=415670741", "nonce=415670742");
        assert_eq!(with_key.open(&call(&wrong_nonce, &body)), Err(CallbackFault::NotAuthentic));
        assert_eq!(callbacks(&[&key("B")]).open(&call(QUERY, &body)), Err(CallbackFault::NotAuthentic));
        let plain = r#"{"MsgType":"event"}"#;
        assert_eq!(with_key.open(&call(QUERY, plain)), Err(CallbackFault::NotAuthentic), "plain mode is off");
        for junk in ["", "junk", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><xml>&b;</xml>"] {
            assert_eq!(
                with_key.open(&call(QUERY, junk)),
                Err(CallbackFault::NotAuthentic),
                "nothing shows who sent it"
            );
        }
        assert_eq!(callbacks(&[]).open(&call("", plain)), Err(CallbackFault::NotAuthentic));
    }

    #[test]
    fn plain_mode_needs_the_signature_too() {
        let query = "signature=899cf89e464efb63f54ddac96b0a0a235f53aa78&timestamp=1714037059&nonce=486452656";
        let message = callbacks(&[]).open(&call(query, r#"{"MsgType":"event"}"#)).unwrap();
        assert_eq!(message["MsgType"], "event");
    }

    #[test]
    fn the_published_encrypted_reply_comes_out() {
        let key = AesKey::parse(&key("A")).unwrap();
        let encrypted = key.encrypt(*b"707722b803182950", br#"{"demo_resp":"good luck"}"#, APPID).unwrap();
        let published = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==";
        assert_eq!(encrypted, published);
        let signed = signature(&token(), ["1713424427", "415670741", &encrypted]);
        assert_eq!(signed, "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1");
    }
}
