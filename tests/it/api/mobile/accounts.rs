//! People of whom other systems spoke before they came, and accounts that turn out to be one person's: whoever proves that
//! something is theirs finds all that was reported for it, and nobody else does.

use std::fs;

use futures_util::future::join_all;
use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone, fresh_resident_id};
use songda::store::KeyRing;

use crate::support::desk::{Desk, wait_until};
use crate::support::office::{Decided, KnownOffice, came_once, result};

const NAME: &str = "王小明";

/// A desk with a back-office system beside it.
struct Town {
    desk: Desk,
    office: Caller,
    results: String,
}

impl Town {
    async fn at(desk: Desk) -> Self {
        let known = KnownOffice::new(&desk).await;
        let office = desk.api.with_token(known.token(&desk).await);
        let results = format!("/integration/v1/results/{}", known.source);
        Self { desk, office, results }
    }

    /// Reports a decision; its case's number.
    async fn report(&self, phone: &str, resident_id: Option<&str>) -> String {
        let mut body = result(phone);
        if let Some(resident_id) = resident_id {
            body["applicant"]["resident_id"] = json!(resident_id);
        }
        let reference = body.as_object_mut().unwrap().remove("ref").unwrap();
        let call = self.office.put(&format!("{}/{}", self.results, reference.as_str().unwrap()));
        let reply = call.once(&fresh_key()).json(&body).success().await.unwrap();
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.body);
        reply.text("/number").unwrap()
    }

    /// Somebody who opened the mini-program, and did nothing else.
    async fn newcomer(&self) -> Resident {
        self.by_wechat(&fresh_key()).await
    }

    async fn by_wechat(&self, someone: &str) -> Resident {
        let applicant = Applicant { name: NAME, resident_id: "", phone: "", home: "" };
        // WeChat takes each code once; what stands after the point makes it another code of the same person.
        Resident::by_wechat(&self.desk.api, &format!("wx-{someone}.{}", fresh_key()), applicant).await.unwrap()
    }

    /// Somebody who signed in by SMS, and proved who they are.
    async fn by_sms(&self, phone: &str, resident_id: &str) -> Caller {
        let proof = json!({"phone": phone, "code": self.code(phone).await});
        let session = self.desk.api.post("/v1/sessions/sms").json(&proof).success().await.unwrap();
        let caller = self.desk.api.with_token(session.text("/access_token").unwrap());
        assert_eq!(verify(&caller, resident_id).await.status.as_u16(), 200);
        caller
    }

    /// A code for a phone, as the SMS says it.
    async fn code(&self, phone: &str) -> String {
        // A number gets one code a minute; a test has not so much time.
        sqlx::query("update login_codes set created_at = created_at - interval '2 minutes'")
            .execute(&self.desk.database)
            .await
            .unwrap();
        self.desk.api.post("/v1/login-codes").json(&json!({"phone": phone})).success().await.unwrap();
        let ring = fs::read_to_string(self.desk.folder.join("keys/key-ring")).unwrap();
        let ring = KeyRing::parse(&ring).unwrap();
        let latest = "select code_sealed from login_codes where phone_hash = $1 order by created_at desc limit 1";
        let sealed: Vec<u8> = sqlx::query_scalar(latest)
            .bind(ring.hash("login_codes.phone", phone))
            .fetch_one(&self.desk.database)
            .await
            .unwrap();
        String::from_utf8(ring.open("login_codes.code", &sealed).unwrap()).unwrap()
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.desk.database).await.unwrap()
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

async fn numbers(caller: &Caller) -> Vec<String> {
    let cases = caller.get("/v1/cases").success().await.unwrap();
    cases.rows().unwrap().iter().map(|case| case["number"].as_str().unwrap().to_owned()).collect()
}

fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.body["code"].as_str()), (status, Some(code)), "{}", reply.body);
}

#[tokio::test]
async fn a_result_that_names_a_resident_id_is_shown_to_whoever_proves_it_and_to_nobody_else() {
    let town = Town::at(Desk::open().await).await;
    let (owner, theirs) = (town.desk.resident().await.0, fresh_resident_id());
    let phone = owner.applicant.phone;
    // A spouse's phone, or one that was given out again: told there, shown to its owner never.
    let number = town.report(phone, Some(&theirs)).await;
    came_once(&town.desk, &[Decided { number: number.clone(), phone: phone.to_owned(), openid: None }]).await;
    assert_eq!(numbers(owner.caller()).await, Vec::<String>::new(), "another person's case");
    assert!(owner.caller().get("/v1/notifications").success().await.unwrap().rows().unwrap().is_empty());

    let newcomer = town.newcomer().await;
    let before = newcomer.caller().get("/v1/changes").success().await.unwrap().text("/next_cursor").unwrap();
    assert_eq!(numbers(newcomer.caller()).await, Vec::<String>::new());
    assert_eq!(verify(newcomer.caller(), &theirs).await.status.as_u16(), 200);
    assert_eq!(numbers(newcomer.caller()).await, [number]);
    let inbox = newcomer.caller().get("/v1/notifications").success().await.unwrap();
    assert_eq!(inbox.rows().unwrap()[0]["event"], "granted", "{}", inbox.body);
    let changes = newcomer.caller().get("/v1/changes").query(&[("cursor", &before)]).success().await.unwrap();
    let kinds: Vec<&str> = changes.rows().unwrap().iter().filter_map(|change| change["kind"].as_str()).collect();
    assert_eq!(kinds, ["case", "parcel", "notification"], "{}", changes.body);

    // From now on the person is known, and told at what they proved.
    let second = town.report(&fresh_phone(), Some(&theirs)).await;
    assert_eq!(numbers(newcomer.caller()).await.len(), 2, "{second}");
    assert_eq!(numbers(owner.caller()).await, Vec::<String>::new());
    town.desk.close().await;
}

