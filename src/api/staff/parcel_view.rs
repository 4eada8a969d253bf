//! A parcel, as officers see it. The recipient is omitted: only the printed label shows their name, address and phone
//! number.

use chrono::NaiveDate;
use poem_openapi::Object;

use crate::api::edge::{EXAMPLE, example};
use crate::casework::read_models::StoredParcel;
use crate::domain::delivery::parcel::{ParcelState, Scan, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId};

/// 寄递。 A parcel.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Parcel", example, skip_serializing_if_is_none)]
pub(super) struct ParcelBody {
    pub id: ParcelId,
    /// The case whose result is in the parcel.
    pub case: CaseId,
    /// 承运商: the carrier's code.
    pub carrier: String,
    /// 运单号; absent until the carrier assigns one.
    pub waybill: Option<String>,
    pub state: ParcelState,
    /// The day by which the parcel must arrive (行政许可法 44). Absent if the working days until then are not announced.
    pub serve_by: Option<NaiveDate>,
}

/// 寄递详情。 A parcel with its scans.
#[derive(Debug, Clone, Object)]
#[oai(rename = "ParcelWithWay", example, skip_serializing_if_is_none)]
pub(super) struct ParcelWithWayBody {
    #[oai(flatten)]
    parcel: ParcelBody,
    /// The scans, oldest first.
    scans: Vec<ScanBody>,
}

/// 物流轨迹。 One scan of a parcel.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Scan")]
pub(super) struct ScanBody {
    /// The time, by the carrier's clock.
    pub at: Instant,
    pub state: ScanMeaning,
    /// The place, in the carrier's words.
    pub place: String,
    /// The event, in the carrier's words.
    pub text: String,
}

impl ParcelWithWayBody {
    pub fn of(stored: &StoredParcel, scans: &[Scan]) -> Self {
        let body = |scan: &Scan| ScanBody {
            at: scan.occurred_at,
            state: scan.meaning,
            place: scan.place.clone(),
            text: scan.text.expose().clone(),
        };
        Self { parcel: stored.into(), scans: scans.iter().map(body).collect() }
    }
}

impl From<&StoredParcel> for ParcelBody {
    fn from(stored: &StoredParcel) -> Self {
        let parcel = &stored.parcel;
        Self {
            id: parcel.id,
            case: parcel.case,
            carrier: parcel.carrier.to_string(),
            waybill: parcel.waybill.as_ref().map(ToString::to_string),
            state: parcel.state,
            serve_by: stored.serve_by,
        }
    }
}

example!(ParcelWithWayBody {
    parcel: ParcelBody::example(),
    scans: vec![ScanBody {
        at: Instant::UNIX_EPOCH + chrono::TimeDelta::hours(498_840), // 2026-11-28
        state: ScanMeaning::PickedUp,
        place: "常州市".to_owned(),
        text: "已收寄".to_owned(),
    }],
});

example!(ParcelBody {
    id: ParcelId::from_uuid(EXAMPLE),
    case: CaseId::from_uuid(EXAMPLE),
    carrier: "ems".to_owned(),
    waybill: Some("1200000000001".to_owned()),
    state: ParcelState::PickedUp,
    serve_by: NaiveDate::from_ymd_opt(2026, 12, 8),
});
