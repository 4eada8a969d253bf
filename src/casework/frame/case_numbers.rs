//! Gives numbers to new cases. All processes draw the numbers of a day from one row of the database. A process draws a
//! block of numbers at a time, so that it seldom waits for that row.
//!
//! So a smaller number does not mean an earlier case, and a process that stops loses the rest of its block.

use std::ops::Range;

use chrono::NaiveDate;
use tokio::sync::Mutex;

use crate::domain::case::number::CaseNumber;
use crate::store::{Conn, StoreError, cases};

/// How many numbers a process draws at a time, unless it needs more at once. A day has 999,999 numbers.
const BLOCK: u32 = 500;

/// The numbers that this process has drawn and not used. All of them belong to one day.
#[derive(Default)]
pub struct CaseNumbers(Mutex<Drawn>);

#[derive(Default)]
struct Drawn {
    day: NaiveDate,
    counts: Range<u32>,
}

impl CaseNumbers {
    /// Takes one number of a day. The connection must not be in a transaction, because other processes wait for the row
    /// of the day until the transaction ends.
    pub async fn next(&self, conn: &mut Conn, day: NaiveDate) -> Result<CaseNumber, StoreError> {
        let number = self.take(conn, day, 1).await?.pop();
        number.ok_or_else(|| StoreError::Broken("no number was drawn".to_owned()))
    }

    /// Takes several numbers of a day. The connection must not be in a transaction (see [`Self::next`]).
    pub async fn take(&self, conn: &mut Conn, day: NaiveDate, wanted: usize) -> Result<Vec<CaseNumber>, StoreError> {
        // Locked while a block is drawn, so that one caller draws for all callers that wait.
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
