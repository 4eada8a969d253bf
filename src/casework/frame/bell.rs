//! The bell: rung after a commit, heard by the relay of the same process, which tells Redis.
//!
//! A ring may be lost, because the process dies or the relay does not keep up. The sweeper finds the jobs then, and clients
//! look again by themselves after a while. So ringing never waits and never fails.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use crate::domain::kernel::ids::PersonId;
use crate::domain::work::job::Offer;

/// What one commit announces.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Jobs that are due.
    pub offers: Vec<Offer>,
    /// People whose clients should look again.
    pub people: BTreeSet<PersonId>,
}

/// Cloning shares the bell.
#[derive(Clone)]
pub struct Bell(mpsc::Sender<News>);

/// How many rings may wait for the relay. Further rings are dropped, and left to the sweeper.
const CAPACITY: usize = 16_384;

impl Bell {
    /// A bell, and the end at which it is heard.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<News>) {
        let (ring, hear) = mpsc::channel(CAPACITY);
        (Self(ring), hear)
    }

    /// Announces a commit.
    pub fn ring(&self, offers: Vec<Offer>, people: impl Iterator<Item = PersonId>) {
        let news = News { offers, people: people.collect() };
        if news != News::default() && self.0.try_send(news).is_err() {
            tracing::debug!("the bell was not heard; the sweeper will find the jobs");
        }
    }
}
