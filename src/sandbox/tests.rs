//! Tests of everything in the sandbox except the twins: faults, stored data, and the web page.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::{Response, Route, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::call::{TwinCall, endpoint};
use super::client::{CallbackServer, TestClient};
use super::faults::CallTarget;
use super::json::Lenient;
use super::parcels::{Addressee, BookedParcel};
use super::phones::IncomingMessage;
use super::*;

/// A made-up gateway: it accepts a parcel, and sends a message to the recipient's phone at once.
struct Pony;

impl Twin for Pony {
    fn name(&self) -> &'static str {
        "pony"
    }

    fn protocol(self: Arc<Self>, world: &Arc<World>) -> Route {
        Route::new().at("/orders", post(endpoint(&self, world, Self::order)))
    }

    fn scanned(&self, world: &World, moved: &[Moved]) {
        let callbacks = moved.iter().map(|moved| callbacks::Callback {
            body: moved.scans.iter().map(|scan| scan.code).collect::<Vec<_>>().join(",").into(),
            about: vec![("pony", moved.parcel.order_no.clone())],
            ..world.callback("pony", &moved.parcel.recipient.phone, &Value::Null)
        });
        world.callbacks.post(callbacks.collect());
    }
}

impl Pony {
    async fn order(self: Arc<Self>, world: Arc<World>, call: TwinCall) -> Response {
        let said = call.json().unwrap();
        let order_no = said.text("order_no");
        let phone = said.text("phone");
        let answer = |_| {
            let recipient = Addressee { phone: phone.clone(), name: "<b>张三</b>".into(), ..Addressee::default() };
            let route = &[("1", "collected"), ("2", "delivered")];
            world.parcels.book(BookedParcel::new("pony", order_no.clone(), order_no, recipient, route, world.now()));
            let message = IncomingMessage {
                channel: "pony",
                address: phone.clone(),
                template: "hello".to_owned(),
                fields: [("words".to_owned(), "hello".to_owned())].into(),
                key: None,
                reference: "1".to_owned(),
            };
            world.phones.deliver(message, world.now());
            StatusCode::CREATED.into()
        };
        world.perform(CallTarget { gateway: "pony", operation: "order", recipient: &phone }, answer).await
    }
}

async fn with_pony(movement: Movement, server: Option<&CallbackServer>) -> (Running, TestClient) {
    let mut settings = SandboxSettings::for_tests(&[|_| Some(Arc::new(Pony))]);
    settings.world.movement = movement;
    settings.world.callback_url = server.map(|server| server.url.parse().unwrap());
    let running = Sandbox::start(settings).await.unwrap();
    let client = TestClient::new(&running.base_url());
    (running, client)
}

async fn order(client: &TestClient, order_no: &str) -> u16 {
    client.json("POST", "/pony/orders", &json!({ "order_no": order_no, "phone": "13912345678" })).await.0
}

#[tokio::test]
async fn a_twin_needs_nothing_but_its_trait() {
    let mut server = CallbackServer::answering(vec![|_| String::new()]).await;
    let (_running, client) = with_pony(Movement::Manual, Some(&server)).await;
    assert_eq!(order(&client, "P1").await, 201);
    assert_eq!(client.get("/_sandbox/phones/13912345678").await["messages"][0]["fields"]["words"], "hello");

    let (status, moved) = client.json("POST", "/_sandbox/parcels/P1/advance", &json!({ "steps": 5 })).await;
    assert_eq!((status, &moved["scans"]), (200, &json!(2)));
    assert_eq!(server.next().await.body, "1,2");
    assert_eq!(client.json("POST", "/_sandbox/parcels/P2/advance", &json!({})).await.0, 404);

    let carriers = client.get("/_sandbox/parcels").await;
    let parcel = &carriers["data"][0]["parcels"][0];
    assert_eq!((parcel["order_no"].as_str(), parcel["state"].as_str()), (Some("P1"), Some("live")));
    assert_eq!(parcel["scans"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn parcels_move_by_themselves() {
    let mut server = CallbackServer::answering(vec![|_| String::new()]).await;
    let (_running, client) = with_pony(Movement::Every(Duration::from_millis(1)), Some(&server)).await;
    order(&client, "P1").await;
    let mut codes = [server.next().await.body, server.next().await.body];
    codes.sort();
    assert_eq!(codes, ["1", "2"]);
}

#[tokio::test]
async fn faults_are_ordered_counted_and_cancelled() {
    let (running, client) = with_pony(Movement::Manual, None).await;
    let fault = |more: Value| {
        let mut fault = json!({ "gateway": "pony", "fault": "http_500_html" });
        fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fault
    };
    for wrong in [json!({ "gateway": "none" }), json!({ "share": 1.5 }), json!({ "times": 1, "share": 0.5 })] {
        assert_eq!(client.json("POST", "/_sandbox/faults", &fault(wrong)).await.0, 400);
    }
    client.json("POST", "/_sandbox/faults", &fault(json!({ "share": 1 }))).await;
    assert_eq!(order(&client, "P1").await, 500);
    assert_eq!(client.get("/_sandbox/counters").await["faults"]["http_500_html"], 1);
    assert_eq!(client.send("DELETE", "/_sandbox/faults", Default::default(), Default::default()).await.0, 204);
    assert_eq!(order(&client, "P1").await, 201);
    assert_eq!(running.world().parcels.counts(), (1, 0), "the failed call did nothing");
}

#[tokio::test]
async fn a_reset_deletes_everything() {
    let (_running, client) = with_pony(Movement::Manual, None).await;
    order(&client, "P1").await;
    assert_eq!(client.get("/_sandbox/counters").await["messages"]["different"], 1);
    assert_eq!(client.json("POST", "/_sandbox/reset", &json!({})).await.0, 204);
    assert_eq!(client.get("/_sandbox/phones").await, json!({ "data": [] }));
    assert_eq!(client.get("/_sandbox/parcels").await, json!({ "data": [] }));
    let counters = client.get("/_sandbox/counters").await;
    assert_eq!((&counters["messages"]["different"], &counters["calls"]), (&json!(0), &json!({})));
}

#[tokio::test]
async fn the_page_shows_phones_and_parcels() {
    let (running, client) = with_pony(Movement::Manual, None).await;
    order(&client, "P1").await;
    let page = poem::test::TestClient::new(running.sandbox.routes()).get("/").send().await;
    page.assert_status_is_ok();
    let page = page.0.into_body().into_string().await.unwrap();
    assert!(page.contains("13912345678") && page.contains("PONY P1"), "{page}");
    assert!(page.contains("&lt;b&gt;张三") && !page.contains("<b>张三"));
}

#[tokio::test]
async fn the_server_stops_on_request() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(serve(SandboxSettings::for_tests(&[]), listener, stop).await.is_ok());
}
