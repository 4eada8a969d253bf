//! No personal data is stored or logged in the clear. Residents sign in, an officer decides their cases, and messages
//! are sent. Then every row of the database and every log line, at level `trace`, is searched for personal data.

use reqwest::Url;
use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::{Caller, Reply};
use songda::demo::officer::DeskOfficer;
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone};
use songda::sandbox::faults::FaultKind;
use sqlx::AssertSqlSafe;

use crate::support::acts::act;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::journey::courier;
use crate::support::office::{Office, result};
use crate::support::people::PASSWORD;
use crate::support::process::{Watched, stop_gracefully};
use crate::support::settings::QUICK;
use crate::support::wait::wait_until;

const NAME: &str = "欧阳晴岚";
const RESIDENT_ID: &str = "320482200002290011";
const STREET: &str = "西城街道望亭巷7号";
/// The resident ID of a person whom another system reports.
const OTHER_RESIDENT_ID: &str = "320422198506150024";
/// Words that people write in the course of a case.
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

/// A resident, an officer, and one process that runs all parts of the program and logs at level `trace`.
struct Scene {
    desk: Desk,
    process: Watched,
    api: Caller,
    resident: Resident,
    officer: DeskOfficer,
    /// The WeChat code of the resident's sign-in.
    code: String,
    openid: String,
}

impl Scene {
    async fn open() -> Self {
        let desk = Desk::builder().settings(&QUICK).settings(&[("SONGDA_LOG", "trace")]).without_worker().open().await;
        let process = desk.watched("all", &[]).await;
        let api = process.api().await;
        desk.sandbox.world().callbacks.aim(Some(api.base().clone()));
        let name = fresh_key();
        let code = format!("wx-{name}");
        let openid = format!("openid-{name}");
        let phone: &'static str = Box::leak(fresh_phone().into_boxed_str());
        let applicant = Applicant { name: NAME, resident_id: RESIDENT_ID, phone, home: STREET };
        let_every_gateway_fail_once(&desk);
        assert!(Resident::by_wechat(&api, &code, applicant).await.is_err(), "WeChat fails");
        let resident = Resident::by_wechat(&api, &code, applicant).await.unwrap();
        assert!(resident.prove_identity().await.is_err(), "the identity gateway fails");
        resident.prove_identity().await.unwrap();
        resident.add_phone(&desk.outside()).await.unwrap();
        resident.answer_dialog(&desk.outside(), &openid, "accept").await.unwrap();
        let officer = desk.officer_at(&api, AGENCY).await;
        Self { desk, process, api, resident, officer, code, openid }
    }

    /// The resident submits a case.
    async fn submit(&self, address: &str) -> String {
        let draft = self.resident.draft(ITEM, &courier(address)).await.unwrap();
        self.resident.submit(&draft).await.unwrap().id
    }

    /// The officer acts on a case, and must succeed.
    async fn act(&self, case: &str, what: &str, body: &Value) -> Reply {
        let reply = act(self.officer.caller(), case, what, body).await;
        assert!(reply.status.is_success(), "{what}: {}", reply.body);
        reply
    }

    /// The officer denies a case. Before that, the officer asks for a supplement, the resident answers, and the officer
    /// has the resident's personal numbers disclosed.
    async fn deny_a_supplemented_case(&self, address: &str) {
        let case = self.submit(address).await;
        self.act(&case, "supplement-notice", &json!({"points": [WORDS[0]]})).await;
        let answer = self.resident.caller().post(&format!("/v1/cases/{case}/supplement"));
        answer.json(&json!({"note": WORDS[1]})).success().await.unwrap();
        let disclosure = self.officer.caller().post(&format!("/staff/v1/cases/{case}/disclosures"));
        disclosure.json(&json!({"reason": WORDS[2]})).success().await.unwrap();
        self.act(&case, "acceptance", &json!({})).await;
        self.act(&case, "decision", &json!({"outcome": "deny", "reasons": WORDS[3]})).await;
        let history = self.officer.caller().get(&format!("/staff/v1/cases/{case}/history")).success().await.unwrap();
        for word in [WORDS[0], WORDS[2], WORDS[3]] {
            assert!(history.body.to_string().contains(word), "{word} is in the history: {}", history.body);
        }
    }

