//! A parcel as the desk reads it: in the words of its carrier, and without the recipient, whom the case names.

use chrono::NaiveDate;
use poem_openapi::types::Example;
use poem_openapi::{Enum, Object};

use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::casework::read_models::StoredParcel;
use crate::domain::delivery::parcel::{ParcelState, Scan, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId};

/// 寄递。 A parcel.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Parcel", example, skip_serializing_if_is_none)]
pub(super) struct ParcelBody {
    /// Its id.
    pub id: ParcelId,
    /// The case whose result it carries.
    pub case: CaseId,
    /// 承运商: the carrier's code.
    pub carrier: String,
    /// 运单号, as soon as the carrier gave one.
    pub waybill: Option<String>,
    /// Where it stands.
    pub state: ParcelStateWord,
    /// By when it must have arrived (行政许可法 44). Absent where the working days on the way there are not announced.
    pub serve_by: Option<NaiveDate>,
}

/// A parcel and its way.
#[derive(Debug, Clone, Object)]
#[oai(rename = "ParcelWithWay", example, skip_serializing_if_is_none)]
pub(super) struct ParcelWithWayBody {
    #[oai(flatten)]
    parcel: ParcelBody,
    /// Its way as far as it is known, oldest first.
    scans: Vec<ScanBody>,
}

/// One event of a parcel's way.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Scan")]
pub(super) struct ScanBody {
    /// When, by the carrier's clock.
    pub at: Instant,
    /// What it means.
    pub state: ScanWord,
    /// Where, in the carrier's words.
    pub place: String,
    /// What, in the carrier's words.
    pub text: String,
}

/// Where a parcel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ParcelState", rename_all = "snake_case", remote = "ParcelState")]
pub enum ParcelStateWord {
    /// 待下单
    Pending,
    /// 已下单
    Ordered,
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取
    ReadyForPickup,
    /// 异常
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// 地址被拒
    AddressRefused,
}

/// What an event of a parcel's way means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ScanState", rename_all = "snake_case", remote = "ScanMeaning")]
pub enum ScanWord {
    /// 已揽收
    PickedUp,
    /// 运输中
    InTransit,
    /// 派送中
    OutForDelivery,
    /// 待领取
    ReadyForPickup,
    /// 异常
    Exception,
    /// 已签收
    Delivered,
    /// 退回中
    Returning,
    /// 已退回
    Returned,
    /// 已取消
    Cancelled,
    /// 其他: it changes nothing.
    Unchanged,
}

impl ParcelWithWayBody {
    /// Shows a parcel and its way.
    #[must_use]
    pub fn of(stored: &StoredParcel, way: &[Scan]) -> Self {
        Self { parcel: stored.into(), scans: way.iter().map(ScanBody::from).collect() }
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
            state: parcel.state.into(),
            serve_by: stored.serve_by,
        }
    }
}

impl From<&Scan> for ScanBody {
    fn from(scan: &Scan) -> Self {
        Self {
            at: scan.occurred_at,
            state: scan.meaning.into(),
            place: scan.place.clone(),
            text: scan.text.expose().clone(),
        }
    }
}

impl Example for ParcelWithWayBody {
    fn example() -> Self {
        let scan = ScanBody {
            at: Instant::UNIX_EPOCH + chrono::TimeDelta::hours(498_840),
            state: ScanWord::PickedUp,
            place: "常州市".to_owned(),
            text: "已收寄".to_owned(),
        };
        Self { parcel: ParcelBody::example(), scans: vec![scan] }
    }
}

impl Example for ParcelBody {
    fn example() -> Self {
        Self {
            id: ParcelId::from_uuid(EXAMPLE),
            case: CaseId::from_uuid(EXAMPLE),
            carrier: "ems".to_owned(),
            waybill: Some("1200000000001".to_owned()),
            state: ParcelStateWord::PickedUp,
            serve_by: NaiveDate::from_ymd_opt(2026, 12, 8),
        }
    }
}
