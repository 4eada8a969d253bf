//! The parcels of an agency's cases: where they are, their labels, and stopping one that must not go out.

use std::time::Duration;

use poem_openapi::param::Path;
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, OpenApi, ResponseContent};

use super::desk::desk;
use super::parcel_view::ParcelBody;
use super::tag::Tag;
use crate::api::edge::bearer::Officer;
use crate::api::edge::code::Code;
use crate::api::edge::problem::Problem;
use crate::api::edge::problem_of::{Brings, ProblemOf};
use crate::casework::Casework;
use crate::casework::officers::parcels::CancelError;
use crate::domain::ids::ParcelId;
use crate::domain::text::Bilingual;
use crate::gateway::courier::{CarrierFact, CarrierFault, Carriers, Label};

/// The operations.
pub struct Parcels {
    pub(super) casework: Casework,
    pub(super) carriers: Carriers,
}

#[OpenApi(prefix_path = "/staff/v1", tag = "Tag::Parcels")]
impl Parcels {
    /// Shows a parcel and its way.
    #[oai(path = "/parcels/:id", method = "get", operation_id = "get_parcel")]
    async fn get(&self, officer: Officer, id: Path<ParcelId>) -> Result<ParcelAnswer, Problem> {
        let found = self.casework.parcel_of_agency(&desk(&officer)?, id.0).await?;
        let (stored, way) = found.ok_or(Code::NotFound)?;
        Ok(ParcelAnswer::Ok(Json(ParcelBody::of(&stored, &way))))
    }

    /// Fetches the label to print from the carrier.
    #[oai(path = "/parcels/:id/label", method = "get", operation_id = "get_label")]
    async fn label(&self, officer: Officer, id: Path<ParcelId>) -> Result<LabelAnswer, ProblemOf<CarrierFault>> {
        let found = self.casework.parcel_of_agency(&desk(&officer)?, id.0).await?;
        let parcel = found.ok_or(Code::NotFound)?.0.parcel;
        let waybill = parcel.waybill.as_ref().ok_or_else(|| wrong_state(parcel.state.as_str()))?;
        let carrier = self.carriers.get(&parcel.carrier).ok_or(Code::NotOffered)?;
        let label = carrier.label(waybill).await.map_err(label_problem)?;
        Ok(LabelAnswer::Ok(label.try_into()?, "no-store".to_owned()))
    }

    /// Asks the carrier to cancel a parcel that it has not picked up yet. Whether it did shows in the parcel's state.
    #[oai(path = "/parcels/:id/cancellation", method = "post", operation_id = "cancel_parcel")]
    async fn cancel(&self, officer: Officer, id: Path<ParcelId>) -> Result<CancelAnswer, Problem> {
        self.casework.cancel_parcel(&desk(&officer)?, id.0).await?;
        Ok(CancelAnswer::Accepted)
    }
}

fn wrong_state(state: &str) -> Problem {
    let detail = Bilingual::new(format!("寄递状态为 {state}"), format!("The parcel is {state}"));
    Problem::new(Code::ParcelWrongState).detail(detail)
}

impl Brings for CarrierFault {
    const CODES: &'static [Code] = &[Code::ParcelWrongState, Code::GatewayFailed];
}

/// What a carrier's "no" to a label means for who asked.
fn label_problem(fault: CarrierFault) -> Problem {
    const SOON: Duration = Duration::from_secs(5);
    let problem = match fault.fact {
        CarrierFact::Absent => Problem::new(Code::NotFound),
        CarrierFact::WrongState => Problem::new(Code::ParcelWrongState),
        CarrierFact::Throttled { after } => Problem::new(Code::Unavailable).retry_after(after.unwrap_or(SOON)),
        CarrierFact::Unavailable => Problem::new(Code::Unavailable).retry_after(SOON),
        CarrierFact::Duplicate | CarrierFact::AddressRefused | CarrierFact::Misconfigured | CarrierFact::Ambiguous => {
            Problem::new(Code::GatewayFailed)
        }
    };
    problem.cause(fault)
}

/// A label, as the carrier drew it.
#[derive(ResponseContent)]
enum LabelFile {
    /// To print.
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
    /// To print.
    #[oai(content_type = "image/png")]
    Png(Binary<Vec<u8>>),
    /// To print.
    #[oai(content_type = "image/jpeg")]
    Jpeg(Binary<Vec<u8>>),
}

impl TryFrom<Label> for LabelFile {
    type Error = Code;

    fn try_from(label: Label) -> Result<Self, Code> {
        let bytes = Binary(label.bytes.into_exposed());
        match label.content_type.as_str() {
            "application/pdf" => Ok(Self::Pdf(bytes)),
            "image/png" => Ok(Self::Png(bytes)),
            "image/jpeg" => Ok(Self::Jpeg(bytes)),
            _ => Err(Code::GatewayFailed),
        }
    }
}

#[derive(ApiResponse)]
enum ParcelAnswer {
    /// The parcel.
    #[oai(status = 200)]
    Ok(Json<ParcelBody>),
}

#[derive(ApiResponse)]
enum LabelAnswer {
    /// The label. It shows a name, an address and a phone.
    #[oai(status = 200)]
    Ok(LabelFile, #[oai(header = "Cache-Control")] String),
}

#[derive(ApiResponse)]
enum CancelAnswer {
    /// The carrier will be asked.
    #[oai(status = 202)]
    Accepted,
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::new(Code::NotFound),
            CancelError::WrongState(state) => wrong_state(state),
            CancelError::Store(error) => error.into(),
        }
    }
}
