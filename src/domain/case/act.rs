//! Acts (行为) on a case, such as its acceptance or its decision. Each act is stored as an entry in the history of the
//! case.

use crate::domain::kernel::words::words;

words! {
    /// The kinds of acts. The database stores these words, so a word is never renamed or given another meaning.
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
        /// 办结结果回传: another system decided, and Songda recorded its decision.
        TakenOver = "taken_over",
        /// 撤回
        Withdrawn = "withdrawn",
        /// 更正收件地址
        DeliveryCorrected = "delivery_corrected",
        /// 查看完整信息: an officer looked at the applicant's unmasked ID and phone numbers.
        Disclosed = "disclosed",
        /// An officer opened a submitted file.
        UploadRead = "upload_read",
        /// 文件未通过检查: the check of a submitted file refused it.
        FileRefused = "file_refused",
        /// The carrier reported a new state of a parcel.
        ParcelMoved = "parcel_moved",
        /// An officer requested the cancellation of a parcel.
        ParcelCancellationAsked = "parcel_cancellation_asked",
    }
}
