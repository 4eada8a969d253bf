//! The notifications of a person (消息): list, count, mark as read.

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::{Body, Brings, Code, Done, EXAMPLE, Page, Person, Problem, ProblemOf, clamp, example};
use crate::api::services::Services;
use crate::api::shared::bilingual::Bilingual;
use crate::casework::read_models::Received;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, NotificationId};

pub struct Notifications(pub Services);

const LIST: &str = "list_notifications";

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Notifications")]
impl Notifications {
    /// 消息列表 · List notifications
    ///
    /// The newest notification comes first.
    #[oai(path = "/notifications", method = "get", operation_id = "list_notifications")]
    async fn list(
        &self,
        person: Person,
        /// True to list only unread notifications.
        unread: Query<Option<bool>>,
        cursor: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Result<Json<Page<NotificationBody>>, Problem> {
        let limit = clamp(limit.0);
        let unread = unread.0.unwrap_or(false);
        let filters = (person.id, unread);
        let before = self.0.cursors.read(LIST, &filters, cursor.0.as_deref())?;
        let rows = self.0.casework.inbox().list(person.id, unread, before, limit as i64 + 1).await?;
        let page =
            self.0.cursors.page(LIST, &filters, rows, limit, |row| row.notification.id, |row| self.show(&row))?;
        Ok(Json(page))
    }

    /// 未读消息数 · Count unread notifications
    ///
    /// The count stops at a hundred.
    #[oai(path = "/notifications/unread-count", method = "get", operation_id = "count_unread")]
    async fn unread_count(&self, person: Person) -> Result<Json<Unread>, Problem> {
        let unread = self.0.casework.inbox().unread(person.id).await?;
        Ok(Json(Unread { unread }))
    }

    /// 标记已读 · Mark a notification as read
    #[oai(path = "/notifications/:id/read", method = "put", operation_id = "mark_read")]
    async fn mark_read(&self, person: Person, id: Path<NotificationId>) -> Result<Done, Problem> {
        Done::if_found(self.0.casework.inbox().mark_read(person.id, id.0, false).await?)
    }

    /// 全部标记已读 · Mark all as read
    ///
    /// Marks the notification `up_to` and all older ones as read.
    #[oai(path = "/notifications/read", method = "put", operation_id = "mark_all_read")]
    async fn mark_all_read(&self, person: Person, body: Body<UpTo>) -> Result<Done, ProblemOf<UpTo>> {
        Ok(Done::if_found(self.0.casework.inbox().mark_read(person.id, body.into_inner().up_to, true).await?)?)
    }
}

impl Notifications {
    fn show(&self, received: &Received) -> NotificationBody {
        let notification = &received.notification;
        let catalog = self.0.casework.catalog().current();
        let number = notification.case_number.as_str();
        let (title, text) = catalog.templates().inbox(notification.event, &notification.item, number);
        NotificationBody {
            id: notification.id,
            event: notification.event.as_str().to_owned(),
            title: (&title).into(),
            text: (&text).into(),
            case: notification.case,
            case_number: number.to_owned(),
            created_at: notification.created_at,
            read_at: received.read_at,
        }
    }
}

/// 消息。 A notification.
#[derive(Debug, Object)]
#[oai(rename = "Notification", example, skip_serializing_if_is_none)]
struct NotificationBody {
    id: NotificationId,
    /// The event that the notification announces: `granted`, `parcel_delivered`, … Later releases can add values.
    event: String,
    /// 标题
    title: Bilingual,
    /// 正文
    text: Bilingual,
    case: CaseId,
    /// 办件编号
    case_number: String,
    created_at: Instant,
    /// When the notification was read; absent until then.
    read_at: Option<Instant>,
}

example!(NotificationBody {
    id: NotificationId::from_uuid(EXAMPLE),
    event: "granted".to_owned(),
    title: Bilingual { zh: "办件已通过".to_owned(), en: "Your application was granted".to_owned() },
    text: Bilingual {
        zh: "您申请的居住证申领已通过。".to_owned(),
        en: "Your residence permit was granted.".to_owned(),
    },
    case: CaseId::from_uuid(EXAMPLE),
    case_number: "32041320261123000042K".to_owned(),
    created_at: Instant::default(),
    read_at: None,
});

/// 未读数。 The number of unread notifications.
#[derive(Debug, Object)]
struct Unread {
    /// The number of unread notifications; 100 means 100 or more.
    unread: i64,
}

/// 已读范围。 The notifications to mark as read.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct UpTo {
    /// The newest notification that the person has seen.
    up_to: NotificationId,
}

impl Brings for UpTo {
    const CODES: &'static [Code] = &[Code::NotFound];
}

example!(UpTo { up_to: NotificationId::from_uuid(EXAMPLE) });