#[tokio::test]
async fn a_result_for_a_phone_waits_for_its_owner_and_its_jobs_go_on() {
    let town = Town::at(Desk::open_idle(&[]).await).await;
    let phone = fresh_phone();
    let number = town.report(&phone, None).await;
    let newcomer = town.newcomer().await;
    let code = town.code(&phone).await;
    let proved = prove(newcomer.caller(), &phone, &code, "refuse").await;
    assert_eq!(proved.status.as_u16(), 200, "nobody signed in to that account before: {}", proved.body);
    assert_eq!(numbers(newcomer.caller()).await, std::slice::from_ref(&number));
    assert_eq!(town.count("select count(*) from people where phone_hash is not null").await, 1);

    let _worker = town.desk.worker(None);
    came_once(&town.desk, &[Decided { number, phone, openid: None }]).await;
    let case = newcomer.caller().get("/v1/cases").success().await.unwrap().rows().unwrap()[0].clone();
    let case = case["id"].as_str().unwrap();
    assert_eq!(newcomer.inbox(case).await.unwrap(), ["granted"]);
    assert!(newcomer.parcel(case).await.unwrap().is_some(), "the parcel is theirs too");
    town.desk.close().await;
}

#[tokio::test]
async fn an_account_made_by_sms_and_one_made_by_wechat_become_one_when_their_owner_says_so() {
    let mut town = Town::at(Desk::open_idle(&[]).await).await;
    let (phone, resident_id, someone) = (fresh_phone(), fresh_resident_id(), fresh_key());
    let first = town.by_sms(&phone, &resident_id).await;
    let number = town.report(&phone, None).await;
    let person = |caller: &Caller| {
        let call = caller.get("/v1/me");
        async { call.success().await.unwrap().text("/id").unwrap() }
    };

    // The mini-program is opened: an account of its own, with a draft in it. It cannot be verified as the same person.
    let mini = town.by_wechat(&someone).await;
    let draft = mini.draft("JT-0045", &json!({"way": "electronic"})).await.unwrap();
    refused(&verify(mini.caller(), &resident_id).await, 409, "identity_taken");

    // Proving its phone here says what can be done, and the code counts on.
    let code = town.code(&phone).await;
    refused(&prove(mini.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    // Or it is found from the other side: signed in by SMS, the mini-program attaches WeChat.
    let attach = async |if_taken: &str| {
        let body = json!({"code": format!("wx-{someone}.{}", fresh_key()), "if_taken": if_taken});
        first.put("/v1/me/wechat").json(&body).answer().await.unwrap()
    };
    refused(&attach("refuse").await, 409, "wechat_taken");
    let joined = attach("join").await;
    assert_eq!((joined.status.as_u16(), &joined.body["verified"]), (200, &json!(true)), "{}", joined.body);

    let again = town.by_wechat(&someone).await;
    assert_eq!(person(again.caller()).await, person(&first).await);
    assert_eq!(numbers(again.caller()).await, [number]);
    let drafts = again.caller().get("/v1/drafts").success().await.unwrap();
    assert_eq!(drafts.rows().unwrap()[0]["id"], json!(draft), "what was begun there goes on: {}", drafts.body);
    let address = json!({"name": "王小明", "phone": phone, "region": "320413", "detail": "西城街道清风路1号"});
    let device = json!({
        "platform": "wechat_mini", "push_permission": "unknown", "language": "zh-CN",
        "app_version": "1.4.0", "os_version": "iOS 19.1",
    });
    for of_before in [
        mini.caller().get("/v1/me"),
        mini.caller().post("/v1/addresses").once("late").json(&address),
        mini.caller().put("/v1/devices/ins_01KAQ8YYG0E00800000000001A").json(&device),
    ] {
        refused(&of_before.answer().await.unwrap(), 401, "invalid_token");
    }
    assert_eq!(attach("refuse").await.status.as_u16(), 200, "it is their own");
    assert_eq!(town.count("select count(*) from people").await, 1);
    assert_eq!(town.count("select count(*) from joined_people").await, 1);
    town.desk.leave_jobs();
    town.desk.close().await;
}

#[tokio::test]
async fn a_phone_brings_the_account_that_was_made_by_it() {
    let mut town = Town::at(Desk::open_idle(&[]).await).await;
    let (phone, resident_id) = (fresh_phone(), fresh_resident_id());
    town.by_sms(&phone, &resident_id).await;
    let number = town.report(&phone, Some(&resident_id)).await;
    let mini = town.newcomer().await;
    let code = town.code(&phone).await;
    refused(&prove(mini.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    let joined = prove(mini.caller(), &phone, &code, "join").await;
    assert_eq!((joined.status.as_u16(), &joined.body["verified"]), (200, &json!(true)), "{}", joined.body);
    assert_eq!(numbers(mini.caller()).await, [number]);
    refused(&prove(mini.caller(), &phone, &code, "refuse").await, 401, "login_code_wrong");
    town.desk.leave_jobs();
    town.desk.close().await;
}

#[tokio::test]
async fn different_people_are_never_joined_and_a_number_may_change_hands() {
    let mut town = Town::at(Desk::open_idle(&[]).await).await;
    let phone = fresh_phone();
    let before = town.by_sms(&phone, &fresh_resident_id()).await;
    let number = town.report(&phone, None).await;
    let now = town.newcomer().await;
    assert_eq!(verify(now.caller(), &fresh_resident_id()).await.status.as_u16(), 200);

    let code = town.code(&phone).await;
    refused(&prove(now.caller(), &phone, &code, "refuse").await, 409, "phone_taken");
    refused(&prove(now.caller(), &phone, &code, "join").await, 409, "accounts_differ");
    assert_eq!(prove(now.caller(), &phone, &code, "move").await.status.as_u16(), 200);
    assert_eq!(numbers(now.caller()).await, Vec::<String>::new(), "the number alone");
    assert_eq!(numbers(&before).await, [number]);
    let me = before.get("/v1/me").success().await.unwrap();
    assert_eq!(me.body.get("phone").unwrap_or(&Value::Null), &Value::Null, "{}", me.body);
    town.desk.leave_jobs();
    town.desk.close().await;
}

/// Whoever comes while decisions are being reported for them finds all of them, and every report is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_meets_decisions_under_way() {
    const ROUNDS: usize = 6;
    const REPORTS: usize = 5;
    let mut town = Town::at(Desk::open_idle(&[]).await).await;
    for round in 0..ROUNDS {
        let (phone, resident_id) = (fresh_phone(), fresh_resident_id());
        let newcomer = town.newcomer().await;
        let code = town.code(&phone).await;
        let by_phone = join_all((0..REPORTS).map(|_| town.report(&phone, None)));
        let by_id = join_all((0..REPORTS).map(|_| town.report(&phone, Some(&resident_id))));
        let caller = newcomer.caller();
        let (by_phone, by_id, proved, verified) =
            tokio::join!(by_phone, by_id, prove(caller, &phone, &code, "refuse"), async {
                // One after the other: both hold the newcomer's account.
                verify(caller, &resident_id).await
            },);
        assert_eq!((proved.status.as_u16(), verified.status.as_u16()), (200, 200), "{} {}", proved.body, verified.body);
        let mut expected = [by_phone, by_id].concat();
        let mut found = numbers(caller).await;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "round {round}");
    }
    assert_eq!(town.count("select count(*) from people").await, i64::try_from(ROUNDS).unwrap());
    town.desk.leave_jobs();
    town.desk.close().await;
}

/// Two batches name the same newcomers, in opposite orders, and were looked up before either was written.
#[tokio::test]
async fn newcomers_of_whom_two_batches_tell_at_once_are_entered_once() {
    let mut town = Town::at(Desk::open_idle(&[]).await).await;
    town.desk.leave_jobs();
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
        let call = town.office.post("/integration/v1/result-batches").once(key);
        let reply = call.json(&json!({"results": rows})).success().await.unwrap();
        reply.header("idempotent-replayed").to_owned()
    };

    // Nobody can be entered while the table is locked.
    let mut lock = town.desk.database.begin().await.unwrap();
    sqlx::query("lock table people in share row exclusive mode").execute(&mut *lock).await.unwrap();
    let wait = "select count(*) from pg_locks where not granted and relation = 'people'::regclass
                and database = (select oid from pg_database where datname = current_database())";
    let let_go = async {
        wait_until("both wait to enter people", async || town.count(wait).await == 2).await;
        lock.commit().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(hand_in(&keys[0], &rows), hand_in(&keys[1], &others), let_go);

    assert_eq!([one, other], ["", ""]);
    assert_eq!(town.count("select count(*) from cases").await, 16);
    assert_eq!(town.count("select count(distinct person_id) from cases").await, 8);
    assert_eq!(town.count("select count(*) from people").await, 8, "each once");
    for (key, rows) in keys.iter().zip([&rows, &others]) {
        assert_eq!(
            hand_in(key, rows).await,
            "true",
            "whoever came second did not have to go alone, so its answer is kept"
        );
    }
    town.desk.close().await;
}
