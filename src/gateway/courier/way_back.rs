//! Parcels on their way back. No carrier's list of codes for this is confirmed, but all of them say it in words.

use crate::domain::delivery::parcel::ScanMeaning;

/// The words for it.
const WORDS: [&str; 2] = ["退回", "退件"];

/// What a scan means when its words are heard too: handed over on the way back is returned, not delivered.
///
/// `code` is what the carrier's code alone means. Words never turn a cancellation into a return.
pub(super) fn heard(code: ScanMeaning, words: &str) -> ScanMeaning {
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
        assert_eq!(heard(ScanMeaning::Delivered, "退回件已妥投"), ScanMeaning::Returned);
        assert_eq!(heard(ScanMeaning::InTransit, "退件途中"), ScanMeaning::Returning);
        assert_eq!(heard(ScanMeaning::Unchanged, "收件人拒收,退回"), ScanMeaning::Returning);
        assert_eq!(heard(ScanMeaning::Delivered, "已签收"), ScanMeaning::Delivered);
    }
}
