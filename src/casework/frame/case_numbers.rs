//! The numbers of new cases. A process draws them ahead, a block at a time, so that a case does not wait for its number:
//! drawing is a transaction of its own, and everybody who opens a case waits for the same row.
//!
//! So numbers of a day do not tell which of two cases came first, and what a process has left when it stops stays unused.

use std::ops::Range;

use chrono::NaiveDate;
use tokio::sync::Mutex;

use crate::casework::Casework;
use crate::domain::case::number::CaseNumber;
use crate::store::{Conn, StoreError, cases};

/// How many numbers are drawn at once, unless more are wanted. A day has 999,999.
const BLOCK: u32 = 500;

/// The numbers of one day that this process has drawn and not used.
#[derive(Default)]
pub(in crate::casework) struct CaseNumbers(Mutex<Drawn>);

#[derive(Default)]
struct Drawn {
    day: NaiveDate,
    counts: Range<u32>,
}

impl Casework {
    /// A number of a day. The connection is outside any transaction.
    pub(in crate::casework) async fn case_number(
        &self,
        conn: &mut Conn,
        day: NaiveDate,
    ) -> Result<CaseNumber, StoreError> {
        let number = self.case_numbers(conn, day, 1).await?.pop();
        number.ok_or_else(|| StoreError::Broken("no number was drawn".to_owned()))
    }

    /// So many numbers of a day. The connection is outside any transaction.
    pub(in crate::casework) async fn case_numbers(
        &self,
        conn: &mut Conn,
        day: NaiveDate,
        wanted: usize,
    ) -> Result<Vec<CaseNumber>, StoreError> {
        // Whoever finds too few draws for all who come meanwhile.
        let mut drawn = self.numbers.0.lock().await;
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