    async fn grant_a_case(&self, address: &str) {
        let case = self.submit(address).await;
        self.act(&case, "acceptance", &json!({})).await;
        let document = json!({"title": "居住证", "number": WORDS[4]});
        let grant = json!({"outcome": "grant", "reasons": WORDS[5], "result": document});
        let decided = self.act(&case, "decision", &grant).await;
        assert!(decided.body.to_string().contains(WORDS[4]), "the officer reads it in the clear: {}", decided.body);
    }

    async fn withdraw_a_case(&self, address: &str) {
        let case = self.submit(address).await;
        let withdrawal = self.resident.caller().post(&format!("/v1/cases/{case}/withdrawal"));
        withdrawal.json(&json!({"reason": WORDS[6]})).success().await.unwrap();
    }

    /// Another system reports a decision for a new person. Returns the person's phone.
    async fn report_a_stranger(&self) -> String {
        let phone = fresh_phone();
        let mut row = result(&phone);
        row["reasons"] = json!(WORDS[7]);
        row["result"]["number"] = json!(WORDS[8]);
        row["applicant"]["resident_id"] = json!(OTHER_RESIDENT_ID);
        Office::register(&self.desk).await.at(&self.api).hand_in(&[row]).await;
        phone
    }

    /// Moves the resident's parcel to the resident's door, and waits until the resident is notified.
    async fn deliver(&self) {
        self.desk.finish().await;
        let parcels = self.desk.outside().parcels_to(self.resident.applicant.phone).await.unwrap();
        let delivered = async || {
            self.desk.outside().advance(&parcels[0].order_no).await.unwrap();
            self.desk.count("select count(*) from notifications where event = 'parcel_delivered'").await == 1
        };
        wait_until("the parcel is delivered", delivered).await;
        self.desk.finish().await;
    }
}

#[tokio::test]
async fn no_personal_data_is_in_the_clear_in_the_database_or_the_log() {
    let mut scene = Scene::open().await;
    let address = scene.resident.add_address().await.unwrap();
    scene.deny_a_supplemented_case(&address).await;
    scene.grant_a_case(&address).await;
    scene.withdraw_a_case(&address).await;
    let other_phone = scene.report_a_stranger().await;
    scene.deliver().await;

    let phone = scene.resident.applicant.phone;
    let stored = secrets(&[phone, &other_phone, &scene.openid]);
    assert_eq!(in_the_clear(&scene.desk, &stored).await, Vec::<String>::new());
    stop_gracefully(&mut scene.process.process).await;
    let token = scene.resident.caller().token().unwrap();
    let log = scene.process.log();
    for (part, line) in
        [("the API", "answered"), ("the gateways", "refused a sign-in"), ("the worker", "insert into attempts")]
    {
        assert!(log.contains(line), "{part} logged: {line}");
    }
    for secret in secrets(&[phone, &other_phone, &scene.openid, &scene.code, token, PASSWORD]) {
        let leak = log.lines().find(|line| line.contains(&secret));
        assert_eq!(leak, None, "{secret} is in the log");
    }
    scene.desk.close().await;
}

/// Makes each of these operations of a gateway fail once. The log then has the cause of each failure, which must not
/// contain personal data.
fn let_every_gateway_fail_once(desk: &Desk) {
    let faults = [
        ("wechat", "jscode2session", FaultKind::Http500Html),
        ("wechat", "send", FaultKind::Garbage200),
        ("identity", "Id2MetaVerify", FaultKind::Http500Html),
        ("sms_aliyun", "SendSms", FaultKind::Garbage200),
        ("ems", "020003", FaultKind::Http500Html),
    ];
    for (gateway, operation, fault) in faults {
        desk.fault(gateway, fault).on(operation).once();
    }
}

/// Returns all personal data of this test: as text, in hexadecimal as in a column of bytes, and percent-encoded as in a
/// URL.
fn secrets(more: &[&str]) -> Vec<String> {
    let known = [NAME, RESIDENT_ID, STREET, OTHER_RESIDENT_ID];
    let all = WORDS.iter().chain(&known).chain(more);
    all.flat_map(|text| [(*text).to_owned(), hex::encode(text), percent_encoded(text)]).collect()
}

fn percent_encoded(text: &str) -> String {
    let mut url: Url = "http://localhost/".parse().unwrap();
    url.set_path(text);
    url.path().trim_start_matches('/').to_owned()
}

/// Returns each secret that is found in a table, with the table's name. Each row is read as text, in which columns of
/// bytes are hexadecimal.
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
