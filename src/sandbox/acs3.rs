//! Verifies the ACS3-HMAC-SHA256 signatures of calls to Alibaba Cloud, for the simulations (twins) of its SMS service
//! and its identity check. This code shares nothing with `gateway::shared::acs3`, which signs Songda's calls, so a
//! mistake in one of them does not go unnoticed.

use aws_lc_rs::{digest, hmac};
use chrono::{DateTime, TimeDelta, Utc};
use poem::Response;
use poem::http::StatusCode;
use serde_json::json;

use super::call::{self, Fields, TwinCall};
use super::seen::Seen;
use super::world::World;
use crate::domain::kernel::clock::{Instant, fresh_uuid};
use crate::domain::kernel::private::Private;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// The maximum difference between the date of a call and the sandbox's clock.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
const ALWAYS_SIGNED: [&str; 6] =
    ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The `Authorization` header is unreadable, or a required header is not signed.
    Incomplete,
    UnknownKey,
    /// The date of the call is unreadable, or differs from the sandbox's clock by more than 15 minutes.
    Expired,
    NonceUsed,
    /// The signature does not match the request: the request was changed, or another secret was used.
    Mismatch,
}

impl Rejection {
    pub fn answer(self) -> Response {
        match self {
            Self::Incomplete => refuse(StatusCode::BAD_REQUEST, "IncompleteSignature"),
            Self::UnknownKey => refuse(StatusCode::NOT_FOUND, "InvalidAccessKeyId.NotFound"),
            Self::Expired => refuse(StatusCode::BAD_REQUEST, "InvalidTimeStamp.Expired"),
            Self::NonceUsed => refuse(StatusCode::BAD_REQUEST, "SignatureNonceUsed"),
            Self::Mismatch => refuse(StatusCode::BAD_REQUEST, "SignatureDoesNotMatch"),
        }
    }
}

/// Builds an error response of Alibaba's API gateway, which checks a call before the service does.
pub fn refuse(status: StatusCode, code: &str) -> Response {
    let request_id = request_id();
    call::json(status, &json!({ "Code": code, "Message": format!("{code} (sandbox)"), "RequestId": request_id }))
}

/// Generates a request id in Alibaba's format.
pub fn request_id() -> String {
    fresh_uuid().hyphenated().to_string().to_uppercase()
}

/// Verifies calls that are signed with one AccessKey.
pub struct Verifier {
    key_id: String,
    secret: Private<String>,
    nonces: Seen,
}

impl Verifier {
    pub fn new(key_id: String, secret: Private<String>) -> Self {
        // A call is accepted from 15 minutes before to 15 minutes after its date, so its nonce is remembered for 30
        // minutes.
        Self { key_id, secret, nonces: Seen::for_at_least(WINDOW * 2) }
    }

    /// Returns the AccessKey's id and secret, for the settings of clients.
    pub fn access_key(&self) -> [&str; 2] {
        [&self.key_id, self.secret.expose()]
    }

    /// Verifies a call, and returns the parameters of its query and form. A rejection is counted in `world.counters`.
    pub fn admit(&self, gateway: &'static str, world: &World, call: &TwinCall) -> Result<Fields, Rejection> {
        let count = |rejection: &Rejection| world.counters.count(gateway, &format!("{rejection:?}"));
        self.check(call, world.now()).inspect_err(count)
    }

    fn check(&self, call: &TwinCall, now: Instant) -> Result<Fields, Rejection> {
        let authorization = Authorization::read(call.header("authorization")).ok_or(Rejection::Incomplete)?;
        if authorization.key_id != self.key_id {
            return Err(Rejection::UnknownKey);
        }
        let unsigned = |name: &&str| !authorization.signed.contains(name);
        let typed = !call.body.is_empty() && unsigned(&"content-type");
        if typed || ALWAYS_SIGNED.iter().any(unsigned) {
            return Err(Rejection::Incomplete);
        }
        let date = DateTime::parse_from_rfc3339(call.header("x-acs-date")).map_err(|_| Rejection::Expired)?;
        if (now - date.with_timezone(&Utc)).abs() > WINDOW {
            return Err(Rejection::Expired);
        }
        // The path of the service is `/`, but the sandbox serves it below a prefix. A caller may sign either path.
        let by_path = |path: &str| self.signature(call, path, &authorization.signed) == authorization.signature;
        if call.header("x-acs-content-sha256") != sha256(&call.body) || !(by_path("/") || by_path(&call.full_path)) {
            return Err(Rejection::Mismatch);
        }
        if !self.nonces.is_new(call.header("x-acs-signature-nonce"), now) {
            return Err(Rejection::NonceUsed);
        }
        let mut fields = call.query();
        fields.0.extend(call.form().0);
        Ok(fields)
    }

