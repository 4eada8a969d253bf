//! Headers: those that protect an answer, and those of a caller that must not have power over us.

use songda::demo::http::{Caller, Reply};

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::items::{AGENCY, ITEM};
use crate::support::wait::wait_until;

async fn get(caller: &Caller, path: &str) -> Reply {
    caller.get(path).answer().await.unwrap()
}

#[tokio::test]
async fn personal_answers_are_never_stored_and_no_answer_is_sniffed() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let officer = desk.officer(AGENCY).await;
    for (caller, path, caching) in [
        (resident.caller(), "/v1/me", "no-store"),
        (resident.caller(), "/v1/cases", "no-store"),
        (resident.caller(), "/v1/addresses", "no-store"),
        (officer.caller(), "/staff/v1/me", "no-store"),
        (officer.caller(), "/staff/v1/cases", "no-store"),
        (&desk.api, "/v1/me", "no-store"),
        (&desk.api, "/nowhere", "no-store"),
        (&desk.api, "/readyz", "no-store"),
        (&desk.api, &format!("/v1/items/{ITEM}"), "public, max-age=60"),
        (&desk.api, "/reference/mobile", "public, max-age=60"),
        (&desk.api, "/openapi/mobile.json", "public, max-age=60"),
    ] {
        let answer = get(caller, path).await;
        assert_eq!(answer.header("cache-control"), caching, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("strict-transport-security"), "", "{path}: this installation has no TLS");
    }
    let me = get(resident.caller(), "/v1/me").await;
    let again = resident.caller().get("/v1/me").header("if-none-match", me.etag()).answer().await.unwrap();
    assert_eq!((again.status.as_u16(), again.header("cache-control")), (304, "no-store"), "a client may keep a tag");
    desk.close().await;
}

#[tokio::test]
async fn an_installation_with_tls_demands_it_for_a_year() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.watched("serve", &[("SONGDA_PUBLIC_URL", "https://songda.example")]).await;
    for path in ["/v1/catalogue", "/v1/me", "/nowhere"] {
        let answer = get(&server.api().await, path).await;
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_label_is_neither_sniffed_nor_run_nor_stored() {
    let desk = Desk::open().await;
    let granted = desk.journey(ITEM).by_courier().submitted().accepted().granted().await;
    let officer = desk.officer(AGENCY).await;
    let parcel = async || officer.parcels(&granted.id).await.unwrap().last().cloned();
    let is_ordered = async || parcel().await.is_some_and(|parcel| parcel["waybill"].is_string());
    wait_until("the parcel is ordered", is_ordered).await;
    let path = format!("/staff/v1/parcels/{}/label", parcel().await.unwrap()["id"].as_str().unwrap());
    let label = officer.caller().get(&path).success().await.unwrap();
    let headers = ["cache-control", "x-content-type-options", "content-security-policy"].map(|name| label.header(name));
    assert_eq!(headers, ["no-store", "nosniff", "sandbox"]);
    desk.close().await;
}

/// Returns the origin that a browser may send requests from, if it asks first.
async fn admitted(api: &Caller, path: &str, origin: &str) -> String {
    let request = api.get(path).header("origin", origin);
    request.answer().await.unwrap().header("access-control-allow-origin").to_owned()
}

#[tokio::test]
async fn browsers_may_call_from_listed_pages_only_and_staff_from_pages_of_their_own() {
    const H5: &str = "https://h5.example";
    const DESK: &str = "https://desk.example";
    let desk = Desk::builder().without_worker().open().await;
    let unlisted = desk.watched("serve", &[("SONGDA_CORS_ORIGINS", "")]).await;
    assert_eq!(admitted(&unlisted.api().await, "/v1/catalogue", H5).await, "", "no page, unless it is listed");
    let lists =
        [("SONGDA_CORS_ORIGINS", "https://other.example, https://h5.example"), ("SONGDA_CORS_STAFF_ORIGINS", DESK)];
    let server = desk.watched("serve", &lists).await;
    let api = server.api().await;
    for (path, origin, expected) in [
        ("/v1/catalogue", H5, H5),
        ("/v1/catalogue", DESK, ""),
        ("/v1/catalogue", "https://evil.example", ""),
        ("/staff/v1/me", DESK, DESK),
        ("/staff/v1/me", H5, ""),
        ("/ops/v1/lanes", DESK, DESK),
        ("/ops/v1/lanes", H5, ""),
        ("/openapi/ops.json", H5, H5),
    ] {
        assert_eq!(admitted(&api, path, origin).await, expected, "{path} from {origin}");
    }
    desk.close().await;
}

#[tokio::test]
async fn the_servers_id_of_a_request_is_its_own_and_the_callers_is_beside_it_in_the_log() {
    let desk = Desk::builder().without_worker().open().await;
    let server = desk.server().await;
    let ask = async |id: &str| server.api.get("/v1/me").header("x-request-id", id).answer().await.unwrap();
    let first = ask("mine-1").await;
    let again = ask("mine-1").await;
    for answer in [&first, &again] {
        assert!(answer.header("x-request-id").starts_with("req_"), "{:?}", answer.headers);
        assert_eq!(answer.text("/request_id").unwrap(), answer.header("x-request-id"));
    }
    assert_ne!(first.header("x-request-id"), again.header("x-request-id"), "a caller cannot give two requests one id");
    let line = |id: &str, callers: &str| {
        let line = server.log().lines().find(|line| line.contains("answered") && line.contains(id)).map(str::to_owned);
        line.is_some_and(|line| line.contains(callers))
    };
    let own = first.header("x-request-id");
    wait_until("both ids are in one line", async || line(own, r#""caller_request_id":"mine-1""#)).await;
    ask("13912345678 王小明").await;
    assert!(!server.log().contains("13912345678"), "an id with other characters is left out");
    desk.close().await;
}

#[tokio::test]
async fn a_request_with_two_tokens_is_refused() {
    let desk = Desk::open().await;
    let resident = desk.resident().await;
    let other = format!("Bearer {}", desk.resident().await.caller().token().unwrap());
    for path in ["/v1/me", "/v1/catalogue"] {
        let twice = resident.caller().get(path).header("authorization", &other).answer().await.unwrap();
        assert_problem(&twice, 400, "malformed_request");
    }
    desk.close().await;
}
