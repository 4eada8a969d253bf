//! Makes callbacks with any contents. Their signatures are valid, because the contents of a forgery would not be read.

use serde_json::json;
use songda::domain::kernel::private::Private;
use songda::gateway::courier::ems::sandbox::cipher::IssuedKey;
use songda::gateway::push::wechat::sandbox::cipher::{encrypt, key, signature};
use songda::gateway::shared::callback::RawCallback;

const APPID: &str = "wx0000000000000000";
const TOKEN: &str = "SandboxToken";
const AES_KEY: &str = "SandboxSandboxSandboxSandboxSandboxSandbox0";
const EMS_KEY: &str = "SandboxSandboxSandboxQ==";

/// Returns a callback without a signature.
pub fn call(content_type: &str, query: &str, body: impl Into<Vec<u8>>) -> RawCallback {
    RawCallback { content_type: content_type.to_owned(), query: query.to_owned(), body: Private::new(body.into()) }
}

/// Returns a callback of EMS with this content.
pub fn ems(content: &str) -> RawCallback {
    let sealed = IssuedKey::read(EMS_KEY).unwrap().wrap(content);
    call("application/json", "", json!({"serialNo": "0f", "method": "040002", "logitcsInterface": sealed}).to_string())
}

/// Returns a callback of SF about scans, with the XML in a form field. SF sends this form to accounts that use XML.
pub fn sf_form(xml: &[u8]) -> RawCallback {
    let body = [b"content=".to_vec(), form_urlencoded::byte_serialize(xml).collect::<String>().into_bytes()].concat();
    call("application/x-www-form-urlencoded", "", body)
}

/// Returns a message of WeChat, encrypted and signed.
pub fn wechat(message: &str) -> RawCallback {
    let encrypted = encrypt(&key(AES_KEY).unwrap(), b"0123456789abcdef", message, APPID);
    let timestamp = "1767316500";
    let nonce = "415670741";
    let query = format!(
        "signature={}&msg_signature={}&timestamp={timestamp}&nonce={nonce}&encrypt_type=aes",
        signature(&[TOKEN, timestamp, nonce]),
        signature(&[TOKEN, timestamp, nonce, &encrypted]),
    );
    call("application/json", &query, json!({"ToUserName": "gh_0123456789ab", "Encrypt": encrypted}).to_string())
}
