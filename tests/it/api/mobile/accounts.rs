//! Accounts of people. A back-office system can report decisions for a person who has not signed in yet, and several
//! accounts can turn out to belong to one person. A person who proves a phone, an identity or a WeChat account finds
//! everything that was reported for it, and no other person does.

use std::fs;

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone, fresh_resident_id};
use songda::store::KeyRing;
use songda::store::seal::Cell;
use uuid::Uuid;

use crate::support::answers::{assert_problem, replayed};
use crate::support::arrivals::{Decided, assert_arrived_once};
use crate::support::desk::Desk;
use crate::support::items::ITEM;
use crate::support::journey::electronic;
use crate::support::locks::{lock_in, wait_for_blocked_on};
use crate::support::office::{Office, result};

const NAME: &str = "王小明";

/// A test's own installation (a desk), with a back-office system.
struct Town {
    desk: Desk,
    office: Office,
}

impl Town {
    async fn with_worker() -> Self {
        Self::on(Desk::open().await).await
    }

    async fn without_worker() -> Self {
        Self::on(Desk::builder().without_worker().open().await).await
    }

    async fn on(desk: Desk) -> Self {
        let office = Office::register(&desk).await;
        Self { desk, office }
    }

    /// Reports a decision, and returns the number of its case.
    async fn report(&self, phone: &str, resident_id: Option<&str>) -> String {
        let mut body = result(phone);
        if let Some(resident_id) = resident_id {
            body["applicant"]["resident_id"] = json!(resident_id);
        }
        let reply = self.office.put(&fresh_key(), &body).await;
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
        reply.text("/number").unwrap()
    }

    /// Creates a new person who opened the mini-program and did nothing else.
    async fn newcomer(&self) -> Resident {
        self.by_wechat(&fresh_key()).await
    }

    async fn by_wechat(&self, name: &str) -> Resident {
        let applicant = Applicant { name: NAME, resident_id: "", phone: "", home: "" };
        // WeChat accepts a code once. The part after the point makes it another code of the same person.
        Resident::by_wechat(&self.desk.api, &format!("wx-{name}.{}", fresh_key()), applicant).await.unwrap()
    }

    /// Creates a new person who signed in by SMS and is verified.
    async fn by_sms(&self, phone: &str, resident_id: &str) -> Caller {
        let proof = json!({"phone": phone, "code": self.code(phone).await});
        let session = self.desk.api.post("/v1/sessions/sms").json(&proof).success().await.unwrap();
        let caller = self.desk.api.with_token(session.text("/access_token").unwrap());
        assert_eq!(verify(&caller, resident_id).await.status.as_u16(), 200);
        caller
    }

    /// Asks for a code for a phone, and reads it from the database, because no worker sends it.
    async fn code(&self, phone: &str) -> String {
        // A number gets one code a minute, and a test does not wait that long.
        self.desk.execute("update login_codes set created_at = created_at - interval '2 minutes'").await;
        self.desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
        let ring = fs::read_to_string(self.desk.folder.join("keys/key-ring")).unwrap();
        let ring = KeyRing::parse(&ring).unwrap();
        let latest = "select id, code_sealed from login_codes where phone_hash = $1 order by created_at desc limit 1";
        let (id, sealed): (Uuid, Vec<u8>) = sqlx::query_as(latest)
            .bind(ring.hash("login_codes.phone", phone))
            .fetch_one(&self.desk.database)
            .await
            .unwrap();
        String::from_utf8(ring.open(&Cell::of("login_codes.code", id), &sealed).unwrap()).unwrap()
    }

    async fn close(mut self) {
        self.desk.leave_jobs();
        self.desk.close().await;
    }
}

async fn verify(caller: &Caller, resident_id: &str) -> Reply {
    let body = json!({"name": NAME, "resident_id": resident_id});
    caller.put("/v1/me/identity").json(&body).answer().await.unwrap()
}

