//! What can be applied for: the catalogue, open to everybody. This is the most-read part of all, so every answer is
//! encoded once for each publication and sent from memory.

mod examples;
mod form_view;
mod place_view;
mod shelf;
mod view;

use std::cmp::Reverse;
use std::sync::{Arc, PoisonError, RwLock};

use poem_openapi::param::{Path, Query};
use poem_openapi::{OpenApi, Tags};

use crate::api::edge::answers::code::Code;
use crate::api::edge::answers::problem::Problem;
use crate::api::edge::parameters::paging::{Cursors, Page, clamp};
use crate::api::shared::preencoded::Preencoded;
use crate::catalog::{self, Catalog, Filter};
use crate::domain::item::{AgencyCode, ItemCode};

use place_view::{HallList, RegionTree};
use shelf::Shelf;
use view::{AgencyList, CatalogueView, ItemGuide, ItemSummary, Level, Mode, Subject, TopicList};

/// The name of the list that its cursors are bound to.
const LIST: &str = "list_items";

#[derive(Tags)]
enum Tag {
    /// 事项目录。 What can be applied for.
    Items,
}

/// The operations.
pub struct ItemsApi {
    catalog: Catalog,
    cursors: Cursors,
    shelf: RwLock<Arc<Shelf>>,
}

impl ItemsApi {
    /// Encodes the publication of the moment.
    #[must_use]
    pub fn new(catalog: Catalog, cursors: Cursors) -> Self {
        let shelf = RwLock::new(Arc::new(Shelf::new(catalog.current())));
        Self { catalog, cursors, shelf }
    }

    /// The answers about the publication of the moment, encoded anew if there is a newer one.
    fn shelf(&self) -> Arc<Shelf> {
        let current = self.catalog.current();
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone();
        if Arc::ptr_eq(shelf.snapshot(), &current) {
            return shelf;
        }
        let shelf = Arc::new(Shelf::new(current));
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = shelf.clone();
        shelf
    }
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Items")]
impl ItemsApi {
    /// 查询事项。 Finds items.
    ///
    /// Without words all items come by code; with words (`q`, Chinese or English) the best answers come first.
    #[oai(path = "/items", method = "get", operation_id = "list_items")]
    #[expect(clippy::too_many_arguments, reason = "one argument for each query parameter")]
    async fn list_items(
        &self,
        /// Words to look for: 补领驾驶证.
        #[oai(validator(max_length = 100))]
        Query(q): Query<Option<String>>,
        /// Only items that can be handled in this way.
        Query(mode): Query<Option<Mode>>,
        /// Only items that these may apply for.
        Query(subject): Query<Option<Subject>>,
        /// Only items of this agency.
        #[oai(validator(max_length = 60))]
        Query(agency): Query<Option<String>>,
        /// Only items of this level.
        Query(level): Query<Option<Level>>,
        /// Only items under this topic.
        #[oai(validator(max_length = 60))]
        Query(topic): Query<Option<String>>,
        /// How many at most (20 if absent, 100 at most).
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the page before.
        Query(cursor): Query<Option<String>>,
    ) -> Result<Preencoded<Page<ItemSummary>>, Problem> {
        let asked = serde_json::json!([q, mode.map(word), subject.map(word), agency, level.map(word), topic]);
        let filter = Filter {
            query: q.as_deref().filter(|q| !q.trim().is_empty()).map(catalog::Query::new),
            mode: mode.map(Into::into),
            subject: subject.map(Into::into),
            agency: agency.map(AgencyCode::new),
            level: level.map(Into::into),
            topic,
        };
        let shelf = self.shelf();
        let items = shelf.snapshot().items();
        let position = |(score, at): (u32, usize)| (Reverse(score), items[at].item.code.as_str());

        let after: Option<(u32, String)> = self.cursors.read(LIST, &asked, cursor.as_deref())?;
        let found = shelf.snapshot().find(&filter).into_iter();
        let beyond = |hit: &(u32, usize)| {
            after.as_ref().is_none_or(|(score, code)| position(*hit) > (Reverse(*score), code.as_str()))
        };
        let limit = clamp(limit);
        let mut hits: Vec<(u32, usize)> = found.filter(beyond).take(limit + 1).collect();
        let has_more = hits.len() > limit;
        hits.truncate(limit);
        let last = hits.last().filter(|_| has_more).map(|hit| (hit.0, position(*hit).1));
        let next = last.map(|last| self.cursors.write(LIST, &asked, &last)).transpose()?;
        let places: Vec<usize> = hits.into_iter().map(|(_, at)| at).collect();
        Ok(shelf.page(&places, next.as_deref()))
    }

    /// 办事指南。 Shows an item whole: basis, conditions, materials, periods, stages, fee, delivery, whom to ask, form.
    #[oai(path = "/items/:code", method = "get", operation_id = "get_item")]
    async fn get_item(
        &self,
        /// The item's code: JT-0045.
        #[oai(validator(max_length = 50))]
        Path(code): Path<String>,
    ) -> Result<Preencoded<ItemGuide>, Problem> {
        self.shelf().guide(&ItemCode::new(code)).cloned().ok_or(Problem::new(Code::NotFound))
    }

    /// 目录概况。 Shows the catalogue's revision and its counts.
    #[oai(path = "/catalogue", method = "get", operation_id = "get_catalogue")]
    async fn get_catalogue(&self) -> Result<Preencoded<CatalogueView>, Problem> {
        Ok(self.shelf().catalogue.clone())
    }

    /// 部门列表。 Lists the agencies.
    #[oai(path = "/agencies", method = "get", operation_id = "list_agencies")]
    async fn list_agencies(&self) -> Result<Preencoded<AgencyList>, Problem> {
        Ok(self.shelf().agencies.clone())
    }

    /// 主题列表。 Lists the topics that items stand under.
    #[oai(path = "/topics", method = "get", operation_id = "list_topics")]
    async fn list_topics(&self) -> Result<Preencoded<TopicList>, Problem> {
        Ok(self.shelf().topics.clone())
    }

    /// 行政区划。 Shows the divisions that addresses and forms may name.
    #[oai(path = "/regions", method = "get", operation_id = "list_regions")]
    async fn list_regions(&self) -> Result<Preencoded<RegionTree>, Problem> {
        Ok(self.shelf().regions.clone())
    }

    /// 大厅列表。 Lists the halls.
    #[oai(path = "/halls", method = "get", operation_id = "list_halls")]
    async fn list_halls(&self) -> Result<Preencoded<HallList>, Problem> {
        Ok(self.shelf().halls.clone())
    }
}

/// An enum's word, as a query parameter holds it.
fn word<T: poem_openapi::types::ToJSON>(value: T) -> Option<serde_json::Value> {
    value.to_json()
}

#[cfg(test)]
mod tests;
