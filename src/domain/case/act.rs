//! 行为: the acts on a case. Each act is an entry of the case's history.

use crate::domain::kernel::words::words;

words! {
    /// The words are stored: an act is never renamed or reused.
    pub enum Act {
        /// 提交
        Submitted = "submitted",
        /// 受理
        Accepted = "accepted",
        /// 补正告知
        SupplementNoticed = "supplement_noticed",
        /// 补正
        SupplementAnswered = "supplement_answered",
        /// 决定
        Decided = "decided",
        /// 办结结果回传: a decision of another system was taken over.
        TakenOver = "taken_over",
        /// 撤回
        Withdrawn = "withdrawn",
        /// 更正收件地址
        DeliveryCorrected = "delivery_corrected",
        /// 查看完整信息
        Disclosed = "disclosed",
        /// An officer opened a submitted file.
        UploadRead = "upload_read",
        /// The carrier reported a new state of a parcel.
        ParcelMoved = "parcel_moved",
        /// An officer requested the cancellation of a parcel.
        ParcelCancellationAsked = "parcel_cancellation_asked",
    }
}
