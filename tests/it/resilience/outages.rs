//! PostgreSQL and Redis stop, crash and come back while decisions are reported. Meanwhile each request either succeeds
//! or is answered 503. The message and the parcel of every accepted decision arrive, a refused decision is accepted
//! when it is repeated, and no process of ours is restarted.

use std::sync::atomic::Ordering;

use reqwest::Url;
use songda::demo::fresh_key;
use songda::store::{KeyRing, Store, StoreError};

use crate::support::answers::replayed;
use crate::support::items::{AGENCY, ITEM};
use crate::support::load::{Installation, assert_unavailable};
use crate::support::proxy::{Link, Proxy};
use crate::support::servers::{Own, Servers};

#[tokio::test]
async fn decisions_survive_postgresql_stopping_crashing_and_coming_back() {
    let mut own = Own::postgres("test-outage-of-postgresql").await;
    let installation = Installation::start(&own).await;
    let Installation { desk, server, clerk, .. } = &installation;
    let accepted = desk.journey(ITEM).by_courier().submitted().accepted().await;
    let key = fresh_key();
    let officer = desk.officer_at(&server.api, AGENCY).await;
    let grant = async || accepted.grant(officer.caller(), &key).await.unwrap();

    let trouble = async {
        for mode in ["fast", "immediate"] {
            clerk.some_are_accepted().await;
            own.order(&format!("stop postgres {mode}")).await;
            let (ready, granted) = tokio::join!(server.api.get("/readyz").answer(), grant());
            assert_unavailable(&ready.unwrap());
            assert_unavailable(&granted);
            own.order("start postgres").await;
        }
        clerk.some_are_accepted().await;
        clerk.stop();
    };
    tokio::join!(clerk.work(), trouble);
    assert!(clerk.unavailable.load(Ordering::Relaxed) > 0, "some requests had to be repeated");

    let first = grant().await;
    let again = grant().await;
    assert_eq!((first.status.as_u16(), replayed(&first)), (200, ""), "{}", first.body);
    assert_eq!((&again.body, replayed(&again)), (&first.body, "true"));
    let decided = accepted.decided();
    installation.close(Some(decided)).await;
    own.close().await;
}

#[tokio::test]
async fn no_client_notices_redis_being_killed_and_coming_back_with_old_data_or_empty() {
    let mut own = Own::redis("test-outage-of-redis").await;
    let installation = Installation::start(&own).await;
    let clerk = &installation.clerk;
    let trouble = async {
        for empty in [false, true] {
            clerk.some_are_accepted().await;
            own.order("kill redis").await;
            clerk.some_are_accepted().await;
            installation.is_degraded().await;
            if empty {
                own.order("empty redis").await;
            }
            own.order("start redis").await;
            installation.is_ready().await;
        }
        clerk.some_are_accepted().await;
        clerk.stop();
    };
    tokio::join!(clerk.work(), trouble);
    assert_eq!(clerk.unavailable.load(Ordering::Relaxed), 0, "no client notices the outage");
    installation.close(None).await;
    own.close().await;
}

/// A connection that ends within the handshake must not be reported as bad content of the database.
#[tokio::test]
async fn a_cut_connection_to_postgresql_is_reported_as_unavailable() {
    let servers = Servers::shared();
    let proxy = Proxy::before(servers.addresses()[0]).await;
    proxy.set(Link::Cut);
    let mut url: Url = servers.database("songda").parse().unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    let store = Store::new(url.as_str(), 1, "test", KeyRing::parse(KeyRing::fresh_file().expose()).unwrap()).unwrap();
    for _ in 0..10 {
        let asked = store.ping().await;
        assert!(matches!(asked, Err(StoreError::Unavailable(_))), "{asked:?}");
    }
}
