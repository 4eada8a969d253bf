//! Parcels on their way back to the sender. No carrier's codes for this are confirmed, but all carriers say it in words.

use crate::domain::delivery::parcel::ScanMeaning;

const WORDS: [&str; 2] = ["退回", "退件"];

/// The meaning of a scan, with its words considered: a parcel that is handed over on its way back is returned, not delivered.
///
/// `code` is the meaning of the carrier's code alone. Words never turn a cancellation into a return.
pub(super) fn with_words(code: ScanMeaning, words: &str) -> ScanMeaning {
    if !WORDS.iter().any(|word| words.contains(word)) {
        return code;
    }
    match code {
        ScanMeaning::Delivered => ScanMeaning::Returned,
        ScanMeaning::Cancelled => ScanMeaning::Cancelled,
        _ => ScanMeaning::Returning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_that_arrives_is_not_a_delivery() {
        assert_eq!(with_words(ScanMeaning::Delivered, "退回件已妥投"), ScanMeaning::Returned);
        assert_eq!(with_words(ScanMeaning::InTransit, "退件途中"), ScanMeaning::Returning);
        assert_eq!(with_words(ScanMeaning::Unchanged, "收件人拒收,退回"), ScanMeaning::Returning);
        assert_eq!(with_words(ScanMeaning::Delivered, "已签收"), ScanMeaning::Delivered);
    }
}
