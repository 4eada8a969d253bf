//! The bell announces a commit to the relay, a task of the same process that announces the commit to other processes
//! through Redis.
//!
//! Ringing never waits and never fails. A ring (one announcement) is lost if the process dies or the relay does not
//! keep up. Then the sweeper, which searches the database for due jobs, finds the jobs of the commit. Waiting clients
//! see the change at the next regular poll of the database.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::domain::kernel::ids::PersonId;
use crate::domain::work::job::Offer;

/// The content of one ring: what a commit changed for other processes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// The due jobs that must be announced to workers.
    pub offers: Vec<Offer>,
    /// People whose data changed. Their waiting clients are woken.
    pub people: BTreeSet<PersonId>,
}

/// The sender of rings to the relay. Clones ring the same bell.
#[derive(Clone)]
pub struct Bell(mpsc::Sender<News>);

/// The maximum number of rings that wait for the relay. Further rings are dropped.
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
