//! What an officer sees of a person: masked, unless they say why they must see more, and that is kept.

use serde_json::json;
use songda::demo::http::Reply;
use songda::domain::kernel::clock::fresh;
use songda::domain::kernel::ids::InstallationId;
use songda::domain::people::identity::{masked_phone, masked_resident_id};

use crate::support::desk::Desk;

fn shows(reply: &Reply, number: &str) -> bool {
    reply.body.to_string().contains(number)
}

/// What `If-Match` compares.
fn version(reply: &Reply) -> &str {
    reply.etag().trim_matches('"').split('.').next().unwrap()
}

#[tokio::test]
async fn whoever_sees_a_whole_number_leaves_their_name_and_their_reason() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let draft = resident.draft("JT-0045", &json!({"way": "electronic"})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let path = format!("/staff/v1/cases/{case}");
    let disclosures = format!("{path}/disclosures");
    let (resident_id, phone) = (resident.applicant.resident_id, resident.applicant.phone);
    let officer = desk.officer("public-security").await;
    let reason = json!({"reason": "核对身份证件"});

    let read = officer.caller().get(&path).success().await.unwrap();
    assert!(shows(&read, &masked_resident_id(resident_id)) && shows(&read, &masked_phone(phone)), "{}", read.body);
    assert!(!shows(&read, resident_id) && !shows(&read, phone), "{}", read.body);

    let elsewhere = desk.officer("human-resources").await;
    let strange = elsewhere.caller().post(&disclosures).json(&reason).answer().await.unwrap();
    assert_eq!(strange.status.as_u16(), 404, "a case of another agency: {}", strange.body);
    let silent = officer.caller().post(&disclosures).json(&json!({"reason": " "})).answer().await.unwrap();
    assert_eq!(silent.status.as_u16(), 422, "{}", silent.body);
    let history = format!("{path}/history");
    let before = officer.caller().get(&history).success().await.unwrap();
    assert!(!shows(&before, "disclosed"), "nothing was shown yet: {}", before.body);

    let whole = officer.caller().post(&disclosures).json(&reason).success().await.unwrap();
    assert!(shows(&whole, resident_id) && shows(&whole, phone), "{}", whole.body);
    assert_eq!(version(&whole), version(&read), "a look changes no case");
    let after = officer.caller().get(&history).success().await.unwrap();
    assert!(shows(&after, "disclosed") && shows(&after, "核对身份证件"), "{}", after.body);
    let timeline = resident.timeline(&case).await.unwrap();
    assert!(
        timeline.iter().any(|step| step["what"] == "disclosed" || step.to_string().contains("查看")),
        "{timeline:?}"
    );
    desk.close().await;
}

#[tokio::test]
async fn whoever_reads_a_file_leaves_their_name() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let draft = resident.draft("JT-0045", &json!({"way": "electronic"})).await.unwrap();
    let case = resident.submit(&draft).await.unwrap().id;
    let path = format!("/staff/v1/cases/{case}");
    let (officer, elsewhere) = (desk.officer("public-security").await, desk.officer("human-resources").await);
    let file = officer.caller().get(&path).success().await.unwrap();
    let upload = file.text("/application/materials/0/uploads/0").unwrap();
    let content = format!("{path}/uploads/{upload}");
    let history = async || officer.caller().get(&format!("{path}/history")).success().await.unwrap().body;

    assert_eq!(elsewhere.caller().get(&content).answer().await.unwrap().status.as_u16(), 404);
    let another = format!("{path}/uploads/upl_01KAQ8Y7G0E00800000000002A");
    assert_eq!(officer.caller().get(&another).answer().await.unwrap().status.as_u16(), 404);
    assert!(!history().await.to_string().contains("upload_read"), "nobody read anything yet");
    assert!(officer.caller().get(&content).success().await.unwrap().bytes.starts_with(b"%PDF"));
    let history = history().await;
    let read = history["data"].as_array().unwrap().last().unwrap();
    assert_eq!((&read["act"], &read["cause"]), (&json!("upload_read"), &json!({"upload": upload})));
    assert!(read["actor"].as_str().unwrap().starts_with("officer:ofc_"), "{read}");
    let timeline = resident.timeline(&case).await.unwrap();
    assert_eq!(timeline.len(), 1, "it is no step of the case: {timeline:?}");
    desk.close().await;
}

#[tokio::test]
async fn a_push_token_of_an_unknown_channel_is_refused() {
    let desk = Desk::open().await;
    let (resident, _) = desk.resident().await;
    let device = json!({
        "platform": "android", "push_channel": "carrier_pigeon", "push_token": "coo", "push_permission": "granted",
        "app_version": "1.4.0", "os_version": "16", "language": "zh-CN",
    });
    let path = format!("/v1/devices/{}", fresh(InstallationId::from_uuid));
    let reply = resident.caller().put(&path).json(&device).answer().await.unwrap();
    assert_eq!(reply.status.as_u16(), 422, "{}", reply.body);
    let pointer = reply.at("/errors/0/pointer").unwrap();
    assert_eq!((pointer, reply.at("/errors/0/code").unwrap()), (&json!("/push_channel"), &json!("unknown_channel")));
    desk.close().await;
}
