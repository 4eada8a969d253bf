//! Access tokens of back-office systems, in exchange for a signed assertion (RFC 7523).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use songda::auth::client_assertion::{AssertionFault, KeysFault, check_keys};
use songda::auth::tokens::TokenAudience;
use songda::casework::people::clients::NewClient;
use songda::casework::people::sessions::by_assertion::{ClientToken, ClientTokenError};
use songda::domain::item::AgencyCode;
use songda::domain::kernel::clock::Instant;
use songda::domain::people::staff::{ApiClient, Scope};

use crate::support::people_desk::{PeopleDesk, TOKEN_ENDPOINT};

/// A registered back-office system with an elliptic key and an RSA key.
struct BackOffice {
    desk: PeopleDesk,
    client: ApiClient,
    keys: [(Algorithm, EncodingKey); 2],
}

impl BackOffice {
    async fn open() -> Self {
        let desk = PeopleDesk::open().await;
        let (es256, ec) = elliptic();
        let (rs256, rsa_key) = rsa();
        let new = NewClient {
            name: "住建审批系统".to_owned(),
            source: "housing".parse().unwrap(),
            agencies: vec![AgencyCode::new("housing")],
            scopes: Scope::ALL.into_iter().collect(),
        };
        let client = desk.people.clients().add(new, &json!({ "keys": [ec, rsa_key] })).await.unwrap();
        Self { desk, client, keys: [(Algorithm::ES256, es256), (Algorithm::RS256, rs256)] }
    }

    fn claims(&self, jti: &str) -> Value {
        let id = self.client.id;
        let now = self.desk.start.timestamp();
        json!({ "iss": id, "sub": id, "aud": TOKEN_ENDPOINT, "jti": jti, "iat": now, "exp": now + 60 })
    }

    fn sign(&self, claims: &Value, key: usize) -> String {
        let (algorithm, key) = &self.keys[key];
        encode(&Header::new(*algorithm), claims, key).unwrap()
    }

    async fn ask(&self, claims: &Value) -> Result<ClientToken, ClientTokenError> {
        self.desk.people.sessions().by_assertion(&self.sign(claims, 0), None).await
    }
}

fn elliptic() -> (EncodingKey, Value) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let x = URL_SAFE_NO_PAD.encode(&point[1..33]);
    let y = URL_SAFE_NO_PAD.encode(&point[33..]);
    let der = pair.to_pkcs8v1().unwrap();
    (EncodingKey::from_ec_der(der.as_ref()), json!({ "kty": "EC", "crv": "P-256", "kid": "e", "x": x, "y": y }))
}

fn rsa() -> (EncodingKey, Value) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        base64::engine::general_purpose::STANDARD.encode(der.as_ref())
    );
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let public = Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    (key, serde_json::to_value(public).unwrap())
}

#[tokio::test]
async fn an_assertion_is_exchanged_for_a_token_with_the_requested_scopes() {
    let office = BackOffice::open().await;
    for (key, jti) in [(0, "one"), (1, "two")] {
        let assertion = office.sign(&office.claims(jti), key);
        let token = office.desk.people.sessions().by_assertion(&assertion, Some("results:read all")).await.unwrap();
        let claims = office.desk.people.tokens.verify(
            token.access_token.expose(),
            &[TokenAudience::Integration],
            office.desk.start,
        );
        let claims = claims.unwrap();
        let granted = (claims.sub.as_str(), claims.grant.scope.as_deref());
        assert_eq!(granted, (office.client.id.to_string().as_str(), Some("results:read")));
    }
    let none = office.desk.people.sessions().by_assertion(&office.sign(&office.claims("three"), 0), Some("all")).await;
    assert!(matches!(none, Err(ClientTokenError::NoScope)), "{none:?}");
    office.desk.close().await;
}

#[tokio::test]
async fn an_assertion_is_accepted_once_even_if_sent_concurrently() {
    let office = BackOffice::open().await;
    let claims = office.claims("once");
    let all = join_all((0..8).map(|_| office.ask(&claims))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 1, "{all:?}");
    assert!(all.iter().all(|answer| matches!(answer, Ok(_) | Err(ClientTokenError::Replayed))), "{all:?}");
    assert_eq!(office.desk.forget_old_after(80).await, 0, "it could still be replayed");
    assert_eq!(office.desk.forget_old_after(91).await, 1);
    office.desk.close().await;
}

#[tokio::test]
async fn an_assertion_with_a_wrong_audience_subject_time_or_signature_is_refused() {
    let office = BackOffice::open().await;
    let now = office.desk.start.timestamp();
    for (member, value, fault) in [
        ("aud", json!("https://elsewhere.example/token"), AssertionFault::Signature),
        ("aud", Value::Null, AssertionFault::Signature),
        ("sub", json!("cli_else"), AssertionFault::Signature),
        ("exp", json!(now - 30), AssertionFault::Time),
        ("exp", json!(Instant::MAX_UTC.timestamp()), AssertionFault::Time),
        ("jti", json!("a\0"), AssertionFault::Jti),
        ("exp", json!(now + 331), AssertionFault::Time),
        ("nbf", json!(now + 31), AssertionFault::Time),
        ("jti", Value::Null, AssertionFault::Jti),
        ("jti", json!("x".repeat(201)), AssertionFault::Jti),
    ] {
        let mut claims = office.claims("x");
        claims[member] = value.clone();
        let answer = office.ask(&claims).await;
        assert!(
            matches!(&answer, Err(ClientTokenError::Assertion(found)) if *found == fault),
            "{member} {value}: {answer:?}"
        );
    }
    let stranger = encode(&Header::new(Algorithm::ES256), &office.claims("s"), &elliptic().0).unwrap();
    assert!(office.desk.people.sessions().by_assertion(&stranger, None).await.is_err());
    let secret = EncodingKey::from_secret(b"x");
    let symmetric = encode(&Header::new(Algorithm::HS256), &office.claims("h"), &secret).unwrap();
    let answer = office.desk.people.sessions().by_assertion(&symmetric, None).await;
    assert!(matches!(answer, Err(ClientTokenError::Assertion(AssertionFault::Algorithm))), "{answer:?}");
    for junk in ["", "a.b.c", &"x".repeat(9000)] {
        assert!(office.desk.people.sessions().by_assertion(junk, None).await.is_err());
    }
    office.desk.close().await;
}

#[tokio::test]
async fn a_revoked_client_gets_no_token() {
    let office = BackOffice::open().await;
    office.desk.people.clients().revoke(&office.client.source).await.unwrap();
    let answer = office.ask(&office.claims("x")).await;
    assert!(matches!(answer, Err(ClientTokenError::UnknownClient)), "{answer:?}");
    assert!(office.desk.people.clients().list().await.unwrap()[0].revoked_at.is_some());
    office.desk.close().await;
}

#[test]
fn a_key_set_with_private_weak_or_no_keys_is_refused() {
    let (_, ec) = elliptic();
    let mut private = ec.clone();
    private["d"] = json!("AAAA");
    assert_eq!(check_keys(&json!({ "keys": [ec] })), Ok(()));
    assert_eq!(check_keys(&json!({ "keys": [private] })), Err(KeysFault::Private));
    assert_eq!(check_keys(&json!({ "keys": [] })), Err(KeysFault::Form));
    assert_eq!(check_keys(&json!({ "kty": "EC" })), Err(KeysFault::Form));
    let weak = json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0x80; 128]), "e": "AQAB" });
    assert_eq!(check_keys(&json!({ "keys": [weak] })), Err(KeysFault::Kind));
}
