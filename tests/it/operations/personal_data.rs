//! Nothing personal stands in the clear: people are known, decided on and written to, and then every row of the database,
//! and every line that the process logged at its most talkative, is looked through for what was said.

use reqwest::Url;
use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone};
use sqlx::AssertSqlSafe;

use crate::resilience::kills::QUICK;
use crate::support::desk::{Desk, PASSWORD, stops_softly, wait_until};
use crate::support::office::{KnownOffice, result};

const NAME: &str = "欧阳晴岚";
const RESIDENT_ID: &str = "320482200002290011";
const STREET: &str = "西城街道望亭巷7号";
/// Of whom another system tells.
const OTHER_RESIDENT_ID: &str = "320422198506150024";
/// What people write in the course of a case.
const WORDS: [&str; 9] = [
    "缺少低保家庭收入证明",
    "收入证明随后补交",
    "核对残疾等级",
    "家庭收入超过标准",
    "苏-残-0077-3141",
    "特困家庭照顾",
    "夫妻已经和好",
    "后台系统：父母双亡",
    "后台-证-0077-2718",
];

#[tokio::test]
async fn what_people_wrote_is_nowhere_to_be_read() {
    let desk = Desk::open_idle(&[&QUICK[..], &[("SONGDA_LOG", "trace")]].concat()).await;
    let mut songda = desk.watched("all", &[]).await;
    let api = songda.api().await;
    desk.sandbox.world().callbacks.aim(Some(api.base().clone()));
    let phone: &'static str = Box::leak(fresh_phone().into_boxed_str());
    let applicant = Applicant { name: NAME, resident_id: RESIDENT_ID, phone, home: STREET };
    let someone = fresh_key();
    let (code, openid) = (format!("wx-{someone}"), format!("openid-{someone}"));
    trouble(&desk).await;
    assert!(Resident::by_wechat(&api, &code, applicant).await.is_err(), "WeChat fell over");
    let resident = Resident::by_wechat(&api, &code, applicant).await.unwrap();
    assert!(resident.prove_identity().await.is_err(), "the register fell over");
    resident.prove_identity().await.unwrap();
    resident.add_phone(&desk.outside()).await.unwrap();
    resident.answer_dialog(&desk.outside(), &openid, "accept").await.unwrap();
    let cases = Cases { address: resident.add_address().await.unwrap(), resident: &resident };
    let officer = desk.officer_at(&api, "public-security").await;
    let desk_of = Desktop { officer: officer.caller() };

    let supplemented = cases.submit().await;
    desk_of.act(&supplemented, "supplement-notice", &json!({"points": [WORDS[0]]})).await;
    let answer = json!({"note": WORDS[1]});
    resident.caller().post(&format!("/v1/cases/{supplemented}/supplement")).json(&answer).success().await.unwrap();
    let why = json!({"reason": WORDS[2]});
    officer.caller().post(&format!("/staff/v1/cases/{supplemented}/disclosures")).json(&why).success().await.unwrap();
    desk_of.act(&supplemented, "acceptance", &json!({})).await;
    desk_of.act(&supplemented, "decision", &json!({"outcome": "deny", "reasons": WORDS[3]})).await;

    let granted = cases.submit().await;
    desk_of.act(&granted, "acceptance", &json!({})).await;
    let document = json!({"title": "居住证", "number": WORDS[4]});
    let grant = json!({"outcome": "grant", "reasons": WORDS[5], "result": document});
    let decided = desk_of.act(&granted, "decision", &grant).await;
    assert!(decided.body.to_string().contains(WORDS[4]), "whoever may, reads it: {}", decided.body);

    let withdrawn = cases.submit().await;
    let reason = json!({"reason": WORDS[6]});
    resident.caller().post(&format!("/v1/cases/{withdrawn}/withdrawal")).json(&reason).success().await.unwrap();
    let others = report(&desk, &api).await;

    let history = officer.caller().get(&format!("/staff/v1/cases/{supplemented}/history")).success().await.unwrap();
    for word in [WORDS[0], WORDS[2], WORDS[3]] {
        assert!(history.body.to_string().contains(word), "{word} is in the history: {}", history.body);
    }
    desk.finish().await;
    comes_to_the_door(&desk, phone).await;

    assert_eq!(in_the_clear(&desk, &said(&[phone, &others, &openid])).await, Vec::<String>::new());
    stops_softly(&mut songda.process).await;
    let told = [phone, &others, &openid, &code, resident.caller().token().unwrap(), PASSWORD];
    let log = songda.log();
    for (who, line) in
        [("the API", "answered"), ("the gateways", "refused a sign-in"), ("the worker", "insert into attempts")]
    {
        assert!(log.contains(line), "{who} logged: {line}");
    }
    for secret in said(&told) {
        let leak = log.lines().find(|line| line.contains(&secret));
        assert_eq!(leak, None, "{secret} is in the log");
    }
    desk.close().await;
}

