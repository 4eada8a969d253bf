//! The meaning of a carrier's scan, which is one event of a parcel's journey. The scan's code has a meaning in the
//! carrier's table. The scan's text can correct this meaning: carriers do not document codes for a parcel on its way
//! back to the sender, but the text says so.

use crate::domain::delivery::parcel::ScanMeaning;

/// The table of a carrier: for each meaning, the codes with this meaning. An unknown code means `Unchanged`.
pub(super) type Meanings = &'static [(ScanMeaning, &'static [&'static str])];

const ON_THE_WAY_BACK: [&str; 2] = ["退回", "退件"];

pub(super) fn of_code(meanings: Meanings, code: &str) -> ScanMeaning {
    let row = meanings.iter().find(|(_, codes)| codes.contains(&code));
    row.map_or(ScanMeaning::Unchanged, |(meaning, _)| *meaning)
}

/// Corrects a meaning by the scan's text, `words`, if the text says that the parcel is on its way back. `Delivered`
/// then becomes `Returned`, because the sender has received the parcel. A cancellation stays a cancellation. Every
/// other meaning becomes `Returning`.
pub(super) fn with_words(meaning: ScanMeaning, words: &str) -> ScanMeaning {
    if !ON_THE_WAY_BACK.iter().any(|word| words.contains(word)) {
        return meaning;
    }
    match meaning {
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
