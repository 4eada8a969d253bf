//! The gateways' clients against their twins in the sandbox. Both were written from the same description independently,
//! so each checks the other: signatures, encryption, faults, and callbacks with their acknowledgements.

use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::make;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::{Response, Server};
use songda::domain::delivery::address::PostalAddress;
use songda::domain::delivery::parcel::{CarrierCode, OrderNo, ParcelOrder, ParcelState, Scan};
use songda::domain::kernel::clock::{Clock, Instant, fresh_uuid};
use songda::domain::kernel::ids::ParcelId;
use songda::domain::kernel::private::Private;
use songda::domain::kernel::text::Language;
use songda::domain::notice::notification::{ChannelCode, Consent, PushMessage};
use songda::domain::work::doubt::Fate;
use songda::env::Env;
use songda::gateway::courier::{Carrier, CarrierFact, Carriers, Recovery};
use songda::gateway::identity::{self, IdentityFact};
use songda::gateway::login::{LoginFault, Logins};
use songda::gateway::push::{Channels, Found, PushChannel, PushFact, PushNews, PushReceipt, ReceiptOf};
use songda::gateway::shared::callback::{Acknowledgement, RawCallback};
use songda::gateway::shared::http::{Http, HttpSettings};
use songda::lifecycle::Tasks;
use songda::registry::Registry;
use songda::sandbox::{Running, Sandbox, SandboxSettings};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Returns the settings of a Songda that uses the sandbox.
fn settings(running: &Running) -> Env {
    Env::of(running.client_settings())
}

/// Starts a server that receives callbacks in place of Songda, and answers each with `answer`. Returns the server's URL
/// and the callbacks that it receives.
async fn receive(
    answer: impl Fn(&RawCallback) -> Acknowledgement + Send + Sync + 'static,
) -> (String, mpsc::UnboundedReceiver<RawCallback>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = mpsc::unbounded_channel();
    let answer = Arc::new(answer);
    let endpoint = make(move |mut request| {
        let sender = sender.clone();
        let answer = Arc::clone(&answer);
        async move {
            let call = RawCallback {
                content_type: request.content_type().unwrap_or_default().to_lowercase(),
                query: request.uri().query().unwrap_or_default().to_owned(),
                body: Private::new(request.take_body().into_bytes().await?.to_vec()),
            };
            let Acknowledgement { status, content_type, body } = answer(&call);
            let _ = sender.send(call);
            let status = StatusCode::from_u16(status).unwrap();
            Ok::<_, poem::Error>(Response::builder().status(status).content_type(content_type).body(body))
        }
    });
    Tasks::new().spawn(async move {
        let _ = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap()).run(endpoint).await;
    });
    (url, received)
}

async fn sandbox(callbacks: Option<String>) -> Running {
    let mut settings = SandboxSettings::for_tests(Registry::shipped().twins());
    settings.world.callback_url = callbacks.map(|url| url.parse().unwrap());
    Sandbox::start(settings).await.unwrap()
}

fn now() -> Instant {
    Clock::system().now()
}

/// Posts to a control endpoint of the sandbox.
async fn control(running: &Running, path: &str, body: serde_json::Value) {
    let base_url = running.base_url().parse().unwrap();
    let http = Http::new(&HttpSettings::new("loopback", base_url, Duration::from_secs(10))).unwrap();
    let answer = http.send(http.request(reqwest::Method::POST, path).json(&body)).await.unwrap();
    assert!(answer.status.is_success(), "{path}: {}", answer.status);
}

fn channel(running: &Running, code: &str) -> Arc<dyn PushChannel> {
    let channels = Channels::read(&mut settings(running), Registry::shipped().channels(), &Clock::system());
    Arc::clone(channels.get(&ChannelCode::new(code)).unwrap())
}

fn carrier(running: &Running, code: &str) -> Arc<dyn Carrier> {
    let carriers = Carriers::read(&mut settings(running), Registry::shipped().carriers(), &Clock::system());
    Arc::clone(carriers.get(&CarrierCode::new(code)).unwrap())
}

fn message(key: &str, template: &str, fields: &[(&str, &str)]) -> PushMessage {
    PushMessage {
        key: key.to_owned(),
        template: template.to_owned(),
        fields: fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        page: Some("pages/case/detail?id=case_1".to_owned()),
        fallbacks: std::collections::BTreeMap::new(),
        language: Language::Chinese,
        consent: Consent::OneTime,
    }
}