/// Lets every gateway fall over once: what goes wrong is logged with its cause.
async fn trouble(desk: &Desk) {
    let sandbox = Caller::new(desk.sandbox.base_url().parse().unwrap()).unwrap();
    let calls = [
        ("wechat", "jscode2session", "http_500_html"),
        ("wechat", "send", "garbage_200"),
        ("identity", "Id2MetaVerify", "http_500_html"),
        ("sms_aliyun", "SendSms", "garbage_200"),
        ("ems", "020003", "http_500_html"),
    ];
    for (gateway, operation, fault) in calls {
        let fault = json!({"gateway": gateway, "operation": operation, "fault": fault, "times": 1});
        sandbox.post("/_sandbox/faults").json(&fault).success().await.unwrap();
    }
}

/// What was said, and how it is written in a column of bytes and in an address.
fn said(told: &[&str]) -> Vec<String> {
    let known = [NAME, RESIDENT_ID, STREET, OTHER_RESIDENT_ID];
    let all = WORDS.iter().chain(&known).chain(told);
    all.flat_map(|text| [(*text).to_owned(), hex::encode(text), in_an_address(text)]).collect()
}

fn in_an_address(text: &str) -> String {
    let mut url: Url = "http://localhost/".parse().unwrap();
    url.set_path(text);
    url.path().trim_start_matches('/').to_owned()
}

/// Moves the parcel to its door, and waits until its recipient was told.
async fn comes_to_the_door(desk: &Desk, phone: &str) {
    let parcels = desk.outside().parcels_to(phone).await.unwrap();
    let delivered = async || {
        desk.outside().advance(&parcels[0].order_no).await.unwrap();
        let told = "select count(*) from notifications where event = 'parcel_delivered'";
        sqlx::query_scalar::<_, i64>(told).fetch_one(&desk.database).await.unwrap() == 1
    };
    wait_until("the parcel is delivered", delivered).await;
    desk.finish().await;
}

/// The cases of a resident.
struct Cases<'r> {
    resident: &'r Resident,
    address: String,
}

impl Cases<'_> {
    async fn submit(&self) -> String {
        let delivery = json!({"way": "courier", "address": self.address});
        let draft = self.resident.draft("JT-0045", &delivery).await.unwrap();
        self.resident.submit(&draft).await.unwrap().id
    }
}

/// What an officer does.
struct Desktop<'o> {
    officer: &'o Caller,
}

impl Desktop<'_> {
    async fn act(&self, case: &str, act: &str, body: &Value) -> Reply {
        let path = format!("/staff/v1/cases/{case}");
        let read = self.officer.get(&path).success().await.unwrap();
        let call = self.officer.post(&format!("{path}/{act}")).if_match(read.etag()).once(&fresh_key());
        call.json(body).success().await.unwrap()
    }
}

/// Another system tells of somebody; their phone.
async fn report(desk: &Desk, api: &Caller) -> String {
    let known = KnownOffice::new(desk).await;
    let office = api.with_token(known.token(desk).await);
    let phone = fresh_phone();
    let mut row = result(&phone);
    row["reasons"] = json!(WORDS[7]);
    row["result"]["number"] = json!(WORDS[8]);
    row["applicant"]["resident_id"] = json!(OTHER_RESIDENT_ID);
    let batch = json!({"results": [row]});
    office.post("/integration/v1/result-batches").once(&fresh_key()).json(&batch).success().await.unwrap();
    phone
}

/// Every place where something personal stands as text, or as bytes that are text.
async fn in_the_clear(desk: &Desk, secrets: &[String]) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name !~ '^(item_versions|catalogue)'",
    )
    .fetch_all(&desk.database)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let rows = format!("select t::text from {table} t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&desk.database).await.unwrap();
        for secret in secrets {
            if rows.iter().any(|row| row.contains(secret.as_str())) {
                found.push(format!("{table}: {secret}"));
            }
        }
    }
    found
}