    pub fn clear(&self) {
        self.nonces.clear();
    }

    fn signature(&self, call: &TwinCall, path: &str, signed: &[&str]) -> String {
        let to_sign = format!("{ALGORITHM}\n{}", sha256(canonical(call, path, signed).as_bytes()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.expose().as_bytes());
        hex::encode(hmac::sign(&key, to_sign.as_bytes()))
    }
}

struct Authorization<'a> {
    key_id: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let parts = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let part = |name: &str| parts.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        Some(Self {
            key_id: part("Credential")?,
            signed: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }
}

/// Formats the canonical request. The signature is computed over its hash.
fn canonical(call: &TwinCall, path: &str, signed: &[&str]) -> String {
    let mut pairs: Vec<(String, String)> =
        form_urlencoded::parse(call.query.as_bytes()).map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut names = signed.to_vec();
    names.sort_unstable();
    let headers: String = names.iter().map(|name| format!("{name}:{}\n", call.header(name).trim())).collect();
    let payload = call.header("x-acs-content-sha256");
    format!("{}\n{path}\n{}\n{headers}\n{}\n{payload}", call.method, query.join("&"), signed.join(";"))
}

/// Percent-encodes by RFC 3986. It uses no library, because the code that signs Songda's calls uses one, and a mistake
/// in that library must show here.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// An HTTP client that signs its calls with the code of this file, for the tests of the twins.
#[cfg(test)]
pub(crate) mod signer {
    use bytes::Bytes;
    use poem::http::{HeaderMap, Method};

    use super::*;
    use crate::domain::kernel::clock::Clock;
    use crate::sandbox::client::TestClient;

