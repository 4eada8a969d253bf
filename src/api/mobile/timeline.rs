//! The progress of a case (办件进度) and its parcels, for the applicant.

use poem_openapi::param::Path;
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::{Code, EXAMPLE, Person, Problem, example};
use crate::api::shared::bilingual::Bilingual;
use crate::casework::Casework;
use crate::casework::cases::timeline::{Happened, ParcelEnd, TimelineEntry};
use crate::casework::frame::scanned_parcel::ScannedParcel;
use crate::domain::case::act::Act;
use crate::domain::delivery::parcel::{Scan, ScanMeaning};
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, ParcelId};
use crate::domain::kernel::text;

pub struct Timeline(pub Casework);

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Cases")]
impl Timeline {
    /// 办件进度 · Show the timeline of a case
    ///
    /// The acts on the case, the notifications about it, and the scans of its parcels, oldest first.
    #[oai(path = "/cases/:id/timeline", method = "get", operation_id = "get_timeline")]
    async fn timeline(&self, person: Person, id: Path<CaseId>) -> Result<Json<TimelineBody>, Problem> {
        let steps = self.0.cases().timeline(person.id, id.0).await?.ok_or(Code::NotFound)?;
        let data = steps.iter().map(|step| self.show(step)).collect();
        Ok(Json(TimelineBody { data }))
    }

    /// 寄递列表 · List the parcels of a case
    #[oai(path = "/cases/:id/parcels", method = "get", operation_id = "list_parcels")]
    async fn parcels(&self, person: Person, id: Path<CaseId>) -> Result<Json<Parcels>, Problem> {
        let found = self.0.cases().parcels(person.id, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json(Parcels { data: found.iter().map(ParcelBody::from).collect() }))
    }

    /// 查看寄递 · Show a parcel
    ///
    /// Includes the scans of the carrier.
    #[oai(path = "/parcels/:id", method = "get", operation_id = "get_parcel")]
    async fn parcel(&self, person: Person, id: Path<ParcelId>) -> Result<Json<ParcelBody>, Problem> {
        let found = self.0.cases().parcel(person.id, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Json((&found).into()))
    }
}

impl Timeline {
    fn show(&self, entry: &TimelineEntry) -> StepBody {
        let body = |kind: &str, actor: Option<String>, text: text::Bilingual| StepBody {
            at: entry.at,
            kind: kind.to_owned(),
            actor,
            channel: None,
            text: (&text).into(),
            reasons: Vec::new(),
        };
        match &entry.what {
            Happened::Act { act, actor, reasons } => {
                StepBody { reasons: reasons.clone(), ..body(act.as_str(), Some(actor.clone()), act_text(*act)) }
            }
            Happened::UnknownAct { actor } => {
                body("updated", Some(actor.clone()), text::Bilingual::new("有新进展", "Updated"))
            }
            Happened::ParcelEnded { end, carrier } => body(end_kind(*end), Some(carrier.clone()), end_text(*end)),
            Happened::Notified { event, delivered_by } => {
                let catalog = self.0.catalog().current();
                let status = catalog.templates().status(*event);
                let text =
                    text::Bilingual::new(format!("已通知：{}", status.zh), format!("You were notified: {}", status.en));
                let channel = delivered_by.as_ref().map(ToString::to_string);
                StepBody { channel, ..body("notified", None, text) }
            }
            Happened::Scanned { carrier, meaning, place } => {
                let words = scan_text(*meaning);
                let text = text::Bilingual::new(format!("{}（{place}）", words.zh), format!("{} ({place})", words.en));
                body("parcel_scanned", Some(carrier.to_string()), text)
            }
        }
    }
}

fn act_text(act: Act) -> text::Bilingual {
    let (zh, en) = match act {
        Act::Submitted => ("已提交", "Submitted"),
        Act::Accepted => ("已受理", "Accepted"),
        Act::SupplementNoticed => ("需要补正", "Something is missing"),
        Act::SupplementAnswered => ("已补正", "What was missing was handed in"),
        Act::Decided | Act::TakenOver => ("已作出决定", "Decided"),
        Act::Withdrawn => ("已撤回", "Withdrawn"),
        Act::Disclosed => ("审批人员查看了完整证件号码", "An officer looked at the full ID and phone numbers"),
        Act::UploadRead => ("审批人员查看了材料", "An officer read a file"),
        Act::FileRefused => ("有一份文件未通过检查", "A file did not pass its check"),
        Act::ParcelMoved => ("寄递有新进展", "The parcel moved"),
        Act::ParcelCancellationAsked => ("已申请取消寄递", "The parcel is being cancelled"),
        Act::DeliveryCorrected => {
            ("已更正收件地址，重新寄送", "The address was corrected, and the result is sent again")
        }
    };
    text::Bilingual::new(zh, en)
}

const fn end_kind(end: ParcelEnd) -> &'static str {
    match end {
        ParcelEnd::AddressRefused => "parcel_address_refused",
        ParcelEnd::Cancelled => "parcel_cancelled",
    }
}

