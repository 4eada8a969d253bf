//! SF's digest: base64 of MD5 over message, timestamp and check word, URL-encoded as Java does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

/// The digest that a caller must send.
pub(super) fn digest(message: &str, timestamp: &str, check_word: &str) -> String {
    let mut md5 = Md5::new();
    for byte in [message, timestamp, check_word].concat().bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' => md5.update([byte]),
            b' ' => md5.update(b"+"),
            _ => md5.update(format!("%{byte:02X}")),
        }
    }
    STANDARD.encode(md5.finalize())
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn the_vectors_hold() {
        for (message, timestamp, check_word, wanted) in [
            (
                "{\"language\":\"zh-CN\",\"orderId\":\"QIAO-20200618-004\"}",
                "12312334453453",
                "fjcg5PGKaNpPSHFAZ4QsCOkV71R3zVci",
                "IIKJtuLVzoFTu4kHI8M8vA==",
            ),
            (
                "{\"language\":\"zh-CN\",\"orderId\":\"GOV-2025-0001\",\"remark\":\"结果 证照*1~!\"}",
                "1735689600000",
                "TestCheckWord0123456789abcdefABC",
                "3klgeqP1eb5DkUeop2/fTw==",
            ),
            ("{\"orderId\":\"GOV-1\"}", "1735689600000", "abc123", "FQdot2PsPgDJVbGvvqisyA=="),
        ] {
            assert_eq!(digest(message, timestamp, check_word), wanted);
        }
    }
}
