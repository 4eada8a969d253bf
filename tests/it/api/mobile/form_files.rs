//! A form asks for a file where it is needed: it is uploaded, named in the field, handed in, and read by the officer.

use serde_json::{Value, json};
use songda::demo::fresh_key;
use songda::demo::http::{Caller, Reply};

use crate::support::acts::{faults, refused};
use crate::support::desk::Desk;

const ITEM: &str = "JT-0045";
const LETTER: &[u8] = b"%PDF-1.4\n% letter of authority\n%%EOF\n";

async fn upload(caller: &Caller, content: &'static [u8]) -> String {
    let part = reqwest::multipart::Part::bytes(content).file_name("letter.pdf").mime_str("application/pdf").unwrap();
    caller.post("/v1/uploads").file(part).success().await.unwrap().text("/id").unwrap()
}

/// Puts a file into the draft's field, and submits it.
async fn submit_with(caller: &Caller, draft: &str, file: &str) -> Reply {
    let path = format!("/v1/drafts/{draft}");
    let read = caller.get(&path).success().await.unwrap();
    let member = |name: &str| read.body[name].clone();
    let mut form = member("form");
    form["agent"]["authorisation"] = file.into();
    let content = json!({
        "item_code": ITEM, "form": form, "materials": member("materials"), "delivery": member("delivery"),
    });
    caller.put(&path).if_match(read.etag()).json(&content).success().await.unwrap();
    caller.post("/v1/cases").once(&fresh_key()).json(&json!({"draft": draft})).answer().await.unwrap()
}

#[tokio::test]
async fn a_file_that_a_form_asks_for_reaches_the_officer() {
    let desk = Desk::open().await;
    let guide = desk.api.get(&format!("/v1/items/{ITEM}")).success().await.unwrap();
    let asked = guide.at("/form_schema/properties/agent/properties/authorisation").unwrap();
    assert_eq!((&asked["x-kind"], &asked["x-when"]["field"]), (&json!("file"), &json!("through_agent")));

    let (resident, _) = desk.resident().await;
    let caller = resident.caller();
    let draft = resident.draft(ITEM, &json!({"way": "electronic"})).await.unwrap();
    let other = upload(desk.resident().await.0.caller(), LETTER).await;
    let reply = submit_with(caller, &draft, &other).await;
    refused(&reply, 422, "invalid_body");
    assert_eq!(faults(&reply), [("/form/agent/authorisation", "unknown_upload")], "it is somebody else's");

    let letter = upload(caller, LETTER).await;
    let made = submit_with(caller, &draft, &letter).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.body);
    let case = format!("/staff/v1/cases/{}", made.text("/id").unwrap());
    let officer = desk.officer("public-security").await;
    let read = officer.caller().get(&case).success().await.unwrap();
    assert_eq!(read.at("/application/form/agent/authorisation").unwrap(), &Value::from(letter.as_str()));
    let content = officer.caller().get(&format!("{case}/uploads/{letter}")).success().await.unwrap();
    assert_eq!((content.bytes.as_ref(), content.header("content-type")), (LETTER, "application/pdf"));
    let strange =
        desk.officer("human-resources").await.caller().get(&format!("{case}/uploads/{letter}")).answer().await.unwrap();
    refused(&strange, 404, "not_found");
    let thrown_away = caller.delete(&format!("/v1/uploads/{letter}")).answer().await.unwrap();
    refused(&thrown_away, 409, "upload_handed_in");
    desk.close().await;
}
