//! The bell announces a commit to the relay of the same process, which announces it to other processes through Redis.
//!
//! Ringing never waits and never fails. A ring is lost if the process dies or the relay does not keep up. Then the
//! sweeper finds the jobs, and waiting clients poll the database after a while.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::domain::kernel::ids::PersonId;
use crate::domain::work::job::Offer;

/// The content of one ring: what a commit changed for other processes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Due jobs, whose ids workers must get.
    pub offers: Vec<Offer>,
    /// People whose data changed. Their waiting clients are woken.
    pub people: BTreeSet<PersonId>,
}

/// The sender of rings to the relay. Clones ring the same bell.
#[derive(Clone)]
pub struct Bell(mpsc::Sender<News>);

/// How many rings may wait for the relay. Further rings are dropped.
const CAPACITY: usize = 16_384;

impl Bell {
    /// Makes a bell and the receiver of its rings.
    pub fn new() -> (Self, mpsc::Receiver<News>) {
        let (ring, hear) = mpsc::channel(CAPACITY);
        (Self(ring), hear)
    }

    pub fn ring(&self, offers: Vec<Offer>, people: impl Iterator<Item = PersonId>) {
        let news = News { offers, people: people.collect() };
        if news != News::default() && self.0.try_send(news).is_err() {
            tracing::debug!("the bell was not heard; the sweeper will find the jobs");
        }
    }
}