async fn prove(caller: &Caller, phone: &str, code: &str, if_taken: &str) -> Reply {
    let body = json!({"phone": phone, "code": code, "if_taken": if_taken});
    caller.put("/v1/me/phone").json(&body).answer().await.unwrap()
}

/// Returns the numbers of a person's cases.
async fn numbers(caller: &Caller) -> Vec<String> {
    let cases = caller.get("/v1/cases").success().await.unwrap();
    cases.rows().unwrap().iter().map(|case| case["number"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_result_that_names_a_resident_id_is_shown_only_to_the_person_who_proves_it() {
    let town = Town::with_worker().await;
    let owner = town.desk.resident().await;
    let resident_id = fresh_resident_id();
    // The phone belongs to somebody else, such as a spouse: the message goes to this phone, and the phone's owner never
    // sees the case.
    let number = town.report(owner.phone(), Some(&resident_id)).await;
    assert_arrived_once(&town.desk, &[Decided::by_phone(number.clone(), owner.phone())]).await;
    assert_eq!(numbers(owner.caller()).await, Vec::<String>::new(), "it is another person's case");
    assert!(owner.caller().get("/v1/notifications").success().await.unwrap().rows().unwrap().is_empty());

    let newcomer = town.newcomer().await;
    let before = newcomer.caller().get("/v1/changes").success().await.unwrap().text("/next_cursor").unwrap();
    assert_eq!(numbers(newcomer.caller()).await, Vec::<String>::new());
    assert_eq!(verify(newcomer.caller(), &resident_id).await.status.as_u16(), 200);
    assert_eq!(numbers(newcomer.caller()).await, [number]);
    let inbox = newcomer.caller().get("/v1/notifications").success().await.unwrap();
    assert_eq!(inbox.rows().unwrap()[0]["event"], "granted", "{}", inbox.body);
    let changes = newcomer.caller().get("/v1/changes").query(&[("cursor", &before)]).success().await.unwrap();
    let kinds: Vec<&str> = changes.rows().unwrap().iter().filter_map(|change| change["kind"].as_str()).collect();
    assert_eq!(kinds, ["case", "parcel", "notification"], "{}", changes.body);

    // From now on the resident ID identifies the person, whatever phone a report names.
    let second = town.report(&fresh_phone(), Some(&resident_id)).await;
    assert_eq!(numbers(newcomer.caller()).await.len(), 2, "{second}");
    assert_eq!(numbers(owner.caller()).await, Vec::<String>::new());
    town.desk.close().await;
}

#[tokio::test]
async fn a_result_for_a_phone_belongs_to_the_person_who_proves_the_phone_and_its_jobs_go_on() {
    let town = Town::without_worker().await;
    let phone = fresh_phone();
    let number = town.report(&phone, None).await;
    let newcomer = town.newcomer().await;
    let code = town.code(&phone).await;
    let proved = prove(newcomer.caller(), &phone, &code, "refuse").await;
    assert_eq!(proved.status.as_u16(), 200, "nobody has signed in to that account: {}", proved.body);
    assert_eq!(numbers(newcomer.caller()).await, std::slice::from_ref(&number));
    assert_eq!(town.desk.count("select count(*) from people where phone_hash is not null").await, 1);

    let _worker = town.desk.worker();
    assert_arrived_once(&town.desk, &[Decided::by_phone(number, phone)]).await;
    let case = newcomer.caller().get("/v1/cases").success().await.unwrap().rows().unwrap()[0].clone();
    let case = case["id"].as_str().unwrap();
    assert_eq!(newcomer.inbox(case).await.unwrap(), ["granted"]);
    assert!(newcomer.parcel(case).await.unwrap().is_some(), "the parcel belongs to the same person");
    town.desk.close().await;
}

#[tokio::test]
async fn an_sms_account_and_a_wechat_account_of_one_person_are_joined_on_request() {
    let town = Town::without_worker().await;
    let phone = fresh_phone();
    let resident_id = fresh_resident_id();
    let name = fresh_key();
    let first = town.by_sms(&phone, &resident_id).await;
    let number = town.report(&phone, None).await;
    let id = async |caller: &Caller| caller.get("/v1/me").success().await.unwrap().text("/id").unwrap();

    // The person opens the mini-program, which makes a second account, and saves a draft. The second account cannot be
    // verified with the same resident ID.
    let mini = town.by_wechat(&name).await;
    let draft = mini.draft(ITEM, &electronic()).await.unwrap();
    assert_problem(&verify(mini.caller(), &resident_id).await, 409, "identity_taken");

    // If the phone belongs to another account, the proof of the phone is refused. The code stays valid for another
    // request.
    let code = town.code(&phone).await;
    assert_problem(&prove(mini.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    // Instead, the first account (made by SMS) can attach the WeChat account.
    let attach = async |if_taken: &str| {
        let body = json!({"code": format!("wx-{name}.{}", fresh_key()), "if_taken": if_taken});
        first.put("/v1/me/wechat").json(&body).answer().await.unwrap()
    };
    assert_problem(&attach("refuse").await, 409, "wechat_taken");
    let joined = attach("join").await;
    assert_eq!((joined.status.as_u16(), &joined.body["verified"]), (200, &json!(true)), "{}", joined.body);

    let again = town.by_wechat(&name).await;
    assert_eq!(id(again.caller()).await, id(&first).await);
    assert_eq!(numbers(again.caller()).await, [number]);
    let drafts = again.caller().get("/v1/drafts").success().await.unwrap();
    assert_eq!(drafts.rows().unwrap()[0]["id"], json!(draft), "the draft of the second account stays: {}", drafts.body);
    assert_invalid_now(mini.caller(), &phone).await;
    assert_eq!(attach("refuse").await.status.as_u16(), 200, "the WeChat account is the person's own");
    assert_eq!(town.desk.count("select count(*) from people").await, 1);
    assert_eq!(town.desk.count("select count(*) from joined_people").await, 1);
    town.close().await;
}

/// Asserts that the token of an account that was joined to another one is refused.
async fn assert_invalid_now(joined: &Caller, phone: &str) {
    let address = json!({"name": "王小明", "phone": phone, "region": "320413", "detail": "西城街道清风路1号"});
    let device = json!({
        "platform": "wechat_mini", "push_permission": "unknown", "language": "zh-CN",
        "app_version": "1.4.0", "os_version": "iOS 19.1",
    });
    for call in [
        joined.get("/v1/me"),
        joined.post("/v1/addresses").once("late").json(&address),
        joined.put("/v1/devices/ins_01KAQ8YYG0E00800000000001A").json(&device),
    ] {
        assert_problem(&call.answer().await.unwrap(), 401, "invalid_token");
    }
}

#[tokio::test]
async fn a_proof_of_the_phone_joins_the_account_that_was_made_with_it() {
    let town = Town::without_worker().await;
    let phone = fresh_phone();
    let resident_id = fresh_resident_id();
    town.by_sms(&phone, &resident_id).await;
    let number = town.report(&phone, Some(&resident_id)).await;
    let mini = town.newcomer().await;
    let code = town.code(&phone).await;
    assert_problem(&prove(mini.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    let joined = prove(mini.caller(), &phone, &code, "join").await;
    assert_eq!((joined.status.as_u16(), &joined.body["verified"]), (200, &json!(true)), "{}", joined.body);
    assert_eq!(numbers(mini.caller()).await, [number]);
    assert_problem(&prove(mini.caller(), &phone, &code, "refuse").await, 401, "login_code_wrong");
    town.close().await;
}

#[tokio::test]
async fn different_people_are_never_joined_and_a_phone_number_can_change_hands() {
    let town = Town::without_worker().await;
    let phone = fresh_phone();
    let before = town.by_sms(&phone, &fresh_resident_id()).await;
    let number = town.report(&phone, None).await;
    let now = town.newcomer().await;
    assert_eq!(verify(now.caller(), &fresh_resident_id()).await.status.as_u16(), 200);

    let code = town.code(&phone).await;
    assert_problem(&prove(now.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    assert_problem(&prove(now.caller(), &phone, &code, "join").await, 409, "accounts_differ");
    assert_eq!(prove(now.caller(), &phone, &code, "move").await.status.as_u16(), 200);
    assert_eq!(numbers(now.caller()).await, Vec::<String>::new(), "only the number moves");
    assert_eq!(numbers(&before).await, [number]);
    let me = before.get("/v1/me").success().await.unwrap();
    assert_eq!(me.body.get("phone").unwrap_or(&Value::Null), &Value::Null, "{}", me.body);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_finds_every_decision_that_is_reported_while_the_newcomer_signs_in() {
    const ROUNDS: usize = 6;
    const REPORTS: usize = 5;
    let town = Town::without_worker().await;
    for round in 0..ROUNDS {
        let phone = fresh_phone();
        let resident_id = fresh_resident_id();
        let newcomer = town.newcomer().await;
        let code = town.code(&phone).await;
        let caller = newcomer.caller();
        let (by_phone, by_id, proved, verified) = tokio::join!(
            join_all((0..REPORTS).map(|_| town.report(&phone, None))),
            join_all((0..REPORTS).map(|_| town.report(&phone, Some(&resident_id)))),
            prove(caller, &phone, &code, "refuse"),
            // The database runs the proof of the phone and this verification one after the other, because both lock the
            // newcomer's account.
            verify(caller, &resident_id),
        );
        assert_eq!((proved.status.as_u16(), verified.status.as_u16()), (200, 200), "{} {}", proved.body, verified.body);
        let mut expected = [by_phone, by_id].concat();
        let mut found = numbers(caller).await;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "round {round}");
    }
    assert_eq!(town.desk.count("select count(*) from people").await, i64::try_from(ROUNDS).unwrap());
    town.close().await;
}

/// Two batches name the same new people in opposite orders. A lock makes both look the people up before either batch
/// can create them.
#[tokio::test]
async fn new_people_in_two_concurrent_batches_are_created_once() {
    let town = Town::without_worker().await;
    let mut rows: Vec<Value> = (0..8).map(|_| result(&fresh_phone())).collect();
    for row in &mut rows[..4] {
        row["applicant"]["resident_id"] = json!(fresh_resident_id());
    }
    let mut others: Vec<Value> = rows.iter().rev().cloned().collect();
    for row in &mut others {
        row["ref"] = json!(fresh_key());
    }
    let keys = [fresh_key(), fresh_key()];
    let hand_in = async |key: &str, rows: &[Value]| {
        let reply = town.office.post(key, rows).await;
        assert!(reply.status.is_success(), "{}", reply.body);
        replayed(&reply).to_owned()
    };

    // No person can be created while the table is locked.
    let lock = lock_in(&town.desk, "people", "share row exclusive").await;
    let unlock = async {
        wait_for_blocked_on(&town.desk, "people", 2).await;
        lock.commit().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(hand_in(&keys[0], &rows), hand_in(&keys[1], &others), unlock);

    assert_eq!([one, other], ["", ""]);
    assert_eq!(town.desk.count("select count(*) from cases").await, 16);
    assert_eq!(town.desk.count("select count(distinct person_id) from cases").await, 8);
    assert_eq!(town.desk.count("select count(*) from people").await, 8, "each once");
    for (key, rows) in keys.iter().zip([&rows, &others]) {
        let again = hand_in(key, rows).await;
        assert_eq!(again, "true", "the second batch did not fall back to single rows, so its answer is stored");
    }
    town.close().await;
}
