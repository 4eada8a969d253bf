//! What strangers may cost: sign-in codes and identity checks have budgets by network, and one for the installation.

use serde_json::json;
use songda::demo::fresh_phone;
use songda::demo::http::{Caller, Reply};

use crate::support::answers::assert_problem;
use crate::support::desk::Desk;
use crate::support::process::Watched;
use crate::support::wait::wait_until;

const WARNING: &str = "70 % of a day's budget are used";

async fn server(desk: &Desk, more: &[(&str, &str)]) -> (Caller, Watched) {
    let settings = [("SONGDA_PROXIES", "1")];
    let server = desk.watched("serve", &[&settings[..], more].concat()).await;
    (server.api().await, server)
}

/// Asks for a code for a number of its own, from an address.
async fn ask(api: &Caller, address: &str) -> Reply {
    let body = json!({"phone": fresh_phone()});
    api.post("/v1/login-codes").header("x-forwarded-for", address).json(&body).answer().await.unwrap()
}

#[tokio::test]
async fn a_network_has_a_budget_of_sign_in_codes_whatever_its_addresses() {
    let mut desk = Desk::builder().without_worker().open().await;
    let settings = [("SONGDA_CODES_PER_IPV4_NETWORK", "3"), ("SONGDA_CODES_PER_IPV6_NETWORK", "3")];
    let (api, server) = server(&desk, &settings).await;
    for (own, strangers, elsewhere) in [
        (["192.0.2.1", "192.0.2.77", "::ffff:192.0.2.200"], "192.0.2.9", "198.51.100.1"),
        (["2001:db8:1::1", "2001:db8:1:2::1", "2001:db8:1:ffff::9"], "2001:db8:1:3::1", "2001:db8:2::1"),
    ] {
        for address in own {
            assert_eq!(ask(&api, address).await.status.as_u16(), 202, "{address}");
        }
        let refused = ask(&api, strangers).await;
        assert_problem(&refused, 429, "too_many_requests");
        assert!(refused.body["detail"].is_string() && !refused.header("retry-after").is_empty(), "{}", refused.body);
        assert_eq!(ask(&api, elsewhere).await.status.as_u16(), 202, "another network notices nothing");
    }
    drop(server);
    desk.leave_jobs();
    desk.close().await;
}

#[tokio::test]
async fn the_installation_pays_for_so_many_sign_in_codes_a_day_and_warns_once_before() {
    let mut desk = Desk::builder().without_worker().open().await;
    let (api, server) = server(&desk, &[("SONGDA_CODES_PER_DAY", "10")]).await;
    for n in 0..10 {
        assert_eq!(ask(&api, &format!("192.0.{n}.1")).await.status.as_u16(), 202, "{n}");
    }
    assert_problem(&ask(&api, "192.0.99.1").await, 429, "too_many_requests");
    wait_until("the log warns", async || server.log().contains(WARNING)).await;
    assert_eq!(server.log().matches(WARNING).count(), 1);
    drop(server);
    desk.leave_jobs();
    desk.close().await;
}
