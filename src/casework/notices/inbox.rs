//! The inbox of an applicant. A notification is in the inbox as soon as its event is saved, even if no channel delivers
//! it.

use crate::casework::Casework;
use crate::domain::kernel::ids::{NotificationId, PersonId};
use crate::store::StoreError;
use crate::store::notifications::{self, Received};

#[derive(Clone, Copy)]
pub struct Inbox<'a>(&'a Casework);

impl Casework {
    pub const fn inbox(&self) -> Inbox<'_> {
        Inbox(self)
    }
}

impl Inbox<'_> {
    /// Lists a person's notifications, the newest first. `before` is the last notification of the previous page.
    pub async fn list(
        self,
        person: PersonId,
        unread_only: bool,
        before: Option<NotificationId>,
        limit: i64,
    ) -> Result<Vec<Received>, StoreError> {
        notifications::inbox(&mut *self.0.store().connection().await?, person, unread_only, before, limit).await
    }

    /// Counts a person's unread notifications, up to a hundred, because a badge shows no larger number.
    pub async fn unread(self, person: PersonId) -> Result<i64, StoreError> {
        notifications::unread(&mut *self.0.store().connection().await?, person, 100).await
    }

    /// Marks a notification as read; with `and_older`, also all older ones. Returns false if the person has no such
    /// notification.
    pub async fn mark_read(self, person: PersonId, id: NotificationId, and_older: bool) -> Result<bool, StoreError> {
        let now = self.0.now();
        notifications::mark_read(&mut *self.0.store().connection().await?, person, id, and_older, now).await
    }
}
