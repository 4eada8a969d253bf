//! SF's digest: base64 of MD5 over message, timestamp and check word, URL-encoded as Java does it. This code is
//! independent of the client's `sf/digest.rs`, so that a mistake in one of them shows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

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
    use crate::gateway::courier::sf::digest::VECTORS;

    #[test]
    fn the_vectors_hold() {
        for ([message, timestamp, check_word], wanted) in VECTORS {
            assert_eq!(digest(message, timestamp, check_word), wanted);
        }
    }
}
