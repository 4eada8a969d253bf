//! Access tokens and cursors that a caller changed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use songda::api::edge::parameters::paging::Cursors;
use songda::auth::tokens::TokenAudience;
use songda::store::KeyRing;

use super::mangle;
use crate::support::edge::{now, token, tokens};

proptest! {
    #[test]
    fn a_forged_token_is_refused(junk in mangle::bytes(vec![b"Bearer eyJ.eyJ.sig".to_vec()]), claim in mangle::json(vec![json!({
        "iss": "songda", "sub": "per_01KAQ8Y7G0E00800000000002A", "aud": "mobile", "iat": 0, "exp": 9_999_999_999_i64,
    })]), algorithm in prop::sample::select(vec!["none", "HS256", "ES256", "RS256", ""])) {
        let tokens = tokens();
        let verify = |text: &str| tokens.verify(text, &TokenAudience::ALL, now()).is_ok();
        let ours = token(&tokens, "person", now());
        prop_assert!(verify(&ours));
        prop_assert!(!verify(&String::from_utf8_lossy(&junk.0)));
        // Every forged token has other claims: with the header and the signature of a real token, with a header that
        // names another algorithm, or with such a header and no signature.
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let parts: Vec<&str> = ours.split('.').collect();
        let header = part(&json!({"alg": algorithm, "typ": "at+jwt", "kid": "test"}));
        for (head, signature) in [(parts[0], parts[2]), (header.as_str(), parts[2]), (header.as_str(), "")] {
            let forged = format!("{head}.{}.{signature}", part(&claim));
            prop_assert!(!verify(&forged));
        }
    }

    #[test]
    fn a_changed_token_is_refused(at: prop::sample::Index, bit in 0_u8..6) {
        let tokens = tokens();
        let mut text = token(&tokens, "officer", now()).into_bytes();
        let at = at.index(text.len());
        text[at] ^= 1 << bit;
        let text = String::from_utf8_lossy(&text).into_owned();
        prop_assert!(tokens.verify(&text, &TokenAudience::ALL, now()).is_err(), "{text}");
    }

    #[test]
    fn a_forged_cursor_is_refused(mangled in mangle::bytes(vec![b"AAAAAAAAAAAAAAAAAAAAAAEB".to_vec(), b"W10".to_vec()])) {
        let cursors = Cursors::new(KeyRing::parse(KeyRing::fresh_file().expose()).unwrap());
        let text = String::from_utf8_lossy(&mangled.0).into_owned();
        prop_assert!(cursors.read::<Value>("list", &(), Some(&text)).is_err());
        prop_assert!(cursors.read::<Value>("list", &(), Some(&URL_SAFE_NO_PAD.encode(&mangled.0))).is_err());
    }
}
