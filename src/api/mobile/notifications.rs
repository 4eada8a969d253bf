//! The inbox (消息).

use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::Example;
use poem_openapi::{ApiResponse, Object, OpenApi};

use super::tag::Tag;
use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::answers::problem_of::{Brings, ProblemOf};
use crate::api::edge::parameters::bearer::Person;
use crate::api::edge::parameters::body::Body;
use crate::api::edge::parameters::paging::{Cursors, Page, clamp};
use crate::api::edge::parameters::wire_ids::EXAMPLE;
use crate::api::shared::bilingual::Bilingual;
use crate::casework::Casework;
use crate::casework::read_models::Received;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::{CaseId, NotificationId};

/// The operations.
pub struct Notifications {
    /// The use cases.
    pub casework: Casework,
    /// Makes and reads cursors.
    pub cursors: Cursors,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Notifications")]
impl Notifications {
    /// Lists the person's notifications, the newest first.
    #[oai(path = "/notifications", method = "get", operation_id = "list_notifications")]
    async fn list(
        &self,
        person: Person,
        /// Only those not read yet.
        unread: Query<Option<bool>>,
        cursor: Query<Option<String>>,
        limit: Query<Option<u32>>,
    ) -> Result<Inbox, Problem> {
        let (limit, unread) = (clamp(limit.0), unread.0.unwrap_or(false));
        let list = ("list_notifications", &(person.id, unread));
        let before = self.cursors.read(list.0, list.1, cursor.0.as_deref())?;
        let rows = self.casework.inbox().list(person.id, unread, before, at_most(limit)).await?;
        let page = self.cursors.page(list, rows, limit, |row| row.notification.id, |row| self.show(&row))?;
        Ok(Inbox::Ok(Json(page)))
    }

    /// Counts the unread notifications, up to a hundred.
    #[oai(path = "/notifications/unread-count", method = "get", operation_id = "count_unread")]
    async fn unread_count(&self, person: Person) -> Result<UnreadAnswer, Problem> {
        let unread = self.casework.inbox().unread(person.id).await?;
        Ok(UnreadAnswer::Ok(Json(Unread { unread })))
    }

    /// Marks a notification as read.
    #[oai(path = "/notifications/:id/read", method = "put", operation_id = "mark_read")]
    async fn mark_read(&self, person: Person, id: Path<NotificationId>) -> Result<Marked, Problem> {
        let there = self.casework.inbox().mark_read(person.id, id.0, false).await?;
        if there { Ok(Marked::NoContent) } else { Err(Code::NotFound.into()) }
    }

    /// Marks a notification and all older ones as read.
    #[oai(path = "/notifications/read", method = "put", operation_id = "mark_all_read")]
    async fn mark_all_read(&self, person: Person, body: Body<UpTo>) -> Result<Marked, ProblemOf<UpTo>> {
        let there = self.casework.inbox().mark_read(person.id, body.into_inner().up_to, true).await?;
        if there { Ok(Marked::NoContent) } else { Err(Code::NotFound.into()) }
    }
}

impl Notifications {
    fn show(&self, received: &Received) -> NotificationBody {
        let notification = &received.notification;
        let catalog = self.casework.catalog().current();
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

/// One row more than shown tells whether there are more.
fn at_most(limit: usize) -> i64 {
    i64::try_from(limit + 1).unwrap_or(i64::MAX)
}

/// A notification.
#[derive(Debug, Object)]
#[oai(rename = "Notification", example, skip_serializing_if_is_none)]
struct NotificationBody {
    /// Its id.
    id: NotificationId,
    /// What it is about: `granted`, `parcel_delivered`, … More words may come.
    event: String,
    /// 标题
    title: Bilingual,
    /// 正文
    text: Bilingual,
    /// The case it is about.
    case: CaseId,
    /// 办件编号
    case_number: String,
    /// When.
    created_at: Instant,
    /// When it was read.
    read_at: Option<Instant>,
}

impl Example for NotificationBody {
    fn example() -> Self {
        Self {
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
        }
    }
}

/// How many are unread.
#[derive(Debug, Object)]
struct Unread {
    /// How many; 100 means 100 or more.
    unread: i64,
}

/// Up to where.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, example)]
struct UpTo {
    /// The newest notification that was seen.
    up_to: NotificationId,
}

impl Brings for UpTo {
    const CODES: &'static [Code] = &[Code::NotFound];
}

impl Example for UpTo {
    fn example() -> Self {
        Self { up_to: NotificationId::from_uuid(EXAMPLE) }
    }
}

#[derive(ApiResponse)]
enum Inbox {
    /// The notifications.
    #[oai(status = 200)]
    Ok(Json<Page<NotificationBody>>),
}

#[derive(ApiResponse)]
enum UnreadAnswer {
    /// The count.
    #[oai(status = 200)]
    Ok(Json<Unread>),
}

#[derive(ApiResponse)]
enum Marked {
    /// It is marked.
    #[oai(status = 204)]
    NoContent,
}
