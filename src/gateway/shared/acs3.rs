//! ACS3-HMAC-SHA256: the signature of Alibaba Cloud's RPC interfaces (阿里云《V3 版本请求体和签名机制》). Time and nonce are
//! arguments, so that the published examples can be tests.

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::private::Private;

pub const FORM: &str = "application/x-www-form-urlencoded";

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// The characters to percent-encode: all except the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An AccessKey (访问密钥).
#[derive(Debug, Clone)]
pub struct Credentials {
    pub key_id: String,
    pub secret: Private<String>,
}

/// A call of an RPC interface, which is always a POST to the root path.
#[derive(Debug, Clone, Copy)]
pub struct RpcCall<'a> {
    /// The host, with its port unless the port is the default one.
    pub host: &'a str,
    pub action: &'a str,
    pub version: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    /// The request body: parameters that [`encode`] has encoded. Personal data belongs here and not in `query`, because
    /// URLs end up in logs.
    pub form: Option<&'a str>,
}

/// Returns the headers of a signed call, including `authorization` and `host`.
pub fn sign(credentials: &Credentials, call: &RpcCall<'_>, at: Instant, nonce: &str) -> BTreeMap<&'static str, String> {
    let mut headers = headers(call, at, nonce);
    let names = headers.keys().copied().collect::<Vec<_>>().join(";");
    let text = string_to_sign(&canonical_request(call, &headers));
    let key = hmac::Key::new(hmac::HMAC_SHA256, credentials.secret.expose().as_bytes());
    let signature = hex::encode(hmac::sign(&key, text.as_bytes()));
    let key_id = &credentials.key_id;
    let authorization = format!("{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}");
    headers.insert("authorization", authorization);
    headers
}

/// Encodes parameters as `name=value&…`, sorted by name and percent-encoded by RFC 3986: a space is `%20`, `*` is
/// `%2A`, `~` stays.
pub fn encode(parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_unstable();
    let pairs: Vec<_> = sorted.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

fn escape(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// Returns the headers that the signature covers, sorted by name, because the signature needs this order.
fn headers(call: &RpcCall<'_>, at: Instant, nonce: &str) -> BTreeMap<&'static str, String> {
    let mut headers = BTreeMap::from([
        ("host", call.host.to_owned()),
        ("x-acs-action", call.action.to_owned()),
        ("x-acs-version", call.version.to_owned()),
        ("x-acs-date", at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("x-acs-signature-nonce", nonce.to_owned()),
        ("x-acs-content-sha256", sha256(call.form.unwrap_or_default())),
    ]);
    if call.form.is_some() {
        headers.insert("content-type", FORM.to_owned());
    }
    headers
}

fn canonical_request(call: &RpcCall<'_>, headers: &BTreeMap<&'static str, String>) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let names = headers.keys().copied().collect::<Vec<_>>().join(";");
    let body = sha256(call.form.unwrap_or_default());
    format!("POST\n/\n{}\n{lines}\n{names}\n{body}", encode(call.query))
}

fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", sha256(canonical_request))
}

fn sha256(text: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMS: [(&str, &str); 5] = [
        ("PhoneNumbers", "13800000000"),
        ("SignName", "某区政务"),
        ("TemplateCode", "SMS_100000001"),
        ("TemplateParam", r#"{"name":"办件 A*1~"}"#),
        ("OutId", "push-0001"),
    ];
    const SMS_ENCODED: &str = "OutId=push-0001&PhoneNumbers=13800000000&SignName=%E6%9F%90%E5%8C%BA%E6%94%BF%E5%8A%A1&TemplateCode=SMS_100000001&TemplateParam=%7B%22name%22%3A%22%E5%8A%9E%E4%BB%B6%20A%2A1~%22%7D";

    fn send_sms<'a>(query: &'a [(&'a str, &'a str)], form: Option<&'a str>) -> RpcCall<'a> {
        RpcCall { host: "dysmsapi.aliyuncs.com", action: "SendSms", version: "2017-05-25", query, form }
    }

    /// Asserts the signature, and the hash of the canonical request. Returns the `authorization` header.
    fn check(call: &RpcCall<'_>, secret: &str, at: &str, nonce: &str, hash: &str, signature: &str) -> String {
        let at = at.parse().unwrap();
        assert_eq!(sha256(&canonical_request(call, &headers(call, at, nonce))), hash);
        let credentials = Credentials { key_id: "YourAccessKeyId".to_owned(), secret: Private::new(secret.to_owned()) };
        let authorization = sign(&credentials, call, at, nonce).remove("authorization").unwrap();
        assert!(authorization.ends_with(&format!(",Signature={signature}")), "{authorization}");
        authorization
    }

    #[test]
    fn the_published_vector_holds() {
        let query = [("RegionId", "cn-shanghai"), ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd")];
        let host = "ecs.cn-shanghai.aliyuncs.com";
        let call = RpcCall { host, action: "RunInstances", version: "2014-05-26", query: &query, form: None };
        let authorization = check(
            &call,
            "YourAccessKeySecret",
            "2023-10-26T10:22:32Z",
            "3156853299f313e23d1673dc12e1703d",
            "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
        );
        assert!(authorization.starts_with(
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        ));
    }

    #[test]
    fn a_signature_over_the_query_holds() {
        assert_eq!(encode(&SMS), SMS_ENCODED);
        check(
            &send_sms(&SMS, None),
            "testSecret",
            "2024-01-02T03:04:05Z",
            "00112233445566778899aabbccddeeff",
            "259c7aebb9b49c6e638742b8f15a39630c0dd87ad71cd7efeed1fa45a9755ff8",
            "ccb8ccde0b7eb932127e07a4a8843252c4479769eacd65254d4680d4d4927b3d",
        );
    }

    #[test]
    fn a_signature_over_the_form_holds() {
        assert_eq!(sha256(SMS_ENCODED), "3b752860acef7e86a7f6e21bebf847c879f859444911bd7ebacac0a71cbdcff6");
        let authorization = check(
            &send_sms(&[], Some(SMS_ENCODED)),
            "testSecret",
            "2024-01-02T03:04:05Z",
            "00112233445566778899aabbccddeeff",
            "4e3980c2cd6ad3a9b24c031ebead9766c1a820967ff19bc91c53e4182040992b",
            "44de5d239c8496a84de2b6b7214ab48e015fdd7b7a532165af434be6bd15136a",
        );
        assert!(authorization.contains("SignedHeaders=content-type;host;"), "a body's type is signed");
    }

    #[test]
    fn an_empty_body_has_the_hash_of_the_empty_text() {
        assert_eq!(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(encode(&[("b", ""), ("a", "1 *~")]), "a=1%20%2A~&b=", "a parameter without a value keeps its =");
    }
}
