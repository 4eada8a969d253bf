use std::path::Path as FilePath;

use poem::http::StatusCode;
use poem::test::TestClient;
use poem_openapi::OpenApiService;
use serde_json::Value;

use super::*;
use crate::casework::read_models::KeyRing;
use crate::catalog::{Contents, Revision, Snapshot};
use crate::domain::item::ItemVersion;

fn snapshot(number: i64) -> Snapshot {
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
    let Contents { items, parts } = catalog::read(&folder, &catalog::FieldRules::new()).unwrap();
    let items = items.into_iter().map(|item| ItemVersion { item, version: 1 }).collect();
    let published_at = "2026-11-23T00:00:00Z".parse().unwrap();
    Snapshot::new(Revision { number, published_at }, items, Vec::new(), parts)
}

fn service(catalog: &Catalog) -> TestClient<impl poem::Endpoint + use<>> {
    let keys = KeyRing::parse(KeyRing::fresh_file().expose()).unwrap();
    TestClient::new(OpenApiService::new(ItemsApi::new(catalog.clone(), Cursors::new(keys)), "test", "1"))
}

async fn read(client: &TestClient<impl poem::Endpoint>, path: &str) -> Value {
    let response = client.get(path).send().await;
    response.assert_status_is_ok();
    response.0.into_body().into_json().await.unwrap()
}

fn codes(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|item| item["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn pages_cover_every_item_once() {
    let client = service(&Catalog::new(snapshot(1)));
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(&client, &format!("/v1/items?mode=mobile&limit=30{cursor}")).await;
        seen.extend(codes(&page).into_iter().map(str::to_owned));
        assert_eq!(page["has_more"].as_bool().unwrap(), page["next_cursor"].is_string());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), snapshot(1).counts().mobile);
    assert!(seen.is_sorted());
    // The cursor of this list (`mode=mobile`) is refused for a list with another filter.
    client.get(format!("/v1/items?mode=online{cursor}")).send().await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_search_lists_the_best_match_first_over_pages() {
    let client = service(&Catalog::new(snapshot(1)));
    let page = read(&client, "/v1/items?q=%E8%A1%A5%E9%A2%86%E9%A9%BE%E9%A9%B6%E8%AF%81&limit=1").await; // 补领驾驶证
    assert_eq!(codes(&page), ["JT-0050"]);
    let next = page["next_cursor"].as_str().unwrap();
    let page =
        read(&client, &format!("/v1/items?q=%E8%A1%A5%E9%A2%86%E9%A9%BE%E9%A9%B6%E8%AF%81&limit=1&cursor={next}"))
            .await;
    assert_eq!(codes(&page), ["JT-0049"]);
}