    /// Builds a call as a twin receives it. Its `Authorization` header lists all `headers` as signed, in this order.
    pub(super) fn signed_call(
        query: &str,
        body: &str,
        headers: &[(&'static str, &str)],
        signature: &str,
        key_id: &str,
    ) -> TwinCall {
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let signed = names.join(";");
        let authorization = format!("{ALGORITHM} Credential={key_id},SignedHeaders={signed},Signature={signature}");
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().copied().chain([("authorization", authorization.as_str())]) {
            map.insert(name, value.parse().unwrap());
        }
        TwinCall {
            method: Method::POST,
            path: "/".into(),
            full_path: "/sms/".into(),
            query: query.into(),
            headers: map,
            body: Bytes::from(body.to_owned()),
        }
    }

    pub(crate) struct Signer {
        client: TestClient,
        verifier: Verifier,
    }

    impl Signer {
        pub(crate) fn new(url: &str, key_id: &str, secret: &str) -> Self {
            let verifier = Verifier::new(key_id.into(), Private::new(secret.into()));
            Self { client: TestClient::new(url), verifier }
        }

        /// Signs and posts a form. Returns the status, which is 0 without an answer, and the answer's JSON, which is
        /// null if the body is not JSON.
        pub(crate) async fn post(
            &self,
            action: &str,
            version: &str,
            form: &[(&str, &str)],
        ) -> (u16, serde_json::Value) {
            let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let date = Clock::system().now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
            let headers = [
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("host", self.client.host()),
                ("x-acs-action", action.to_owned()),
                ("x-acs-content-sha256", sha256(body.as_bytes())),
                ("x-acs-date", date),
                ("x-acs-signature-nonce", request_id()),
                ("x-acs-version", version.to_owned()),
            ];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            let mut call = signed_call("", &body, &headers, "", "");
            let signature = self.verifier.signature(&call, "/", &headers.map(|(name, _)| name));
            call = signed_call("", &body, &headers, &signature, &self.verifier.key_id);
            self.client.send("POST", "/", call.headers, call.body).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::signer::signed_call;
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const SMS: &str = "OutId=push-0001&PhoneNumbers=13800000000&SignName=%E6%9F%90%E5%8C%BA%E6%94%BF%E5%8A%A1\
        &TemplateCode=SMS_100000001&TemplateParam=%7B%22name%22%3A%22%E5%8A%9E%E4%BB%B6%20A%2A1~%22%7D";
    const QUERY_SIGNATURE: &str = "ccb8ccde0b7eb932127e07a4a8843252c4479769eacd65254d4680d4d4927b3d";
    const FORM_SIGNATURE: &str = "44de5d239c8496a84de2b6b7214ab48e015fdd7b7a532165af434be6bd15136a";

    fn sms_headers(content_sha256: &'static str) -> Vec<(&'static str, &'static str)> {
        vec![
            ("host", "dysmsapi.aliyuncs.com"),
            ("x-acs-action", "SendSms"),
            ("x-acs-content-sha256", content_sha256),
            ("x-acs-date", "2024-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "00112233445566778899aabbccddeeff"),
            ("x-acs-version", "2017-05-25"),
        ]
    }

    fn form_headers() -> Vec<(&'static str, &'static str)> {
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(sms_headers("3b752860acef7e86a7f6e21bebf847c879f859444911bd7ebacac0a71cbdcff6"));
        headers
    }

    fn verifier() -> Verifier {
        Verifier::new("any".into(), Private::new("testSecret".into()))
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn the_published_signature_is_accepted() {
        let call = signed_call(
            "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
            "",
            &[
                ("host", "ecs.cn-shanghai.aliyuncs.com"),
                ("x-acs-action", "RunInstances"),
                ("x-acs-content-sha256", EMPTY),
                ("x-acs-date", "2023-10-26T10:22:32Z"),
                ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
                ("x-acs-version", "2014-05-26"),
            ],
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
            "YourAccessKeyId",
        );
        let verifier = Verifier::new("YourAccessKeyId".into(), Private::new("YourAccessKeySecret".into()));
        let fields = verifier.check(&call, at("2023-10-26T10:30:00Z")).unwrap();
        assert_eq!(fields.get("RegionId"), "cn-shanghai");
    }

    #[test]
    fn query_and_form_styles_are_accepted() {
        let now = at("2024-01-02T03:04:05Z");
        let call = signed_call(SMS, "", &sms_headers(EMPTY), QUERY_SIGNATURE, "any");
        assert_eq!(verifier().check(&call, now).unwrap().get("TemplateParam"), "{\"name\":\"办件 A*1~\"}");
        let call = signed_call("", SMS, &form_headers(), FORM_SIGNATURE, "any");
        assert_eq!(verifier().check(&call, now).unwrap().get("OutId"), "push-0001");
    }

    #[test]
    fn every_other_signature_is_rejected() {
        let now = at("2024-01-02T03:04:05Z");
        let good = signed_call("", SMS, &form_headers(), FORM_SIGNATURE, "any");
        let rejection = |call: &TwinCall, now| verifier().check(call, now).err();

        assert_eq!(rejection(&good, at("2024-01-02T03:20:00Z")), Some(Rejection::Expired));
        assert_eq!(rejection(&good, at("2024-01-02T02:48:00Z")), Some(Rejection::Expired));
        let other_body = TwinCall { body: SMS.replace("13800000000", "13800000001").into(), ..good.clone() };
        assert_eq!(rejection(&other_body, now), Some(Rejection::Mismatch));
        let mut other_action = good.clone();
        other_action.headers.insert("x-acs-action", "QuerySendDetails".parse().unwrap());
        assert_eq!(rejection(&other_action, now), Some(Rejection::Mismatch));
        let other_key = signed_call("", SMS, &form_headers(), FORM_SIGNATURE, "else");
        assert_eq!(rejection(&other_key, now), Some(Rejection::UnknownKey));
        let untyped = signed_call("", SMS, &form_headers()[1..], FORM_SIGNATURE, "any");
        assert_eq!(rejection(&untyped, now), Some(Rejection::Incomplete));
        let unsigned = TwinCall { headers: Default::default(), ..good.clone() };
        assert_eq!(rejection(&unsigned, now), Some(Rejection::Incomplete));

        let verifier = verifier();
        assert!(verifier.check(&good, now).is_ok());
        assert_eq!(verifier.check(&good, now).err(), Some(Rejection::NonceUsed));
    }
}
