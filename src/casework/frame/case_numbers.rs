//! The numbers of new cases. A process draws them ahead, a block at a time, so that a case does not wait for its number:
//! drawing is a transaction of its own, and every process that opens a case waits for the same row.
//!
//! So the numbers of a day do not say which of two cases came first, and the numbers that a process has left when it stops
//! stay unused.

use std::ops::Range;

use chrono::NaiveDate;
use tokio::sync::Mutex;

use crate::domain::case::number::CaseNumber;
use crate::store::{Conn, StoreError, cases};

/// How many numbers are drawn together, unless more are needed. A day has 999,999.
const BLOCK: u32 = 500;

/// The numbers of one day that this process has drawn and not used.
#[derive(Default)]
pub struct CaseNumbers(Mutex<Drawn>);

#[derive(Default)]
struct Drawn {
    day: NaiveDate,
    counts: Range<u32>,
}

impl CaseNumbers {
    /// One number of a day. The connection is outside any transaction.
    pub async fn next(&self, conn: &mut Conn, day: NaiveDate) -> Result<CaseNumber, StoreError> {
        let number = self.take(conn, day, 1).await?.pop();
        number.ok_or_else(|| StoreError::Broken("no number was drawn".to_owned()))
    }

    /// Several numbers of a day. The connection is outside any transaction.
    pub async fn take(&self, conn: &mut Conn, day: NaiveDate, wanted: usize) -> Result<Vec<CaseNumber>, StoreError> {
        // The caller that finds too few draws a block for all that come meanwhile.
        let mut drawn = self.0.lock().await;
        if drawn.day != day {
            *drawn = Drawn { day, counts: 0..0 };
        }
        let mut counts: Vec<u32> = drawn.counts.by_ref().take(wanted).collect();
        if counts.len() < wanted {
            let missing = u32::try_from(wanted - counts.len()).unwrap_or(u32::MAX);
            let block = missing.max(BLOCK);
            let first = cases::draw_numbers(conn, day, block).await?;
            drawn.counts = first..first.saturating_add(block);
            counts.extend(drawn.counts.by_ref().take(wanted - counts.len()));
        }
        Ok(counts.into_iter().map(|count| CaseNumber::new(day, count)).collect())
    }
}
