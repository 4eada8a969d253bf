//! 更正收件地址: after a parcel was returned or cancelled, or its carrier refused the address, the applicant gives another
//! address, and the result is sent again. The job that orders the new parcel is saved in the same transaction as the
//! new address.

use serde_json::json;

use crate::casework::cases::Cases;
use crate::casework::frame::change::{CaseAct, ChangeError};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, IdempotentRequest};
use crate::domain::case::Case;
use crate::domain::case::act::Act;
use crate::domain::kernel::ids::{AddressId, CaseId, PersonId};
use crate::domain::people::acting::Acting;
use crate::store::cases::{self, Owner, VersionedCase};
use crate::store::{StoreError, addresses, parcels};

#[derive(Debug, thiserror::Error)]
pub enum CorrectError {
    /// The applicant's address book has no such address.
    #[error("there is no such address")]
    NoSuchAddress,
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The new address of a result.
pub struct Correction {
    pub case: CaseId,
    /// The version of the case that the applicant has read; `None` if any version is accepted.
    pub version: Option<i64>,
    /// An entry of the applicant's address book. The parcel gets a copy, which does not change with the address book.
    pub address: AddressId,
}

impl Cases<'_> {
    /// Sends a result again, to another address. Refused unless the last parcel was returned or cancelled, or its
    /// carrier refused the address.
    pub async fn correct_delivery(
        self,
        acting: Acting<PersonId>,
        correction: &Correction,
        request: Option<&IdempotentRequest>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, CorrectError> {
        let keys = self.0.store().keys();
        let Correction { case, version, address } = *correction;
        let owner = Owner::Applicant(acting.for_);
        let mut tx = self.0.store().begin().await?;
        let entered = idempotency::enter(&mut tx, keys, request, self.0.now()).await.map_err(ChangeError::from)?;
        if let Entered::Replay(answer) = entered {
            return Ok(self.0.again(tx, case, owner, answer).await?);
        }
        // The lock makes the second of two simultaneous corrections wait. It then finds the parcel of the first
        // correction, and is refused.
        cases::find_for_change(&mut tx, keys, case, owner).await?.ok_or(ChangeError::NotFound)?;
        let recipient =
            addresses::find(&mut tx, keys, acting.for_, address).await?.ok_or(CorrectError::NoSuchAddress)?;
        cases::redirect(&mut tx, case, &keys.seal_json(&cases::recipient_of(case), &recipient.address)?).await?;
        let last = parcels::of_case(&mut tx, keys, case).await?.pop().map(|stored| stored.parcel);
        let failed = last.as_ref().map(|parcel| parcel.id);
        let cause = |_: &Case| json!({"instead_of": failed});
        let act = CaseAct::of_applicant(acting, case, Act::DeliveryCorrected, &cause, trace);
        let act = CaseAct { version, ..act };
        let last = last.map(|parcel| parcel.state);
        let changed = self.0.change(&mut tx, act, |case, _| Ok(case.send_again(last)?)).await?;
        Ok(self.0.finish(tx, changed, request, answer).await?)
    }
}
