//! The availability of PostgreSQL and Redis.

use std::sync::LazyLock;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::series::Word;

static UP: LazyLock<Family<Word, Gauge>> = LazyLock::new(Family::default);

pub(super) fn register(registry: &mut Registry) {
    registry.register("songda_store_up", "1 if the store answers this process in time, else 0", UP.clone());
}

pub fn set_up(postgresql: bool, redis: bool) {
    for (store, answers) in [("postgresql", postgresql), ("redis", redis)] {
        UP.get_or_create(&[("store", store)]).set(i64::from(answers));
    }
}
