//! 更正收件地址: after a parcel that was refused, came back or was cancelled, the applicant says where the result shall go
//! now, and it goes out once more: as another parcel, promised in the same transaction as a decision promises the first.

use serde_json::json;

use crate::casework::Casework;
use crate::casework::frame::change::{Act, ChangeError};
use crate::casework::frame::idempotency::{self, Answer, Entered, Given, Once};
use crate::domain::case::Actor;
use crate::domain::kernel::ids::{AddressId, CaseId, PersonId};
use crate::store::cases::{self, Owner, VersionedCase};
use crate::store::{StoreError, addresses, parcels};

/// Why a result is not sent again.
#[derive(Debug, thiserror::Error)]
pub enum CorrectError {
    /// The person's address book has no such address.
    #[error("there is no such address")]
    NoSuchAddress,
    /// The case does not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a result shall go now.
pub struct Correction {
    /// The result of which case.
    pub case: CaseId,
    /// At which version the applicant read it; `None` for any.
    pub version: Option<i64>,
    /// To which entry of their address book. It is copied: a later change of the book does not reach it.
    pub address: AddressId,
}

impl Casework {
    /// Sends a person's result again, to another address, and answers.
    ///
    /// # Errors
    /// When there is no such case or address, the case was changed since it was read, or its last parcel did not fail.
    pub async fn correct_delivery(
        &self,
        person: PersonId,
        correction: &Correction,
        once: Option<&Once>,
        trace: Option<&str>,
        answer: impl FnOnce(&VersionedCase) -> Answer + Send,
    ) -> Result<Given, CorrectError> {
        let (keys, now) = (self.store().keys(), self.now());
        let Correction { case, version, address } = *correction;
        let owner = Owner::Applicant(person);
        let mut tx = self.store().begin().await?;
        if let Entered::Replay(answer) =
            idempotency::enter(&mut tx, keys, once, now).await.map_err(ChangeError::from)?
        {
            return Ok(idempotency::again(tx, answer).await?);
        }
        // From here on the case is held: of two corrections at once the second finds the parcel of the first.
        cases::find_for_change(&mut tx, keys, case, owner).await?.ok_or(ChangeError::NotFound)?;
        let recipient = addresses::find(&mut tx, keys, person, address).await?.ok_or(CorrectError::NoSuchAddress)?;
        cases::redirect(&mut tx, case, &keys.seal_json("cases.recipient", &recipient.address)?).await?;
        let last = parcels::of_case(&mut tx, keys, case).await?.pop().map(|stored| stored.parcel);
        let cause = json!({"instead_of": last.as_ref().map(|parcel| parcel.id)});
        let act = Act {
            case,
            owner,
            version,
            actor: Actor::Person(person),
            name: "delivery_corrected",
            cause: &|_| cause.clone(),
            trace,
        };
        let last = last.map(|parcel| parcel.state);
        let changed = self.change(&mut tx, act, |case, _| Ok(case.send_again(last)?)).await?;
        Ok(self.finish(tx, changed, once, answer).await?)
    }
}
