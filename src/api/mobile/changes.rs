//! Tells clients when a person's cases, notifications or parcels change. Mini-programs use the long-poll, all other
//! clients use Server-Sent Events. Both read the same log of changes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use poem::web::sse::Event;
use poem_openapi::param::{Header, Query};
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON;
use poem_openapi::{Object, OpenApi};

use super::tag::MobileTag;
use crate::api::edge::answers::event_stream::EventStream;
use crate::api::edge::{Cursors, Person, Problem, example};
use crate::api::services::Services;
use crate::casework::notices::live::Stream;
use crate::casework::notices::log::LogPage;
use crate::casework::read_models::Change;
use crate::domain::kernel::clock::Instant;
use crate::domain::kernel::ids::PersonId;
use crate::metrics::live::LiveClient;

pub struct Changes(pub Services);

/// The maximum wait of a long-poll, in seconds. It must be less than the minute after which a request of a mini-program
/// times out.
const LONGEST_WAIT: u64 = 25;
/// The maximum number of changes that one query reads from the log.
const AT_ONCE: i64 = 100;
const LIST: &str = "list_changes";

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Changes")]
impl Changes {
    /// 变化列表 · List changes
    ///
    /// Lists the changes after a cursor, and waits if there are none. Without a cursor, the response comes at once and
    /// contains the current cursor. If nothing changes within `wait` seconds, `data` is empty.
    #[oai(path = "/changes", method = "get", operation_id = "list_changes")]
    async fn list(
        &self,
        person: Person,
        cursor: Query<Option<String>>,
        /// Seconds to wait for a change, 25 at most.
        wait: Query<Option<u64>>,
    ) -> Result<Json<ChangePage>, Problem> {
        let since: Option<i64> = self.0.cursors.read(LIST, &person.id, cursor.0.as_deref())?;
        let Some(since) = since else {
            let now = self.0.casework.changes().latest(person.id).await?;
            return Ok(Json(self.page(person.id, now, Vec::new())?));
        };
        let wait = Duration::from_secs(wait.0.unwrap_or(0).min(LONGEST_WAIT));
        let page = LogPage { person: person.id, after: since, limit: AT_ONCE };
        let waited = self.0.casework.changes().wait(&self.0.live, page, wait);
        // When the process stops, the wait ends without changes.
        let found = self.0.stop.run_until_cancelled(waited).await.unwrap_or(Ok(Vec::new()))?;
        Ok(Json(self.page(person.id, since, found)?))
    }

    /// 变化推送 · Stream changes
    ///
    /// The stream lasts until the access token expires, or until the first change after a sign-out. With `Last-Event-ID`
    /// and a new token, the next stream continues where the last one ended. A person can have eight open streams on each
    /// server process; a ninth one on the same process ends the oldest.
    #[oai(path = "/events", method = "get", operation_id = "stream_events")]
    async fn events(
        &self,
        person: Person,
        #[oai(name = "Last-Event-ID")] last: Header<Option<String>>,
    ) -> Result<EventStream<ChangeBody>, Problem> {
        let since = match self.0.cursors.read(LIST, &person.id, last.0.as_deref())? {
            Some(since) => since,
            None => self.0.casework.changes().latest(person.id).await?,
        };
        let lasts = (person.until - self.0.casework.now()).to_std().unwrap_or_default();
        let held = self.0.live.open(person.id, lasts);
        let ended_sessions = self.0.people.ended_sessions.clone();
        let is_signed_in = move |_: &ChangeBody| std::future::ready(!ended_sessions.contains(person.session));
        let changes = self.stream(person.id, held, since).take_while(is_signed_in);
        let changes = changes.take_until(self.0.stop.clone().cancelled_owned());
        Ok(EventStream::new(changes.map(|change| {
            let text = change.to_json_string();
            Event::message(text).event_type(change.kind).id(change.cursor)
        })))
    }
}

impl Changes {
    fn page(&self, person: PersonId, since: i64, found: Vec<Change>) -> Result<ChangePage, Problem> {
        let cursors = &self.0.cursors;
        let last = found.last().map_or(since, |change| change.seq);
        let has_more = i64::try_from(found.len()) == Ok(AT_ONCE);
        let data: Result<_, Problem> = found.iter().map(|change| show(cursors, person, change)).collect();
        Ok(ChangePage { data: data?, has_more, next_cursor: cursors.write(LIST, &person, &last)? })
    }

    fn stream(
        &self,
        person: PersonId,
        held: Stream,
        since: i64,
    ) -> impl futures_util::Stream<Item = ChangeBody> + Send + 'static {
        let open = (self.0.casework.clone(), self.0.cursors.clone(), held, LiveClient::connect(), since);
        stream::unfold(open, move |(casework, cursors, held, client, since)| async move {
            // If the database is unavailable, the stream ends. The client then opens a new stream with the id of its
            // last event.
            let found = casework.changes().next(&held, since, AT_ONCE).await.ok()?;
            let last = found.last()?.seq;
            let shown: Option<Vec<_>> = found.iter().map(|change| show(&cursors, person, change).ok()).collect();
            Some((stream::iter(shown?), (casework, cursors, held, client, last)))
        })
        .flatten()
    }
}

fn show(cursors: &Cursors, person: PersonId, change: &Change) -> Result<ChangeBody, Problem> {
    Ok(ChangeBody {
        kind: change.kind.clone(),
        id: change.subject.clone(),
        at: change.at,
        cursor: cursors.write(LIST, &person, &change.seq)?,
    })
}

/// 变化。 A resource that has changed. Read it again to see the change.
#[derive(Debug, Object)]
#[oai(rename = "Change", example)]
struct ChangeBody {
    /// The kind of resource: `case`, `notification`, `parcel`, `draft`. It is `all` if the cursor is older than the log,
    /// which goes back ninety days: read everything again. Later releases can add values.
    kind: String,
    /// The id of the resource; empty if the kind is `all`.
    id: String,
    at: Instant,
    /// The cursor for the changes after this one.
    cursor: String,
}

example!(ChangeBody {
    kind: "case".to_owned(),
    id: "case_01J00000000000000000000000".to_owned(),
    at: Instant::default(),
    cursor: "AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
});

/// 变化列表。 Changes since a cursor.
#[derive(Debug, Object)]
#[oai(example)]
struct ChangePage {
    /// The changes, oldest first.
    data: Vec<ChangeBody>,
    /// True if the page is full, so that more changes are probably available now.
    has_more: bool,
    /// The cursor for the next request.
    next_cursor: String,
}

example!(ChangePage { data: vec![ChangeBody::example()], has_more: false, next_cursor: ChangeBody::example().cursor });
