//! The catalogue as clients read it.

use std::path::Path as FilePath;

use poem::http::StatusCode;
use poem::test::TestClient;
use poem_openapi::OpenApiService;
use serde_json::Value;

use super::*;
use crate::catalog::{Contents, Revision, Snapshot};
use crate::domain::item::ItemVersion;
use crate::store::KeyRing;

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
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = read(&client, &format!("/v1/items?mode=mobile&limit=30{cursor}")).await;
        seen.extend(codes(&page).into_iter().map(str::to_owned));
        assert_eq!(page["has_more"].as_bool().unwrap(), page["next_cursor"].is_string());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 80);
    assert!(seen.is_sorted());
    // A cursor is good for its own filters only.
    client.get(format!("/v1/items?mode=online{cursor}")).send().await.assert_status(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn words_find_the_best_answer_first_and_page_on() {
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
async fn a_guide_is_whole() {
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
async fn what_items_share_is_served() {
    let client = service(&Catalog::new(snapshot(7)));
    let catalogue = read(&client, "/v1/catalogue").await;
    assert_eq!(catalogue["revision"], 7);
    assert_eq!(
        catalogue["counts"],
        serde_json::json!({"online": 105, "mobile": 80, "self_service": 18, "remote": 20, "town_hall": 213, "total": 277})
    );
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
    let (item, counts) = (etag("/v1/items/JT-0045").await, etag("/v1/catalogue").await);
    catalog.replace(snapshot(2));
    assert_eq!(etag("/v1/items/JT-0045").await, item);
    assert_ne!(etag("/v1/catalogue").await, counts);
}
