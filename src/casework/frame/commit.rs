//! Saves a [`Record`] (all rows that a use case writes, in one statement), commits, and then announces the commit by
//! the bell.

use crate::casework::Casework;
use crate::domain::kernel::clock::Instant;
use crate::domain::work::job::Offer;
use crate::kill_point::{self, Boundary};
use crate::store::record::{self, Record, SaveError};
use crate::store::{Conn, StoreError, Tx};

impl Casework {
    /// Writes the record. Returns the jobs that must be announced after the commit.
    pub(in crate::casework) async fn save(
        &self,
        conn: &mut Conn,
        record: &Record,
        now: Instant,
    ) -> Result<Vec<Offer>, SaveError> {
        record::save(conn, self.store().keys(), record, now).await
    }

    /// Commits, and then announces the due jobs and the people whose data changed.
    pub(in crate::casework) async fn commit(
        &self,
        tx: Tx<'_>,
        record: &Record,
        offers: Vec<Offer>,
    ) -> Result<(), StoreError> {
        tx.commit().await?;
        self.ring(record, offers);
        Ok(())
    }

    pub(in crate::casework) async fn save_and_commit(
        &self,
        mut tx: Tx<'_>,
        record: &Record,
        now: Instant,
    ) -> Result<(), SaveError> {
        let offers = self.save(&mut tx, record, now).await?;
        Ok(self.commit(tx, record, offers).await?)
    }

    pub(in crate::casework) fn ring(&self, record: &Record, offers: Vec<Offer>) {
        kill_point::pass(Boundary::Committed, kill_point::NO_LANE);
        self.parts.bell.ring(offers, record.people());
    }
}
