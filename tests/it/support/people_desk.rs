//! The use cases about people (sign-in, identity, addresses, consents and others), called without an API. They run at a
//! time that the test sets, and on a real, empty database, because some tests depend on its locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;
use songda::auth::passwords::Passwords;
use songda::auth::signing_keys::SigningKeys;
use songda::auth::tokens::Tokens;
use songda::casework::frame::bell::Bell;
use songda::casework::people::People;
use songda::casework::people::ended_sessions::EndedSessions;
use songda::casework::people::recent::Recent;
use songda::casework::people::sessions::open::SignedIn;
use songda::casework::upkeep::forget_old::forget_old;
use songda::catalog::{Catalog, Revision, Snapshot};
use songda::domain::delivery::address::RegionNames;
use songda::domain::kernel::clock::{Clock, Instant};
use songda::domain::kernel::private::Private;
use songda::domain::kernel::text::Language;
use songda::domain::notice::notification::ChannelCode;
use songda::domain::people::identity::MobilePhone;
use songda::domain::people::person::Person;
use songda::domain::people::staff::StaffRules;
use songda::gateway::identity::{IdentityFact, IdentityGateway};
use songda::gateway::login::{LoginFault, LoginGateway, PlatformAccount};
use songda::store::Store;
use songda::store::seal::Cell;
use uuid::Uuid;

use super::database::Record;

pub const TOKEN_ENDPOINT: &str = "https://songda.example/integration/v1/token";

pub struct PeopleDesk {
    pub people: People,
    pub start: Instant,
    pub register: Register,
    record: Record,
}

impl PeopleDesk {
    pub async fn open() -> Self {
        let record = Record::create().await;
        let start = "2026-03-02T01:00:00Z".parse().unwrap();
        let register = Register::default();
        Self { people: people(record.store.clone(), start, &register), start, register, record }
    }

    /// Returns the same use cases with a clock that is set some seconds after [`Self::start`].
    pub fn after(&self, seconds: i64) -> People {
        People { clock: Clock::frozen(self.start + TimeDelta::seconds(seconds)), ..self.people.clone() }
    }

    /// Runs housekeeping as if some seconds had passed since [`Self::start`]. Returns the number of deleted rows.
    pub async fn forget_old_after(&self, seconds: i64) -> u64 {
        forget_old(&self.record.store, self.start + TimeDelta::seconds(seconds)).await.unwrap()
    }

    /// Signs a person in by WeChat. Here a code always means the same person.
    pub async fn sign_in(&self, code: &str) -> SignedIn<Person> {
        self.people.sessions().by_wechat(&private(code), Language::Chinese).await.unwrap()
    }

    /// Returns the latest sign-in code for a number, as the SMS contains it.
    pub async fn code_for(&self, phone: &str) -> Private<String> {
        let keys = self.people.store.keys();
        let mut connection = self.people.store.connection().await.unwrap();
        let (id, sealed): (Uuid, Vec<u8>) = sqlx::query_as(
            "select id, code_sealed from login_codes where phone_hash = $1 order by created_at desc limit 1",
        )
        .bind(keys.hash("login_codes.phone", phone))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        Private::new(String::from_utf8(keys.open(&Cell::of("login_codes.code", id), &sealed).unwrap()).unwrap())
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.people.store.pool()).await.unwrap()
    }

    pub async fn close(self) {
        self.record.drop().await;
    }
}

fn people(store: Store, now: Instant, register: &Register) -> People {
    People {
        store,
        clock: Clock::frozen(now),
        bell: Bell::new().0,
        tokens: Tokens::new(SigningKeys::of([("a".to_owned(), SigningKeys::fresh_pem().unwrap())]).unwrap()),
        passwords: Passwords::default(),
        login: Some(Arc::new(AnyCode)),
        identity: Some(Arc::new(register.clone())),
        code_channel: ChannelCode::new("sms_aliyun"),
        push_channels: Arc::new([ChannelCode::new("jpush")]),
        catalog: Catalog::new(templates(1, "RESULT")),
        regions: Arc::new(|code| {
            let names =
                RegionNames { province: "江苏省".into(), city: "常州市".into(), county: "金坛区".into() };
            (code == "320413").then_some(names)
        }),
        recent_clients: Recent::default(),
        recent_officers: Recent::default(),
        ended_sessions: EndedSessions::default(),
        staff_rules: StaffRules { idle: Duration::from_secs(30 * 60), second_factor: Arc::default() },
        token_endpoint: TOKEN_ENDPOINT.into(),
    }
}

/// Makes a catalogue with WeChat templates only. The templates of decisions, in Chinese and in English, need one
/// consent for each message. The template of delivered parcels needs one consent for all messages. `of_decisions` is
/// the id of the Chinese template of decisions.
pub fn templates(revision: i64, of_decisions: &str) -> Snapshot {
    let template = |id: &str, language: &str, consent: &str, events: &[&str]| {
        json!({
            "channel": "wechat", "language": language, "events": events,
            "wording": {"id": id, "fields": {}, "consent": consent},
        })
    };
    let templates = json!([
        template(of_decisions, "zh-CN", "one_time", &["granted", "denied"]),
        template("NEWS", "zh-CN", "long_term", &["parcel_delivered"]),
        template("ENGLISH", "en", "one_time", &["granted"]),
        template("ENGLISH", "en", "one_time", &["denied"]),
    ]);
    let parts = json!({
        "agencies": [], "regions": {"provinces": [], "towns": []}, "halls": [], "topics": [], "calendar": [],
        "templates": {"events": {}, "templates": templates},
    });
    let published_at = "2026-03-01T01:00:00Z".parse().unwrap();
    let parts = serde_json::from_value(parts).unwrap();
    Snapshot::new(Revision { number: revision, published_at }, Vec::new(), Vec::new(), parts)
}

/// A WeChat that accepts any code, and answers with the code as openid.
struct AnyCode;

#[async_trait]
impl LoginGateway for AnyCode {
    async fn session(&self, code: &Private<String>) -> Result<PlatformAccount, LoginFault> {
        Ok(PlatformAccount { appid: "wx0".to_owned(), openid: code.clone(), unionid: None })
    }
}

/// An identity gateway that confirms the name 王小明 for every resident ID, and is unavailable for the name 停机.
#[derive(Clone, Default)]
pub struct Register(Arc<AtomicUsize>);

impl Register {
    /// Returns how many comparisons of name and resident ID the gateway made.
    pub fn asked(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl IdentityGateway for Register {
    async fn verify(&self, name: &Private<String>, _: &Private<String>) -> IdentityFact {
        self.0.fetch_add(1, Ordering::Relaxed);
        match name.expose().as_str() {
            "王小明" => IdentityFact::Match,
            "停机" => IdentityFact::Unavailable("it is away".to_owned()),
            _ => IdentityFact::Mismatch,
        }
    }
}

pub fn private(text: &str) -> Private<String> {
    Private::new(text.to_owned())
}

pub fn phone(text: &str) -> MobilePhone {
    MobilePhone::parse(text).unwrap()
}