fn order(phone: &str, county: &str) -> ParcelOrder {
    let address = |phone: &str, county: &str| PostalAddress {
        name: Private::new("张三".into()),
        phone: Private::new(phone.into()),
        region: "320413".into(),
        province: "江苏省".into(),
        city: "常州市".into(),
        county: county.into(),
        detail: Private::new("清风路1号 2幢*401~".into()),
        postcode: None,
    };
    let order_no = OrderNo::mint(ParcelId::from_uuid(fresh_uuid()), 1);
    let sender = address("13912345678", "金坛区");
    let recipient = address(phone, county);
    ParcelOrder { order_no, sender, recipient, created_at: now() }
}

#[tokio::test]
async fn wechat_and_the_identity_gateway_are_understood() {
    let running = sandbox(None).await;
    let logins = Logins::read(&mut settings(&running), Registry::shipped().logins(), &Clock::system());
    let wechat = logins.get("wechat").unwrap();
    let code = Private::new("wx-li".to_owned());
    assert_eq!(wechat.session(&code).await.unwrap().openid.expose(), "openid-li");
    assert_eq!(wechat.session(&code).await, Err(LoginFault::CodeRejected));
    let identity = identity::read(&mut settings(&running), Registry::shipped().identities(), &Clock::system()).unwrap();
    let resident_id = Private::new("320413201603070016".to_owned());
    for (name, fact) in
        [("张三", IdentityFact::Match), ("张不符", IdentityFact::Mismatch), ("张查无", IdentityFact::Unknown)]
    {
        assert_eq!(identity.verify(&Private::new(name.to_owned()), &resident_id).await, fact);
    }
}

#[tokio::test]
async fn a_wechat_message_uses_one_consent_and_gets_a_receipt() {
    let (url, mut callbacks) =
        receive(|_| Acknowledgement { status: 200, content_type: "text/plain", body: "success".into() }).await;
    let running = sandbox(Some(url)).await;
    let wechat = channel(&running, "wechat");
    let message = message("ntf_1", "tpl", &[("thing1", "居住证办理"), ("phrase2", "已通过")]);
    let to = Private::new("openid-li".to_owned());
    assert_eq!(wechat.send(&to, &message).await.fact, PushFact::Refused);

    let tap = serde_json::json!({ "openid": "openid-li", "templates": ["tpl"], "answer": "accept" });
    control(&running, "/_sandbox/wechat/consents", tap).await;
    let popup = callbacks.recv().await.unwrap();
    assert!(matches!(&wechat.read(&popup).unwrap()[..], [PushNews::Consent { accepted: true, .. }]));

    control(&running, "/_sandbox/wechat/tokens/expire", serde_json::json!({})).await;
    let report = wechat.send(&to, &message).await;
    let PushFact::Delivered { reference } = report.fact else { panic!("{report:?}") };
    let sent = callbacks.recv().await.unwrap();
    let news = wechat.read(&sent).unwrap();
    let [PushNews::Receipt(PushReceipt { of: ReceiptOf::Message { reference: reported, .. }, fate, .. })] = &news[..]
    else {
        panic!("{news:?}")
    };
    assert_eq!((Some(reported), *fate), (reference.as_ref(), Fate::Arrived), "a 64-bit number survives both ways");
    assert_eq!(running.world().phones.counts(), (1, 0));
}

#[tokio::test]
async fn an_sms_whose_answer_was_lost_is_found_by_its_key() {
    let (url, mut callbacks) =
        receive(|_| Acknowledgement { status: 200, content_type: "text/plain", body: "{\"code\":0}".into() }).await;
    let running = sandbox(Some(url)).await;
    let sms = channel(&running, "sms_aliyun");
    let message = message("ntf_1", "SMS_100000001", &[("item", "居住证 A*1~"), ("status", "已通过")]);
    let to = Private::new("13800000408".to_owned());
    let find = async |to: &Private<String>| sms.find(to, "ntf_1", &[now()]).await;
    assert_eq!(find(&Private::new("13912345678".to_owned())).await, Found::No);
    assert_eq!(sms.send(&to, &message).await.fact, PushFact::Ambiguous);
    assert_eq!(find(&to).await, Found::Unknown, "this answer is lost as well");
    assert_eq!(find(&to).await, Found::Yes);
    let news = sms.read(&callbacks.recv().await.unwrap()).unwrap();
    let [PushNews::Receipt(PushReceipt { of: ReceiptOf::Key { key, .. }, .. })] = &news[..] else { panic!("{news:?}") };
    assert_eq!(key, "ntf_1");
    assert_eq!(running.world().phones.counts(), (1, 0));
    for (phone, fact) in [("13800000404", PushFact::Gone), ("13800000403", PushFact::Refused)] {
        assert_eq!(sms.send(&Private::new(phone.to_owned()), &message).await.fact, fact);
    }
}

