//! Drafts (草稿): applications that a person is filling in, on any of their devices.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::application_view::{
    DeliveryChoiceBody, FormBody, HandedInBody, application, form_body, form_example, materials_body,
};
use super::tag::MobileTag;
use crate::api::edge::answers::etag::etag;
use crate::api::edge::answers::problem::FieldErrorBody;
use crate::api::edge::{
    Body, Code, CreateOrMatch, Done, EXAMPLE, Page, Person, Problem, Shown, clamp, current_request, example,
};
use crate::api::services::Services;
use crate::casework::cases::drafts::ValidatedDraft;
use crate::casework::cases::drafts::save::{Expect, NewDraft, SaveDraftError};
use crate::casework::frame::powers::NotOpen;
use crate::casework::read_models::Draft;
use crate::domain::application::{DraftContent, KEPT};
use crate::domain::item::ItemCode;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, DraftId};

pub struct Drafts(pub Services);

const LIST: &str = "list_drafts";

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Drafts")]
impl Drafts {
    /// 草稿列表 · List drafts
    ///
    /// Lists the drafts that are not submitted yet. The last changed draft comes first.
    #[oai(path = "/drafts", method = "get", operation_id = "list_drafts")]
    async fn list(
        &self,
        person: Person,
        cursor: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<DraftSummary>>, Problem> {
        let limit = clamp(limit.0);
        let after = self.0.cursors.read(LIST, &person.id, cursor.0.as_deref())?;
        let rows = self.0.casework.drafts().list(person.id, after, limit as i64 + 1).await?;
        let position = |row: &Draft| (row.updated_at, row.id);
        Ok(Json(self.0.cursors.page(LIST, &person.id, rows, limit, position, |row| (&row).into())?))
    }

    /// 查看草稿 · Show a draft
    ///
    /// `faults` lists the errors that prevent its submission.
    #[oai(path = "/drafts/:id", method = "get", operation_id = "get_draft")]
    async fn get(&self, person: Person, id: Path<DraftId>) -> Result<Shown<DraftBody>, Problem> {
        let validated = self.0.casework.drafts().find(person.id, id.0).await?.ok_or(Code::NotFound)?;
        Ok(Shown { version: validated.draft.version, body: DraftBody::from(validated) })
    }

    /// 保存草稿 · Save a draft
    ///
    /// Creates a draft (`If-None-Match: *`) under an id that the client generated, or replaces its content
    /// (`If-Match`).
    ///
    /// The draft can be incomplete. `faults` lists the errors that prevent its submission.
    #[oai(path = "/drafts/:id", method = "put", operation_id = "put_draft")]
    async fn put(
        &self,
        person: Person,
        id: Path<DraftId>,
        if_match: CreateOrMatch,
        body: Body<DraftContentBody>,
    ) -> Result<DraftSaved, Problem> {
        let new = body.into_inner().named(id.0)?;
        let saved = self.0.casework.drafts().save(&person.acting(), new, if_match.into()).await?;
        Ok(DraftSaved::of(saved, if_match))
    }

    /// 删除草稿 · Delete a draft
    #[oai(path = "/drafts/:id", method = "delete", operation_id = "delete_draft")]
    async fn delete(&self, person: Person, id: Path<DraftId>) -> Result<Done, Problem> {
        Done::if_found(self.0.casework.drafts().discard(&person.acting(), id.0).await?)
    }
}

/// 草稿内容。 The content of a draft.
#[derive(Object)]
#[oai(rename = "DraftContent", deny_unknown_fields, example, skip_serializing_if_is_none)]
struct DraftContentBody {
    #[oai(validator(max_length = 100))]
    item_code: String,
    /// The entries in the item's form so far.
    form: FormBody,
    /// The uploaded files, by material.
    #[oai(validator(max_items = 50))]
    materials: Vec<HandedInBody>,
    /// The way of delivery; absent until it is chosen.
    delivery: Option<DeliveryChoiceBody>,
}

impl DraftContentBody {
    fn named(self, id: DraftId) -> Result<NewDraft, Problem> {
        let content = DraftContent {
            application: application(self.form, self.materials),
            delivery: self.delivery.map(TryInto::try_into).transpose()?,
        };
        Ok(NewDraft { id, item: ItemCode::new(self.item_code), content })
    }
}

impl From<CreateOrMatch> for Expect {
    fn from(condition: CreateOrMatch) -> Self {
        match condition {
            CreateOrMatch::Create => Self::Nothing,
            CreateOrMatch::Match(seen) => Self::Version(seen.version),
        }
    }
}

/// 草稿。 A draft.
#[derive(Object)]
#[oai(rename = "Draft", example, skip_serializing_if_is_none)]
struct DraftBody {
    id: DraftId,
    item_code: String,
    /// The version of the item at the time when the draft was last saved.
    item_version: i32,
    /// The entries in the item's form so far.
    form: FormBody,
    /// The uploaded files, by material.
    materials: Vec<HandedInBody>,
    delivery: Option<DeliveryChoiceBody>,
    /// The errors that prevent the submission of this draft now, in the reader's language. The pointers point into this
    /// draft.
    faults: Vec<FieldErrorBody>,
    /// The case that the draft became; absent until the draft is submitted.
    submitted_as: Option<CaseId>,
    updated_at: Instant,
    /// When the draft is deleted, unless it is changed before.
    kept_until: Instant,
    /// The version of the draft, also in the `ETag`. It starts at 1 and grows with every change.
    version: i64,
}

impl From<ValidatedDraft> for DraftBody {
    fn from(ValidatedDraft { draft, faults }: ValidatedDraft) -> Self {
        let language = current_request().language;
        let application = &draft.content.application;
        Self {
            id: draft.id,
            item_code: draft.item.to_string(),
            item_version: draft.item_version,
            form: form_body(application),
            materials: materials_body(application),
            delivery: draft.content.delivery.as_ref().map(Into::into),
            faults: faults.into_iter().map(|fault| FieldErrorBody::of(&fault.into(), language)).collect(),
            submitted_as: draft.submitted_as,
            updated_at: draft.updated_at,
            kept_until: draft.updated_at + KEPT,
            version: draft.version,
        }
    }
}

/// 草稿摘要。 A draft in a list.
#[derive(Object)]
#[oai(example)]
struct DraftSummary {
    id: DraftId,
    item_code: String,
    updated_at: Instant,
    /// When the draft is deleted, unless it is changed before.
    kept_until: Instant,
    /// The version of the draft. It starts at 1 and grows with every change.
    version: i64,
}

impl From<&Draft> for DraftSummary {
    fn from(draft: &Draft) -> Self {
        let Draft { id, item, updated_at, version, .. } = draft;
        let kept_until = *updated_at + KEPT;
        Self { id: *id, item_code: item.to_string(), updated_at: *updated_at, kept_until, version: *version }
    }
}

#[derive(ApiResponse)]
enum DraftSaved {
    /// 已保存 · Saved
    #[oai(status = 200)]
    Saved(Json<DraftBody>, #[oai(header = "ETag")] String),
    /// 已创建 · Created
    #[oai(status = 201)]
    Created(Json<DraftBody>, #[oai(header = "ETag")] String, #[oai(header = "Location")] String),
}

impl DraftSaved {
    fn of(validated: ValidatedDraft, condition: CreateOrMatch) -> Self {
        let tag = etag(validated.draft.version);
        let location = format!("/v1/drafts/{}", validated.draft.id);
        match condition {
            CreateOrMatch::Create => Self::Created(Json(validated.into()), tag, location),
            CreateOrMatch::Match(_) => Self::Saved(Json(validated.into()), tag),
        }
    }
}

impl From<NotOpen> for Problem {
    fn from(refusal: NotOpen) -> Self {
        match refusal {
            NotOpen::NotPublished => Self::new(Code::ItemNotPublished),
            NotOpen::NotOnThePhone => Self::new(Code::ItemNotOnThePhone),
        }
    }
}

impl From<SaveDraftError> for Problem {
    fn from(error: SaveDraftError) -> Self {
        match error {
            SaveDraftError::NotOpen(refusal) => refusal.into(),
            SaveDraftError::Exists | SaveDraftError::Stale => Self::new(Code::VersionStale),
            SaveDraftError::NotFound => Self::new(Code::NotFound),
            SaveDraftError::Submitted(case) => submitted_as(case),
            SaveDraftError::TooMany => Self::new(Code::TooManyDrafts),
            SaveDraftError::Store(error) => error.into(),
        }
    }
}

/// Creates the problem for a draft that has become a case.
pub(super) fn submitted_as(case: CaseId) -> Problem {
    Problem::new(Code::DraftSubmitted).detail(format!("办件 {case}"), format!("The draft became the case {case}"))
}

example!(DraftContentBody {
    item_code: "JT-0045".to_owned(),
    form: form_example(),
    materials: vec![HandedInBody::example()],
    delivery: Some(DeliveryChoiceBody::example()),
});

impl Example for DraftBody {
    fn example() -> Self {
        let DraftContentBody { item_code, form, materials, delivery } = DraftContentBody::example();
        Self {
            id: DraftId::from_uuid(EXAMPLE),
            item_code,
            item_version: 1,
            form,
            materials,
            delivery,
            faults: Vec::new(),
            submitted_as: None,
            updated_at: Instant::default(),
            kept_until: Instant::default() + KEPT,
            version: 2,
        }
    }
}

impl Example for DraftSummary {
    fn example() -> Self {
        let DraftBody { id, item_code, updated_at, kept_until, version, .. } = DraftBody::example();
        Self { id, item_code, updated_at, kept_until, version }
    }
}
