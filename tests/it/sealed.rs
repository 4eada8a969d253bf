//! Nothing personal stands in the clear: people are known, decided on and written to, and then every row of the database is
//! looked through for what was said.

use serde_json::{Value, json};
use songda::demo::form::Applicant;
use songda::demo::http::{Caller, Reply};
use songda::demo::resident::Resident;
use songda::demo::{fresh_key, fresh_phone};
use sqlx::AssertSqlSafe;

use crate::decisions::{KnownOffice, result};
use crate::harness::Desk;

const NAME: &str = "欧阳晴岚";
const RESIDENT_ID: &str = "320482200002290011";
const STREET: &str = "西城街道望亭巷7号";
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
    let desk = Desk::open().await;
    let phone: &'static str = Box::leak(fresh_phone().into_boxed_str());
    let applicant = Applicant { name: NAME, resident_id: RESIDENT_ID, phone, home: STREET };
    let resident = Resident::by_wechat(&desk.api, &format!("wx-{}", fresh_key()), applicant).await.unwrap();
    resident.prove_identity().await.unwrap();
    resident.add_phone(&desk.outside()).await.unwrap();
    let cases = Cases { address: resident.add_address().await.unwrap(), resident: &resident };
    let officer = desk.officer("public-security").await;
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
    report(&desk).await;

    let history = officer.caller().get(&format!("/staff/v1/cases/{supplemented}/history")).success().await.unwrap();
    for word in [WORDS[0], WORDS[2], WORDS[3]] {
        assert!(history.body.to_string().contains(word), "{word} is in the history: {}", history.body);
    }
    desk.finish(std::time::Duration::from_secs(20)).await;
    assert_eq!(in_the_clear(&desk, phone).await, Vec::<String>::new());
    desk.close().await;
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

async fn report(desk: &Desk) {
    let known = KnownOffice::new(desk).await;
    let office = desk.api.with_token(known.token(desk).await);
    let mut row = result(&fresh_phone());
    row["reasons"] = json!(WORDS[7]);
    row["result"]["number"] = json!(WORDS[8]);
    row["applicant"]["resident_id"] = json!("320422198506150024");
    let batch = json!({"results": [row]});
    office.post("/integration/v1/result-batches").once(&fresh_key()).json(&batch).success().await.unwrap();
}

/// Every place where something personal stands as text, or as bytes that are text.
async fn in_the_clear(desk: &Desk, phone: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = 'public' and table_type = 'BASE TABLE' and table_name !~ '^(item_versions|catalogue)'",
    )
    .fetch_all(&desk.database)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let secrets = WORDS.iter().copied().chain([NAME, RESIDENT_ID, STREET, phone, "320422198506150024"]);
    let secrets: Vec<String> = secrets.flat_map(|text| [text.to_owned(), hex::encode(text)]).collect();
    let mut found = Vec::new();
    for table in tables {
        let rows = format!("select t::text from {table} t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&desk.database).await.unwrap();
        for secret in &secrets {
            if rows.iter().any(|row| row.contains(secret.as_str())) {
                found.push(format!("{table}: {secret}"));
            }
        }
    }
    found
}
