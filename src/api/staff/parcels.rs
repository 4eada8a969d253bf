//! Operations on the parcels of an agency's cases: list them, print their labels, cancel them.

use std::time::Duration;

use chrono::NaiveDate;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Object, OpenApi, ResponseContent};

use super::desk::at_work;
use super::parcel_view::{ParcelBody, ParcelWithWayBody};
use super::tag::StaffTag;
use crate::api::edge::{Brings, Code, Officer, Page, Problem, ProblemOf, clamp};
use crate::api::services::Services;
use crate::api::shared::change_problems::parcel_is;
use crate::api::shared::file_content::SANDBOX;
use crate::casework::officers::label::LabelError;
use crate::casework::officers::parcels::CancelError;
use crate::casework::read_models::StoredParcel;
use crate::domain::delivery::parcel::ParcelState;
use crate::domain::kernel::ids::{CaseId, ParcelId};
use crate::gateway::courier::{CarrierFact, CarrierFault, Label};

pub struct StaffParcels(pub Services);

const LIST: &str = "list_parcels";

#[OpenApi(prefix_path = "/staff/v1", tag = "StaffTag::Parcels")]
impl StaffParcels {
    /// 办件寄递 · List the parcels of a case
    ///
    /// Lists the parcels of a case, in the order in which they were requested. A case has no parcel before it is
    /// granted with delivery by courier. A case has several parcels if one did not arrive and another was sent.
    #[oai(path = "/cases/:id/parcels", method = "get", operation_id = "list_case_parcels")]
    async fn of_case(&self, officer: Officer, id: Path<CaseId>) -> Result<Json<CaseParcels>, Problem> {
        let found = self.0.casework.officers().parcels(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json(CaseParcels { data: found.iter().map(ParcelBody::from).collect() }))
    }

    /// 寄递列表 · List parcels
    ///
    /// Lists the agency's parcels in a state. The earliest `serve_by` comes first. The labels of `ordered` parcels must
    /// be printed; an officer must handle `address_refused` and `returned` parcels.
    #[oai(path = "/parcels", method = "get", operation_id = "list_parcels")]
    async fn list(
        &self,
        officer: Officer,
        /// Only parcels in this state.
        Query(state): Query<ParcelState>,
        /// Rows per page: 20 by default, 100 at most.
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        Query(cursor): Query<Option<String>>,
    ) -> Result<Json<Page<ParcelBody>>, Problem> {
        let officer = at_work(&officer)?;
        let limit = clamp(limit);
        let filters = (officer.remit.agencies(), state);
        let after: Option<(Option<NaiveDate>, ParcelId)> = self.0.cursors.read(LIST, &filters, cursor.as_deref())?;
        let rows = self.0.casework.officers().parcels_to_serve(&officer, state, after, limit as i64 + 1).await?;
        let position = |row: &StoredParcel| (row.serve_by, row.parcel.id);
        Ok(Json(self.0.cursors.page(LIST, &filters, rows, limit, position, |row| ParcelBody::from(&row))?))
    }

    /// 查看寄递 · Show a parcel
    ///
    /// Shows a parcel with the carrier's scans.
    #[oai(path = "/parcels/:id", method = "get", operation_id = "get_parcel")]
    async fn get(&self, officer: Officer, id: Path<ParcelId>) -> Result<Json<ParcelWithWayBody>, Problem> {
        let found = self.0.casework.officers().parcel(&at_work(&officer)?, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json(ParcelWithWayBody::of(&found.stored, &found.scans)))
    }

    /// 打印面单 · Fetch a label
    ///
    /// Fetches a label from the carrier, to print it.
    #[oai(path = "/parcels/:id/label", method = "get", operation_id = "get_label")]
    async fn label(&self, officer: Officer, id: Path<ParcelId>) -> Result<LabelAnswer, ProblemOf<LabelError>> {
        let label = self.0.casework.officers().label(&at_work(&officer)?, id.0).await?;
        Ok(LabelAnswer::Ok(label.try_into()?, SANDBOX.to_owned()))
    }

    /// 取消寄递 · Cancel a parcel
    ///
    /// Asks the carrier to cancel a parcel that it has not picked up yet. The state of the parcel shows the outcome.
    #[oai(path = "/parcels/:id/cancellation", method = "post", operation_id = "cancel_parcel")]
    async fn cancel(&self, officer: Officer, id: Path<ParcelId>) -> Result<CancelAnswer, Problem> {
        self.0.casework.officers().cancel_parcel(&at_work(&officer)?, id.0).await?;
        Ok(CancelAnswer::Accepted)
    }
}

impl Brings for LabelError {
    const CODES: &'static [Code] = &[Code::ParcelWrongState, Code::GatewayFailed];
}

/// Converts the carrier's reason for not providing a label into the problem that the officer gets.
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

/// A label to print, in the carrier's format.
#[derive(ResponseContent)]
enum LabelFile {
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
    #[oai(content_type = "image/png")]
    Png(Binary<Vec<u8>>),
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

/// 办件寄递。 The parcels of a case.
#[derive(Debug, Object)]
struct CaseParcels {
    /// The parcels of the case, in the order in which they were requested.
    data: Vec<ParcelBody>,
}

#[derive(ApiResponse)]
enum LabelAnswer {
    /// 面单 · The label. It contains a name, an address and a phone number.
    #[oai(status = 200)]
    Ok(LabelFile, #[oai(header = "Content-Security-Policy")] String),
}

#[derive(ApiResponse)]
enum CancelAnswer {
    /// 已受理 · The carrier will be asked to cancel the parcel
    #[oai(status = 202)]
    Accepted,
}

impl From<LabelError> for Problem {
    fn from(error: LabelError) -> Self {
        match error {
            LabelError::NotFound => Self::new(Code::NotFound),
            LabelError::NoWaybill(state) => parcel_is(state),
            LabelError::NoCarrier => Self::new(Code::NotOffered),
            LabelError::Carrier(fault) => label_problem(fault),
            LabelError::Store(error) => error.into(),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::new(Code::NotFound),
            CancelError::WrongState(state) => parcel_is(state),
            CancelError::Store(error) => error.into(),
        }
    }
}
