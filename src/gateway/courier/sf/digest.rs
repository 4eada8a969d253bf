//! SF's digest: base64(MD5(URL-encoded(msgData + timestamp + checkWord))). The base64 encodes the sixteen bytes of the
//! MD5, not their hex text.
//!
//! "URL-encoded" means exactly what Java's `URLEncoder` does. Other encoders differ in space, `*`, `~` and `!`, and SF
//! would refuse their digests (A1006).

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::{Digest as _, Md5};

use crate::domain::kernel::private::Private;

/// Computes the digest of one request. `timestamp` must be exactly the text in the request.
pub(super) fn digest(msg_data: &str, timestamp: &str, check_word: &Private<String>) -> String {
    raw(&url_encoded(&format!("{msg_data}{timestamp}{}", check_word.expose())))
}

fn url_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn raw(text: &str) -> String {
    BASE64_STANDARD.encode(Md5::digest(text.as_bytes()))
}

/// Messages, timestamps and check words with their digest, for the tests of this file and of the sandbox's digest.
#[cfg(test)]
pub(super) const VECTORS: [([&str; 3], &str); 3] = [
    (
        [r#"{"language":"zh-CN","orderId":"QIAO-20200618-004"}"#, "12312334453453", "fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci"],
        "IIKJtuLVzoFTu4kHI8M8vA==",
    ),
    (
        [
            r#"{"language":"zh-CN","orderId":"GOV-2025-0001","remark":"结果 证照*1~!"}"#,
            "1735689600000",
            "TestCheckWord0123456789abcdefABC",
        ],
        "3klgeqP1eb5DkUeop2/fTw==",
    ),
    ([r#"{"orderId":"GOV-1"}"#, "1735689600000", "abc123"], "FQdot2PsPgDJVbGvvqisyA=="),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_hold() {
        for ([msg_data, timestamp, check_word], expected) in VECTORS {
            assert_eq!(digest(msg_data, timestamp, &Private::new(check_word.to_owned())), expected);
        }
    }

    #[test]
    fn the_encoded_texts_are_those_of_the_vectors() {
        assert_eq!(
            url_encoded(&VECTORS[1].0.concat()),
            "%7B%22language%22%3A%22zh-CN%22%2C%22orderId%22%3A%22GOV-2025-0001%22%2C%22remark%22%3A%22\
             %E7%BB%93%E6%9E%9C+%E8%AF%81%E7%85%A7*1%7E%21%22%7D1735689600000TestCheckWord0123456789abcdefABC"
        );
    }

    /// The three wrong digests belong to the same request. They result if the text is not encoded, or if it is encoded
    /// with Python's `quote_plus` or with JavaScript's `encodeURIComponent`.
    #[test]
    fn the_known_wrong_digests_are_not_ours() {
        let (parts, _) = VECTORS[1];
        let [msg_data, timestamp, check_word] = parts;
        let ours = digest(msg_data, timestamp, &Private::new(check_word.to_owned()));
        for wrong in ["7CIHTkPOZX4o2hWhh3oDcw==", "CAYFTEpgkbybZ92NXXaiOw==", "Tl802+929PPYmp2YJJlFeA=="] {
            assert_ne!(ours, wrong);
        }
        assert_eq!(raw(&parts.concat()), "7CIHTkPOZX4o2hWhh3oDcw==", "the first of them");
    }

    /// Checks `raw` alone, with a digest of SF's older XML interface. That interface does not URL-encode the text
    /// before it computes the digest.
    #[test]
    fn the_raw_recipe_is_that_of_the_older_interface() {
        let xml = r#"<Request service="OrderService" lang="zh-CN"/>"#;
        assert_eq!(raw(&format!("{xml}abc123")), "IxqjctOKwAhl168zhXo8Iw==");
    }

    /// Encodes a text by the rule of `java.net.URLEncoder`: letters, digits and `.-*_` stay, a space becomes a plus,
    /// the rest `%XX`.
    fn as_java_does(text: &str) -> String {
        let mut encoded = String::new();
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => encoded.push(char::from(byte)),
                b' ' => encoded.push('+'),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        encoded
    }

    proptest! {
        #[test]
        fn any_text_is_encoded_as_java_does(text in any::<String>()) {
            prop_assert_eq!(url_encoded(&text), as_java_does(&text));
        }
    }
}
