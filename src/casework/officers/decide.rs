//! 决定: an officer grants or denies. The push and the parcel are promised in the same transaction.

use serde_json::json;

use super::Desk;
use crate::casework::Casework;
use crate::casework::change_case::{Act, ChangeError};
use crate::casework::once::{self, Answer, Entered, Given, Once};
use crate::domain::case::Ruling;
use crate::domain::ids::CaseId;
use crate::store::cases::Versioned;

/// A decision as it is asked for.
pub struct Decide<'a> {
    /// On which case.
    pub case: CaseId,
    /// At which version it was read: two officers can never both decide.
    pub version: i64,
    /// What is decided.
    pub ruling: Ruling,
    /// Asked once, whatever the network does.
    pub once: &'a Once,
}

impl Casework {
    /// Decides, and answers; the same request again gets the same answer.
    ///
    /// # Errors
    /// When the case is not there, was changed, was not accepted; or when a denial gives no reasons.
    pub async fn decide(
        &self,
        desk: &Desk,
        decide: Decide<'_>,
        answer: impl FnOnce(&Versioned) -> Answer + Send,
    ) -> Result<Given, ChangeError> {
        let keys = self.store().keys();
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) = once::enter(&mut tx, keys, decide.once, self.now()).await? {
            return Ok(Given { answer, replayed: true });
        }
        let act = Act {
            case: decide.case,
            owner: desk.owner(),
            version: Some(decide.version),
            actor: desk.actor(),
            name: "decided",
            cause: cause(&decide.ruling),
            trace: desk.trace.as_deref(),
        };
        let ruling = decide.ruling;
        let changed =
            self.change(&mut tx, act, |case, context| Ok(case.decide(ruling, desk.actor(), context.now)?)).await?;
        let answer = answer(&changed.case);
        once::leave(&mut tx, keys, decide.once, &answer, self.now()).await?;
        self.finish(tx, changed).await?;
        Ok(Given { answer, replayed: false })
    }
}

/// What the history keeps of a ruling.
pub(in crate::casework) fn cause(ruling: &Ruling) -> serde_json::Value {
    match ruling {
        Ruling::Grant { result, reasons } => json!({"outcome": "grant", "result": result, "reasons": reasons}),
        Ruling::Deny { reasons } => json!({"outcome": "deny", "reasons": reasons}),
    }
}
