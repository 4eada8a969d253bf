//! The adapters that read the callbacks of gateways. They read each callback twice: first while the gateway waits for
//! the answer, to recognise forgeries, and then in a job.

use std::sync::Arc;

use proptest::prelude::*;
use songda::domain::delivery::parcel::CarrierCode;
use songda::domain::kernel::clock::Clock;
use songda::domain::notice::notification::ChannelCode;
use songda::env::Env;
use songda::gateway::courier::{Carrier, Carriers};
use songda::gateway::push::{Channels, PushChannel};
use songda::gateway::shared::callback::{CallbackFault, RawCallback};
use songda::registry::Registry;
use songda::sandbox::SandboxSettings;

use super::mangle::{self, Mangled};
use super::seeds;
use crate::support::seals;

/// Returns settings in which every gateway has an address at which no server answers.
fn settings(more: &[(&str, &str)]) -> Env {
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let sandbox = SandboxSettings::for_tests(Registry::shipped().twins());
    Env::of(sandbox.client_settings("http://127.0.0.1:9").into_iter().chain(more))
}

fn carrier(code: &str) -> Arc<dyn Carrier> {
    let carriers = Carriers::read(&mut settings(&[]), Registry::shipped().carriers(), &Clock::system());
    Arc::clone(carriers.get(&CarrierCode::new(code)).unwrap())
}

fn channel(code: &str) -> Arc<dyn PushChannel> {
    let channels = Channels::read(&mut settings(&[]), Registry::shipped().channels(), &Clock::system());
    Arc::clone(channels.get(&ChannelCode::new(code)).unwrap())
}

/// Reads a callback, and asserts that the carrier gets an answer both if the callback is stored and if it is not.
/// Returns true if the callback is readable.
fn read(carrier: &dyn Carrier, call: &RawCallback) -> bool {
    let scans = carrier.read(call);
    for stored in [true, false] {
        assert!(!carrier.acknowledge(call, stored).body.is_empty());
    }
    scans.is_ok()
}

fn text(Mangled(bytes): &Mangled) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_seed_is_read() {
    for content in seeds::texts("callbacks/ems") {
        assert!(read(carrier("ems").as_ref(), &seals::ems(&content)), "{content}");
    }
    for push in seeds::texts("callbacks/sf-json") {
        assert!(read(carrier("sf").as_ref(), &seals::call("application/json", "", push.as_str())), "{push}");
    }
    for push in seeds::of("callbacks/sf-xml") {
        assert!(read(carrier("sf").as_ref(), &seals::call("text/xml", "", push.clone())), "{}", push.escape_ascii());
        assert!(read(carrier("sf").as_ref(), &seals::sf_form(&push)), "{}", push.escape_ascii());
    }
    for message in seeds::texts("callbacks/wechat") {
        assert!(channel("wechat").read(&seals::wechat(&message)).is_ok(), "{message}");
    }
    for receipts in seeds::of("callbacks/sms_aliyun") {
        let read = channel("sms_aliyun").read(&seals::call("application/json", "", receipts.clone()));
        assert!(read.is_ok(), "{}", receipts.escape_ascii());
    }
}

proptest! {
    #[test]
    fn any_callback_of_ems_is_read_or_refused(
        content in mangle::bytes(seeds::of("callbacks/ems")),
        envelope in mangle::bytes(vec![seals::ems("{}").body.expose().clone()]),
    ) {
        let ems = carrier("ems");
        read(ems.as_ref(), &seals::ems(&text(&content)));
        read(ems.as_ref(), &seals::call("application/json", "", envelope.0));
        prop_assert!(!read(ems.as_ref(), &seals::call("application/json", "", content.0)), "it is not encrypted");
    }

    #[test]
    fn any_callback_of_sf_is_read_or_refused(
        json in mangle::bytes(seeds::of("callbacks/sf-json")),
        xml in mangle::bytes(seeds::of("callbacks/sf-xml")),
    ) {
        let sf = carrier("sf");
        for kind in ["application/json", "text/xml", ""] {
            read(sf.as_ref(), &seals::call(kind, "", json.0.clone()));
            read(sf.as_ref(), &seals::call(kind, "", xml.0.clone()));
        }
        read(sf.as_ref(), &seals::sf_form(&xml.0));
        read(sf.as_ref(), &seals::call("application/x-www-form-urlencoded", "", [&b"content="[..], &xml.0].concat()));
    }

    #[test]
    fn any_callback_of_wechat_is_read_or_refused(
        message in mangle::bytes(seeds::of("callbacks/wechat")),
        envelope in mangle::bytes(vec![seals::wechat("{}").body.expose().clone()]),
        query in mangle::bytes(vec![seals::wechat("{}").query.into_bytes()]),
    ) {
        let wechat = channel("wechat");
        let signed = wechat.read(&seals::wechat(&text(&message)));
        prop_assert_ne!(signed, Err(CallbackFault::NotAuthentic));
        let plain = wechat.read(&seals::call("text/xml", &seals::wechat("{}").query, message.0));
        prop_assert!(plain.is_err(), "it is not encrypted");
        let _ = wechat.read(&seals::call("application/json", &seals::wechat("{}").query, envelope.0));
        let _ = wechat.challenge(&text(&query));
        let _ = wechat.read(&seals::call("application/json", &text(&query), "{}"));
    }

    #[test]
    fn any_receipt_of_alibaba_is_read_or_refused(receipts in mangle::bytes(seeds::of("callbacks/sms_aliyun"))) {
        let _ = channel("sms_aliyun").read(&seals::call("application/json", "", receipts.0));
    }
}
