//! The outcomes of attempts at jobs. Each outcome has a word, which is stored with the attempt, counted in the metrics,
//! and named in alert rules (`deploy/prometheus/alerts.yaml`).

use crate::domain::kernel::words::words;

words! {
    /// How an attempt ended. The words are stored, so an outcome is never renamed or reused.
    pub enum Outcome {
        // Outcomes of a push or a one-time code:
        /// The channel accepted the message.
        Delivered = "delivered",
        /// The gateway was asked about our idempotency key or order number, and already has the message or the order.
        Found = "found",
        /// A gateway's delivery receipt proves that a message of unknown outcome arrived.
        Confirmed = "confirmed",
        /// The channel refused the message for lack of consent. An earlier copy may have used up the consent, so the
        /// worker waits for a delivery receipt of that copy.
        Unconfirmed = "unconfirmed",
        /// The person refuses messages on this channel.
        Refused = "refused",
        /// The person's address on the channel is not valid any more.
        Gone = "gone",
        /// The person has no address on the channel, or gave no consent.
        Unreachable = "unreachable",
        /// The gateway refused the message repeatedly, without a known reason.
        Unexplained = "unexplained",
        /// A gateway's delivery receipt says that a message of unknown outcome did not arrive.
        LostOnTheWay = "lost_on_the_way",
        /// The gateway could not tell if an earlier attempt of unknown outcome had succeeded.
        NotTold = "not_told",
        /// The channel is not set up any more.
        NoChannel = "no_channel",
        /// The channel has no template for the event.
        NoTemplate = "no_template",

        // Outcomes of work on a parcel:
        /// The carrier accepted the order.
        Ordered = "ordered",
        /// The carrier cancelled the order.
        Cancelled = "cancelled",
        /// The order could not be cancelled any more.
        TooLate = "too_late",
        /// The parcel's journey is over.
        Ended = "ended",
        /// The parcel's journey did not end within the time after which a parcel counts as lost.
        NeverArrived = "never_arrived",
        /// The carrier never gave the waybill number.
        NoWaybill = "no_waybill",
        /// The carrier does not deliver to the address.
        AddressRefused = "address_refused",
        /// The carrier already has an order with this number.
        Duplicate = "duplicate",
        /// The order is in a state that does not allow the request.
        WrongState = "wrong_state",
        /// The carrier does not know the order.
        Absent = "absent",
        /// The carrier is not set up any more.
        NoCarrier = "no_carrier",

        // Outcomes of work that calls no gateway:
        /// A stored callback was parsed.
        Understood = "understood",
        /// A stored callback cannot be parsed.
        Unreadable = "unreadable",
        /// A file was deleted from the object store.
        Removed = "removed",

        // Outcomes of the check of a file:
        /// The file passed, and is shown.
        Passed = "passed",
        /// The file was refused.
        FileRefused = "file_refused",

        // Outcomes of every kind of work:
        /// The work became unnecessary before it was done.
        NoNeed = "no_need",
        /// The gateway refused the request because our rate was too high.
        Throttled = "throttled",
        /// The gateway answered with an error, or not at all, and surely did nothing.
        Unavailable = "unavailable",
        /// The request was sent and no response came: the gateway may have acted.
        Ambiguous = "ambiguous",
        /// The gateway refuses our account, our template or this message.
        Misconfigured = "misconfigured",
        /// The job was put back to run later, and the attempt does not count.
        Snoozed = "snoozed",
        /// The attempt was aborted: it panicked, or took too long.
        Broken = "broken",
        /// The worker's claim on the job expired before the worker stored how the attempt ended, for example because
        /// the worker died.
        Lost = "lost",
        /// The job has had the maximum number of attempts.
        Spent = "spent",
        /// The database could not be read, and no gateway was called.
        NoRecord = "no_record",
        /// The database contains data that cannot be read.
        BrokenRecord = "broken_record",
        /// This release does not know the kind of the job.
        UnknownKind = "unknown_kind",
        /// The database refuses the changes that follow from the attempt.
        Unsettled = "unsettled",
        /// The database refuses to store how the attempt ended.
        Unwritable = "unwritable",
    }
}

impl Outcome {
    /// The outcomes of a push after which the notification counts as delivered.
    pub const BROUGHT: [Self; 3] = [Self::Delivered, Self::Found, Self::Confirmed];

    /// The outcomes after which we do not know if the gateway acted.
    pub const IN_DOUBT: [Self; 4] = [Self::Lost, Self::Ambiguous, Self::Broken, Self::Unsettled];
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ALERTS: &str = include_str!("../../../deploy/prometheus/alerts.yaml");

    #[test]
    fn alert_rules_name_only_outcomes_that_exist() {
        let named: BTreeSet<&str> = ALERTS
            .split("outcome=")
            .skip(1)
            .flat_map(|rest| rest.trim_start_matches('~').split('"').nth(1).unwrap_or_default().split('|'))
            .collect();
        assert!(named.contains("misconfigured") && named.contains("ambiguous"), "the rules were parsed: {named:?}");
        let known: BTreeSet<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        let unknown: Vec<&&str> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "alerts.yaml names outcomes that no attempt has: {unknown:?}");
    }
}