fn end_text(end: ParcelEnd) -> text::Bilingual {
    let (zh, en) = match end {
        ParcelEnd::AddressRefused => ("承运商无法送达该地址", "The carrier refuses the address"),
        ParcelEnd::Cancelled => ("寄递已取消", "The parcel was cancelled"),
    };
    text::Bilingual::new(zh, en)
}

fn scan_text(meaning: ScanMeaning) -> text::Bilingual {
    let (zh, en) = match meaning {
        ScanMeaning::PickedUp => ("已揽收", "Picked up"),
        ScanMeaning::InTransit => ("运输中", "In transit"),
        ScanMeaning::OutForDelivery => ("派送中", "Out for delivery"),
        ScanMeaning::ReadyForPickup => ("待领取", "Ready for pickup"),
        ScanMeaning::Exception => ("派送异常", "A delivery attempt failed"),
        ScanMeaning::Delivered => ("已签收", "Delivered"),
        ScanMeaning::Returning => ("退回中", "On its way back"),
        ScanMeaning::Returned => ("已退回", "Returned"),
        ScanMeaning::Cancelled => ("已取消", "Cancelled"),
        ScanMeaning::Unchanged => ("物流更新", "Carrier update"),
    };
    text::Bilingual::new(zh, en)
}

/// 进度。 One step of the timeline.
#[derive(Debug, Object)]
#[oai(rename = "Step", example, skip_serializing_if_is_none, skip_serializing_if_is_empty)]
struct StepBody {
    at: Instant,
    /// The kind of step: `submitted`, `accepted`, `decided`, `notified`, `parcel_scanned`, … Later releases can add
    /// values. `updated` is an act that this release of the server does not know.
    kind: String,
    /// The actor: `person`, `officer`, `client`, `system`, or a carrier's code.
    actor: Option<String>,
    /// For `notified`: the channel that delivered the notification to the phone; absent while the notification is only
    /// in the inbox.
    channel: Option<String>,
    /// 说明
    text: Bilingual,
    /// 理由, in the actor's own words: the reasons of a decision or a withdrawal, the points of a supplement notice. For
    /// a refused file: what the applicant can do.
    #[oai(default)]
    reasons: Vec<String>,
}

example!(StepBody {
    at: Instant::default(),
    kind: "supplement_noticed".to_owned(),
    actor: Some("officer".to_owned()),
    channel: None,
    text: (&act_text(Act::SupplementNoticed)).into(),
    reasons: vec!["请补交居住证明的第二页".to_owned()],
});

/// 办件进度。 The timeline of a case.
#[derive(Debug, Object)]
struct TimelineBody {
    /// The steps, oldest first.
    data: Vec<StepBody>,
}

/// 寄递。 A parcel to the applicant.
#[derive(Debug, Object)]
#[oai(rename = "Parcel", example, skip_serializing_if_is_none)]
struct ParcelBody {
    id: ParcelId,
    /// The case whose result is in the parcel.
    case: CaseId,
    /// 承运商: `ems`, `sf`, …
    carrier: String,
    /// 运单号; absent until the carrier assigns one.
    waybill: Option<String>,
    /// `pending`, `ordered`, `picked_up`, … `delivered`. Later releases can add values.
    state: String,
    /// The scans, oldest first.
    scans: Vec<ScanBody>,
}

/// 物流轨迹。 One scan of a parcel.
#[derive(Debug, Object)]
#[oai(rename = "Scan")]
struct ScanBody {
    at: Instant,
    place: String,
    /// 说明
    text: Bilingual,
}

impl From<&ScannedParcel> for ParcelBody {
    fn from(found: &ScannedParcel) -> Self {
        let parcel = &found.stored.parcel;
        let scan = |scan: &Scan| {
            let text = (&scan_text(scan.meaning)).into();
            ScanBody { at: scan.occurred_at, place: scan.place.clone(), text }
        };
        Self {
            id: parcel.id,
            case: parcel.case,
            carrier: parcel.carrier.to_string(),
            waybill: parcel.waybill.as_ref().map(ToString::to_string),
            state: parcel.state.as_str().to_owned(),
            scans: found.scans.iter().map(scan).collect(),
        }
    }
}

example!(ParcelBody {
    id: ParcelId::from_uuid(EXAMPLE),
    case: CaseId::from_uuid(EXAMPLE),
    carrier: "ems".to_owned(),
    waybill: Some("1200000000001".to_owned()),
    state: "out_for_delivery".to_owned(),
    scans: Vec::new(),
});

/// 寄递列表。 The parcels of a case.
#[derive(Debug, Object)]
struct Parcels {
    data: Vec<ParcelBody>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_act_is_shown_to_a_resident_by_its_machine_name() {
        for act in Act::ALL {
            let text = act_text(act);
            assert!(text.zh != act.as_str() && text.en != act.as_str() && !text.zh.is_ascii(), "{act}");
        }
        let texts: BTreeSet<String> = Act::ALL.map(|act| act_text(act).zh).into();
        assert_eq!(texts.len(), Act::ALL.len() - 1, "a decision that was taken over reads like one that was made here");
    }
}