/// Asserts that a carrier's client and twin understand each other in orders, labels, tracking, cancellation, refusals,
/// and the recovery of an order whose answer was lost. All callbacks are acknowledged, so each is sent once.
async fn assert_carrier_is_understood(code: &'static str) {
    let reader = {
        let nowhere = sandbox(None).await;
        carrier(&nowhere, code)
    };
    let acknowledging = Arc::clone(&reader);
    let (url, mut callbacks) = receive(move |call| acknowledging.acknowledge(call, true)).await;
    let running = sandbox(Some(url)).await;
    let carrier = carrier(&running, code);

    let plain = order("13912345678", "金坛区");
    let waybill = carrier.order(&plain).await.unwrap().waybill.unwrap();
    let label = carrier.label(&waybill).await.unwrap();
    assert_eq!(label.content_type, "application/pdf");
    assert_eq!(carrier.track(&waybill, &plain.recipient.phone).await.unwrap(), []);
    assert!(running.sandbox().advance(plain.order_no.as_str(), 100).unwrap() > 5);
    let mut scans: Vec<Scan> = Vec::new();
    while ParcelState::after(true, &scans) != ParcelState::Delivered {
        let call = tokio::time::timeout(Duration::from_secs(10), callbacks.recv()).await.unwrap().unwrap();
        scans.extend(reader.read(&call).unwrap());
    }
    assert!(scans.iter().all(|scan| scan.waybill == waybill && scan.order_no.as_ref() == Some(&plain.order_no)));
    let tracked = carrier.track(&waybill, &plain.recipient.phone).await.unwrap();
    assert_eq!(ParcelState::after(true, &tracked), ParcelState::Delivered);
    assert_eq!(carrier.cancel(&plain.order_no, Some(&waybill)).await.unwrap_err().fact, CarrierFact::WrongState);

    let refused = carrier.order(&order("000", "金坛区")).await.unwrap_err();
    assert_eq!(refused.fact, CarrierFact::AddressRefused, "{refused}");
    let refused = carrier.order(&order("13912345678", "不派送区")).await.unwrap_err();
    assert_eq!(refused.fact, CarrierFact::AddressRefused, "{refused}");

    let lost = order("13800000408", "金坛区");
    assert_eq!(carrier.order(&lost).await.unwrap_err().fact, CarrierFact::Ambiguous);
    assert!(carrier.recover(&lost.order_no).await.is_err(), "the answer to the first recovery is lost as well");
    let recovery = carrier.recover(&lost.order_no).await.unwrap();
    let ours = running.world().parcels.of_order(code, lost.order_no.as_str()).unwrap();
    match recovery {
        Recovery::Found(booking) => assert_eq!(booking.waybill.unwrap().as_str(), ours.waybill),
        Recovery::Withdrawn => assert_eq!(running.world().parcels.counts(), (1, 1)),
        Recovery::Absent => panic!("the order exists"),
    }
    assert_eq!(ours.asked, 1);
}

#[tokio::test]
async fn an_ems_order_that_was_collected_is_recovered_without_its_waybill() {
    let running = sandbox(None).await;
    let ems = carrier(&running, "ems");
    let lost = order("13800000410", "金坛区");
    assert_eq!(ems.order(&lost).await.unwrap_err().fact, CarrierFact::Ambiguous);
    assert!(ems.recover(&lost.order_no).await.is_err(), "the answer to the first recovery is lost as well");
    let Ok(Recovery::Found(booking)) = ems.recover(&lost.order_no).await else { panic!("the order exists") };
    assert_eq!((booking.waybill, running.world().parcels.counts()), (None, (1, 0)));
}

#[tokio::test]
async fn ems_is_understood() {
    assert_carrier_is_understood("ems").await;
}

#[tokio::test]
async fn sf_is_understood() {
    assert_carrier_is_understood("sf").await;
}
