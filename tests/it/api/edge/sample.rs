//! A sample API in memory, with an operation of every kind.

use std::sync::Mutex;

use poem::test::TestClient;
use poem::{Endpoint, Response, Route};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi, OpenApiService, Tags};
use serde_json::Value;
use songda::api::edge::answers::code::Code;
use songda::api::edge::answers::problem::Problem;
use songda::api::edge::answers::resource::{Created, Shown};
use songda::api::edge::answers::stored::Answered;
use songda::api::edge::openapi::document::{self, About};
use songda::api::edge::parameters::body::Body;
use songda::api::edge::parameters::conditions::{CreateOrMatch, IfMatch};
use songda::api::edge::parameters::idempotency::IdempotencyKey;
use songda::api::edge::parameters::paging::{Cursors, Page, clamp};
use songda::api::edge::parameters::principal::{Client, Operator, Person};
use songda::api::edge::parameters::security::Anyone;
use songda::api::edge::route_table::RouteTable;
use songda::api::edge::surround::{Edge, surround};
use songda::auth::tokens::Tokens;
use songda::casework::frame::idempotency::Given;
use songda::domain::kernel::ids::DraftId;
use songda::store::KeyRing;

use super::edge;
use crate::support::settings::UNLIMITED;

#[derive(Tags)]
enum Tag {
    /// 便签 · Notes
    Notes,
}

/// A note.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct Note {
    #[oai(validator(min_length = 1, max_length = 100_000))]
    text: String,
}

impl poem_openapi::types::Example for Note {
    fn example() -> Self {
        Self { text: "Bring the licence".to_owned() }
    }
}

/// The path of the operation that panics.
pub const PANICKING: &str = "/v1/failure";
/// The version of every note.
pub const VERSION: i64 = 7;

pub struct Notes {
    text: Mutex<String>,
    cursors: Cursors,
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Notes")]
impl Notes {
    /// 便签列表 · List numbered notes
    #[oai(path = "/notes", method = "get", operation_id = "list_notes")]
    async fn list(
        &self,
        _anyone: Anyone,
        q: Query<Option<String>>,
        limit: Query<Option<u32>>,
        cursor: Query<Option<String>>,
    ) -> Result<Json<Page<Note>>, Problem> {
        let limit = clamp(limit.0);
        let after = self.cursors.read::<usize>("list_notes", &q.0, cursor.0.as_deref())?.unwrap_or(0);
        let rows = (after + 1..=5).take(limit + 1).collect();
        let show = |number| Note { text: format!("{} {number}", q.0.as_deref().unwrap_or("note")) };
        self.cursors.page("list_notes", &q.0, rows, limit, |number| *number, show).map(Json)
    }

    /// 新建便签 · Make a note
    ///
    /// A repeated request gets the first answer.
    #[oai(path = "/notes", method = "post", operation_id = "make_note")]
    async fn make(
        &self,
        person: Person,
        idempotency_key: IdempotencyKey,
        body: Body<Note>,
    ) -> Result<Answered<Created<Note>>, Problem> {
        let once = idempotency_key.once(person.id, "make_note", body.raw());
        let made = Created { body: body.into_inner(), version: VERSION, location: "/v1/notes/drf_1".to_owned() };
        Ok(Given { answer: made.into(), replayed: once.key == "again" }.into())
    }

    /// 查看便签 · Show a note
    #[oai(path = "/notes/:id", method = "get", operation_id = "show_note")]
    async fn show(&self, _anyone: Anyone, id: Path<DraftId>) -> Result<Shown<Note>, Problem> {
        let Path(_) = id;
        Ok(Shown { body: Note { text: self.text.lock().unwrap().clone() }, version: VERSION })
    }

    /// 保存便签 · Save a note
    #[oai(path = "/notes/:id", method = "put", operation_id = "put_note")]
    async fn put(
        &self,
        _person: Person,
        id: Path<DraftId>,
        if_match: CreateOrMatch,
        body: Body<Note>,
    ) -> Result<Shown<Note>, Problem> {
        let Path(_) = id;
        match if_match {
            CreateOrMatch::Match(seen) if seen.version.is_none_or(|version| version == VERSION) => {
                let note = body.into_inner();
                note.text.clone_into(&mut self.text.lock().unwrap());
                Ok(Shown { body: note, version: VERSION + 1 })
            }
            CreateOrMatch::Match(_) | CreateOrMatch::Create => Err(Code::VersionStale.into()),
        }
    }

    /// 删除便签 · Remove a note
    #[oai(path = "/notes/:id", method = "delete", operation_id = "remove_note")]
    async fn remove(&self, client: Client, id: Path<DraftId>, if_match: IfMatch) -> Result<Shown<Note>, Problem> {
        let Path(_) = id;
        let IfMatch { version: _ } = if_match;
        client.require_scope("notes:remove")?;
        Err(Code::Conflict.into())
    }

    /// 出错 · Panic
    #[oai(path = "/failure", method = "get", operation_id = "fail")]
    async fn fail(&self, _operator: Operator) -> Result<Shown<Note>, Problem> {
        panic!("a secret")
    }
}

const ABOUT: About = About { file: "notes", title: "便签 · Notes", description: "A sample" };

/// Returns the sample API's OpenAPI document.
pub fn document() -> Value {
    document::document::<Notes>(&ABOUT).unwrap()
}

pub fn server(tokens: &Tokens) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    server_with(tokens, &UNLIMITED)
}

/// Serves the sample API with some settings of the edge.
pub fn server_with(tokens: &Tokens, settings: &[(&str, &str)]) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    server_at(edge(tokens, settings))
}

/// Serves the sample API behind an edge.
pub fn server_at(edge: Edge) -> TestClient<impl Endpoint<Output = Response> + use<>> {
    TestClient::new(endpoint_at(edge))
}

/// Puts an edge around the sample API.
pub fn endpoint_at(edge: Edge) -> impl Endpoint<Output = Response> + use<> {
    let cursors = Cursors::new(KeyRing::parse(KeyRing::fresh_file().expose()).unwrap());
    let notes = Notes { text: Mutex::new("Bring the licence. ".repeat(100)), cursors };
    let route = Route::new().nest_no_strip("/v1", OpenApiService::new(notes, "Notes", "1"));
    surround(route, edge, RouteTable::default().with_operations(Notes::meta()))
}
