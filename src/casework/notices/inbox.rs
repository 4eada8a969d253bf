//! The inbox: every notification, from the moment of its cause, whatever happens to the channels.

use crate::casework::Casework;
use crate::domain::kernel::ids::{NotificationId, PersonId};
use crate::store::StoreError;
use crate::store::notifications::{self, Received};

/// The notifications of applicants.
#[derive(Clone, Copy)]
pub struct Inbox<'a>(&'a Casework);

impl Casework {
    pub const fn inbox(&self) -> Inbox<'_> {
        Inbox(self)
    }
}

impl Inbox<'_> {
    /// A person's notifications, the newest first, before a place in the list.
    pub async fn list(
        self,
        person: PersonId,
        unread_only: bool,
        before: Option<NotificationId>,
        limit: i64,
    ) -> Result<Vec<Received>, StoreError> {
        notifications::inbox(&mut *self.0.store().connection().await?, person, unread_only, before, limit).await
    }

    /// The number of unread notifications of a person, counted up to a hundred: a badge shows no more.
    pub async fn unread(self, person: PersonId) -> Result<i64, StoreError> {
        const A_BADGE_SHOWS: i64 = 100;
        notifications::unread(&mut *self.0.store().connection().await?, person, A_BADGE_SHOWS).await
    }

    /// Marks a notification of a person, or all up to it, as read; returns false if there is no such notification.
    pub async fn mark_read(self, person: PersonId, id: NotificationId, and_older: bool) -> Result<bool, StoreError> {
        let now = self.0.now();
        notifications::mark_read(&mut *self.0.store().connection().await?, person, id, and_older, now).await
    }
}