#[tokio::test]
async fn a_guide_is_complete() {
    let client = service(&Catalog::new(snapshot(1)));
    let guide = read(&client, "/v1/items/JT-0045").await;
    assert_eq!(guide["name"]["zh"], "居住证申领");
    assert_eq!(guide["agency"]["code"], "public-security");
    assert_eq!(guide["legal"]["unit"], "day");
    assert_eq!(guide["delivery_choices"], serde_json::json!(["electronic", "courier", "counter"]));
    assert_eq!(guide["form"]["sections"][0]["fields"][1]["kind"], "resident_id");
    assert_eq!(guide["form_schema"]["properties"]["details"]["properties"]["ground"]["x-order"], 3);
    assert!(guide.get("fee").is_none());
    client.get("/v1/items/JT-9999").send().await.assert_status(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_permit_has_its_stages_contacts_and_unconfirmed_facts() {
    let client = service(&Catalog::new(snapshot(1)));
    let guide = read(&client, "/v1/items/JT-0074").await;
    assert_eq!(guide["result_kind"], "certificate");
    assert_eq!(guide["stages"].as_array().unwrap().len(), 7);
    assert_eq!(guide["faqs"][0]["question"]["zh"], "材料不齐全怎么办？");
    assert_eq!(guide["complaint_phone"], "0519-12345");
    assert_eq!(guide["topics"], serde_json::json!(["qualifications"]));
    assert_eq!(guide["unconfirmed"], serde_json::json!(["result_sample", "consult_phone", "halls"]));
    assert!(guide.get("consult_phone").is_none());

    let guide = read(&client, "/v1/items/JT-0049").await;
    assert_eq!(guide["fee"]["per"]["zh"], "证");
    assert!(guide["unconfirmed"].as_array().unwrap().contains(&"online_payment".into()));
    let guide = read(&client, "/v1/items/JT-0064").await;
    assert_eq!(guide["halls"], serde_json::json!(["jintan"]));
    let guide = read(&client, "/v1/items/JT-0001").await;
    assert_eq!(guide["consult_phone"], "0519-12333");
    let guide = read(&client, "/v1/items/JT-0230").await;
    assert_eq!((&guide["visits"], &guide["by_post"]), (&1.into(), &false.into()));
    assert_eq!(guide["visit_reason"]["zh"], "尚未开通网上办理，须到窗口提交申请");
}

#[tokio::test]
async fn items_are_filed_under_topics() {
    let client = service(&Catalog::new(snapshot(1)));
    let topics = read(&client, "/v1/topics").await;
    let marriage = topics["data"].as_array().unwrap().iter().find(|topic| topic["name"]["zh"] == "婚姻登记").unwrap();
    assert_eq!((&marriage["code"], &marriage["subject"]), (&"marriage".into(), &"natural_person".into()));
    let page = read(&client, "/v1/items?topic=marriage").await;
    assert_eq!(codes(&page)[..3], ["JT-0034", "JT-0035", "JT-0036"]);
    assert_eq!(page["data"][0]["topics"], serde_json::json!(["marriage"]));
}

/// Reduces a JSON schema to the form that a client can draw from it: sections with their fields, in order.
fn drawn(schema: &Value) -> Vec<Value> {
    let in_order = |properties: &Value| {
        let mut members: Vec<(String, Value)> = properties.as_object().unwrap().clone().into_iter().collect();
        members.sort_by_key(|(_, member)| member["x-order"].as_u64().unwrap());
        members
    };
    let section = |(key, section): (String, Value)| {
        let row = section.get("items").unwrap_or(&section);
        let asked = |name: &str, field: &Value| {
            let needed = |list: &Value| list.as_array().is_some_and(|list| list.contains(&name.into()));
            let conditions = row["allOf"].as_array().into_iter().flatten();
            needed(&row["required"])
                || conditions
                    .filter(|it| it["else"]["properties"].get(name).is_some())
                    .any(|it| field.get("x-when").is_some() && needed(&it["then"]["required"]))
        };
        let field = |(name, field): (String, Value)| {
            serde_json::json!({
                "kind": field["x-kind"], "label": field["x-title"], "hint": field["x-hint"], "when": field["x-when"],
                "prefill": field["x-prefill"], "options": field["x-options"], "level": field["x-level"],
                "required": asked(&name, &field), "name": name,
            })
        };
        let fields: Vec<Value> = in_order(&row["properties"]).into_iter().map(field).collect();
        serde_json::json!({"key": key, "title": section["x-title"], "list": section["type"] == "array", "fields": fields})
    };
    in_order(&schema["properties"]).into_iter().map(section).collect()
}

/// Reduces the `form` of a guide to the shape that [`drawn`] returns, so that the two can be compared.
fn described(form: &Value) -> Vec<Value> {
    let field = |field: &Value| {
        let members = ["kind", "label", "hint", "when", "prefill", "options", "level", "required", "name"];
        members.iter().map(|member| ((*member).to_owned(), field[*member].clone())).collect::<serde_json::Map<_, _>>()
    };
    let section = |section: &Value| {
        let fields: Vec<_> = section["fields"].as_array().unwrap().iter().map(field).collect();
        let list = section.get("repeat").is_some();
        serde_json::json!({"key": section["key"], "title": section["title"], "list": list, "fields": fields})
    };
    form["sections"].as_array().unwrap().iter().map(section).collect()
}

#[tokio::test]
async fn every_form_can_be_drawn_from_its_schema_alone() {
    let snapshot = snapshot(1);
    let client = service(&Catalog::new(self::snapshot(1)));
    let mut forms = 0;
    let mut hints = 0;
    for version in snapshot.items().iter().filter(|version| version.item.form.is_some()) {
        let guide = read(&client, &format!("/v1/items/{}", version.item.code)).await;
        let schema = &guide["form_schema"];
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        jsonschema::draft202012::meta::validate(schema)
            .unwrap_or_else(|error| panic!("{}: {error}", version.item.code));
        let drawn = drawn(schema);
        assert_eq!(drawn, described(&guide["form"]), "{}", version.item.code);
        let fields = drawn.iter().flat_map(|section| section["fields"].as_array().unwrap());
        hints += fields.filter(|field| !field["hint"].is_null()).count();
        forms += 1;
    }
    assert_eq!(forms, snapshot.counts().mobile);
    assert!(hints > 3 * forms, "{hints} hints");
}

#[tokio::test]
async fn shared_parts_of_the_catalogue_are_served() {
    let client = service(&Catalog::new(snapshot(7)));
    let catalogue = read(&client, "/v1/catalogue").await;
    assert_eq!(catalogue["revision"], 7);
    let counts = serde_json::to_value(snapshot(7).counts()).unwrap();
    assert_eq!(catalogue["counts"], counts);
    assert_eq!(read(&client, "/v1/regions").await["provinces"].as_array().unwrap().len(), 34);
    assert_eq!(read(&client, "/v1/halls").await["data"][0]["code"], "jintan");
    assert_eq!(read(&client, "/v1/agencies").await["data"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn an_etag_changes_with_the_answer_alone() {
    let catalog = Catalog::new(snapshot(1));
    let client = service(&catalog);
    let etag = async |path: &str| {
        let response = client.get(path).send().await;
        response.0.headers().get("etag").unwrap().to_str().unwrap().to_owned()
    };
    let item = etag("/v1/items/JT-0045").await;
    let counts = etag("/v1/catalogue").await;
    catalog.replace(snapshot(2));
    assert_eq!(etag("/v1/items/JT-0045").await, item);
    assert_ne!(etag("/v1/catalogue").await, counts);
}
