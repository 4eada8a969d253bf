//! Encrypts and signs callbacks as WeChat does: AES-256-CBC over `random(16) ‖ length(4) ‖ message ‖ appid`, padded to
//! blocks of 32 bytes, and signed with SHA-1. This code is independent of the client's `wechat/cipher.rs`, so that a
//! mistake in one of them shows.

use aes::cipher::{BlockEncryptMut, KeyIvInit, block_padding::NoPadding};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use sha1::{Digest, Sha1};

/// WeChat pads to twice the block size of AES.
const BLOCK: usize = 32;

/// Decodes an EncodingAESKey of 43 characters. Its last character has two surplus bits, which may be non-zero.
pub fn key(text: &str) -> Option<[u8; 32]> {
    let lenient = GeneralPurpose::new(&ALPHABET, NO_PAD.with_decode_allow_trailing_bits(true));
    lenient.decode(text).ok()?.try_into().ok()
}

pub fn encrypt(key: &[u8; 32], random: &[u8; 16], message: &str, appid: &str) -> String {
    let mut clear = random.to_vec();
    clear.extend(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    clear.extend(message.as_bytes());
    clear.extend(appid.as_bytes());
    let pad = BLOCK - clear.len() % BLOCK;
    // Each byte of the padding contains the length of the padding, 1 to 32.
    clear.resize(clear.len() + pad, pad as u8);
    let mut secret = vec![0; clear.len()];
    let cipher = cbc::Encryptor::<aes::Aes256>::new(key.into(), key[..16].into());
    // This cannot fail, because the padded text consists of whole blocks.
    let _ = cipher.encrypt_padded_b2b_mut::<NoPadding>(&clear, &mut secret);
    STANDARD.encode(secret)
}

/// Computes WeChat's signature: the SHA-1 of the parts, sorted as bytes and joined.
pub fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    hex::encode(Sha1::digest(parts.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const APPID: &str = "wxba5fad812f8e6fb9";

    #[test]
    fn the_published_messages_come_out() {
        let message = "{\"ToUserName\":\"gh_97417a04a28d\",\"FromUserName\":\"o9AgO5Kd5ggOC-bXrbNODIiE3bGY\",\
            \"CreateTime\":1714112445,\"MsgType\":\"event\",\"Event\":\"debug_demo\",\"debug_str\":\"hello world\"}";
        let secret = encrypt(&key(KEY).unwrap(), b"a8eedb185eb2fecf", message, APPID);
        assert_eq!(
            secret,
            "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsX\
             UnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajA\
             sjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
        );
        let signed = signature(&["AAAAA", "1714112445", "415670741", &secret]);
        assert_eq!(signed, "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3");

        let reply = encrypt(&key(KEY).unwrap(), b"707722b803182950", "{\"demo_resp\":\"good luck\"}", APPID);
        assert_eq!(reply, "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==");
        let signed = signature(&["AAAAA", "1713424427", "415670741", &reply]);
        assert_eq!(signed, "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1");
    }

    #[test]
    fn the_published_signatures_come_out() {
        let signed = signature(&["AAAAA", "1714036504", "1514711492"]);
        assert_eq!(signed, "f464b24fc39322e44b38aa78f5edd27bd1441696");
        assert_eq!(signature(&["AAAAA", "1714037059", "486452656"]), "899cf89e464efb63f54ddac96b0a0a235f53aa78");
    }

    #[test]
    fn a_key_may_have_surplus_bits() {
        assert!(key("SandboxSandboxSandboxSandboxSandboxSandbox0").is_some());
        assert!(key("short").is_none());
    }
}
