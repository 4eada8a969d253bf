//! The sandbox's web page at `/`, which shows phones with their messages and carriers with their parcels. It loads
//! nothing from other hosts.

use std::fmt::Write;
use std::sync::Arc;

use poem::web::{Data, Html};
use poem::{Endpoint, EndpointExt, get, handler};

use super::parcels::{BookedParcel, OrderState};
use super::phones::PhoneMessage;
use super::state::Sandbox;
use crate::domain::kernel::clock::{Instant, beijing};

const HEAD: &str = include_str!("page.html");

pub(super) fn endpoint(sandbox: &Arc<Sandbox>) -> impl Endpoint + use<> {
    get(page).data(Arc::clone(sandbox))
}

#[handler]
fn page(Data(sandbox): Data<&Arc<Sandbox>>) -> Html<String> {
    let world = &sandbox.world;
    let (messages, extra) = world.phones.counts();
    let (live, cancelled) = world.parcels.counts();
    let struck: u64 = world.faults.injected().values().sum();
    let counts = [
        ("消息", "messages", messages),
        ("多余副本", "extra copies", extra),
        ("在途订单", "live orders", live),
        ("已取消", "cancelled", cancelled),
        ("注入故障", "faults", struck),
    ];
    let counts = counts.map(|(zh, en, count)| format!("<li><b>{count}</b> {zh} <small>{en}</small></li>")).concat();
    let phones: String = world.phones.recent().iter().map(|(address, messages)| phone(address, messages)).collect();
    let parcels: String = world.parcels.recent().iter().map(parcel).collect();
    let body = format!(
        "<ul class=counts>{counts}</ul>\
         <h2>手机 <small>Phones</small></h2><div class=phones>{}</div>\
         <h2>承运商 <small>Carriers</small></h2><div class=parcels>{}</div>",
        or_nothing(phones),
        or_nothing(parcels)
    );
    Html(HEAD.replace("<!--body-->", &body))
}

fn or_nothing(html: String) -> String {
    if html.is_empty() { "<p class=nothing>还没有 <small>nothing yet</small></p>".to_owned() } else { html }
}

fn phone(address: &str, messages: &[PhoneMessage]) -> String {
    let bubbles: String = messages.iter().rev().take(6).rev().map(bubble).collect();
    format!("<section class=phone><h3>{}</h3>{bubbles}</section>", escape(address))
}

fn bubble(message: &PhoneMessage) -> String {
    let fields = message.fields.iter().fold(String::new(), |mut rows, (name, text)| {
        // Writing to a String cannot fail.
        let _ = write!(rows, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(text));
        rows
    });
    let copies = if message.copies > 1 { format!("<em>×{}</em>", message.copies) } else { String::new() };
    format!(
        "<article><header>{} <time>{}</time>{copies}</header><dl>{fields}</dl><footer>{}</footer></article>",
        escape(message.channel),
        time(message.at),
        escape(&message.template)
    )
}

fn parcel(parcel: &BookedParcel) -> String {
    let state = match parcel.state {
        OrderState::Cancelled => ("cancelled", "已取消 cancelled"),
        OrderState::Live if parcel.is_at_the_end() => ("ended", "已妥投 delivered"),
        OrderState::Live if parcel.scans.is_empty() => ("waiting", "待揽收 ordered"),
        OrderState::Live => ("moving", "运输中 under way"),
    };
    let scans: String = parcel
        .scans
        .iter()
        .map(|scan| format!("<li><time>{}</time> <b>{}</b> {}</li>", time(scan.at), scan.code, escape(scan.text)))
        .collect();
    format!(
        "<section class='parcel {}'><h3>{} {} <span>{}</span></h3><p>{} · {} {}</p><ol>{scans}</ol>\
         <footer>回调 callbacks: {} 已确认, {} 未确认</footer></section>",
        state.0,
        parcel.carrier.to_uppercase(),
        escape(&parcel.waybill),
        state.1,
        escape(&parcel.order_no),
        escape(&parcel.recipient.name),
        escape(&parcel.recipient.place),
        parcel.acknowledged,
        parcel.refused
    )
}

fn time(at: Instant) -> String {
    at.with_timezone(&beijing()).format("%m-%d %H:%M:%S").to_string()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_becomes_markup() {
        assert_eq!(escape("<b>'\"&"), "&lt;b&gt;&#39;&quot;&amp;");
        assert!(!HEAD.contains("http://") && !HEAD.contains("https://"), "no outside address");
    }
}
