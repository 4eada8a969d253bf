//! One caller has one network address, however a proxy or a socket writes it.

use songda::demo::http::Caller;

use crate::support::desk::Desk;
use crate::support::process::Watched;

/// Starts a server behind one proxy, which allows each address one request a minute.
async fn server(desk: &Desk, more: &[(&str, &str)]) -> (Caller, Watched) {
    let settings = [("SONGDA_PROXIES", "1"), ("SONGDA_RATE_MOBILE", "1")];
    let server = desk.watched("serve", &[&settings[..], more].concat()).await;
    (server.api().await, server)
}

/// Sends a request that the proxy forwards with this header. Returns the status.
async fn ask(api: &Caller, header: &'static str, value: &str) -> u16 {
    api.get("/v1/catalogue").header(header, value).answer().await.unwrap().status.as_u16()
}

#[tokio::test]
async fn callers_do_not_share_a_limit_because_their_addresses_are_mapped() {
    let desk = Desk::builder().without_worker().open().await;
    let (api, server) = server(&desk, &[]).await;
    for (address, status) in [
        ("::ffff:192.0.2.1", 200),
        ("::ffff:198.51.100.2", 200),
        ("192.0.2.1", 429),
        ("192.0.2.1:4711", 429),
        ("::FFFF:c000:201", 429),
        ("[::ffff:192.0.2.1]:4711", 429),
        ("64:ff9b::192.0.2.1", 429),
        ("64:ff9b::192.0.2.9", 200),
        ("192.0.2.9", 429),
        ("2001:db8:1:2::1", 200),
        ("[2001:db8:1:2:ffff::2]:443", 429),
        ("2001:db8:1:3::1", 200),
    ] {
        assert_eq!(ask(&api, "x-forwarded-for", address).await, status, "{address}");
    }
    drop(server);
    desk.close().await;
}

#[tokio::test]
async fn only_the_header_that_our_proxies_write_is_believed() {
    let desk = Desk::builder().without_worker().open().await;
    let (api, server) = server(&desk, &[("SONGDA_PROXY_HEADER", "forwarded")]).await;
    for (value, status) in [
        ("for=192.0.2.1", 200),
        ("for=\"192.0.2.1:4711\";proto=https", 429),
        ("for=198.51.100.9, by=203.0.113.1;For=192.0.2.1", 429),
        ("for=\"[2001:db8:1:2::1]:4711\"", 200),
        ("for=\"unclosed, for=\"[2001:db8:1:2::7]\"", 429),
    ] {
        assert_eq!(ask(&api, "forwarded", value).await, status, "{value}");
    }
    assert_eq!(ask(&api, "x-forwarded-for", "192.0.2.77").await, 200, "the address of the proxy itself");
    assert_eq!(ask(&api, "x-forwarded-for", "192.0.2.78").await, 429, "a caller cannot choose another one");
    drop(server);
    desk.close().await;
}
