//! The catalogue of items, for all callers. It is read far more often than it is published, so every response is
//! encoded once per publication and sent from memory.

mod examples;
mod form_view;
mod place_view;
mod shelf;
mod view;

use std::cmp::Reverse;
use std::sync::{Arc, PoisonError, RwLock};

use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::api::edge::{Anyone, Code, Cursors, Page, Problem, clamp};
use crate::api::mobile::tag::MobileTag;
use crate::api::shared::preencoded::Preencoded;
use crate::catalog::{self, Catalog, Filter};
use crate::domain::item::{AgencyCode, ItemCode, Level, Mode, Subject};

use place_view::{HallList, RegionTree};
use shelf::Shelf;
use view::{AgencyList, CatalogueView, ItemGuide, ItemSummary, TopicList};

const LIST: &str = "list_items";

pub struct ItemsApi {
    catalog: Catalog,
    cursors: Cursors,
    shelf: RwLock<Arc<Shelf>>,
}

impl ItemsApi {
    pub fn new(catalog: Catalog, cursors: Cursors) -> Self {
        let shelf = RwLock::new(Arc::new(Shelf::new(catalog.current())));
        Self { catalog, cursors, shelf }
    }

    /// Returns the encoded responses for the current publication of the catalogue. Encodes them first if the
    /// publication is new.
    fn shelf(&self) -> Arc<Shelf> {
        let current = self.catalog.current();
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner).clone();
        if Arc::ptr_eq(&shelf.snapshot, &current) {
            return shelf;
        }
        let shelf = Arc::new(Shelf::new(current));
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = shelf.clone();
        shelf
    }
}

#[OpenApi(prefix_path = "/v1", tag = "MobileTag::Items")]
impl ItemsApi {
    /// 查询事项 · Find items
    ///
    /// Without `q` the items are sorted by code. With `q` (Chinese or English words) the best matches come first.
    #[oai(path = "/items", method = "get", operation_id = "list_items")]
    #[expect(clippy::too_many_arguments, reason = "one argument for each query parameter")]
    async fn list_items(
        &self,
        _anyone: Anyone,
        /// Search words: 补领驾驶证.
        #[oai(validator(max_length = 100))]
        Query(q): Query<Option<String>>,
        /// Only items that can be handled in this mode.
        Query(mode): Query<Option<Mode>>,
        /// Only items for this kind of applicant.
        Query(subject): Query<Option<Subject>>,
        /// Only items whose cases this agency decides.
        #[oai(validator(max_length = 60))]
        Query(agency): Query<Option<String>>,
        /// Only items whose deciding agency has this level.
        Query(level): Query<Option<Level>>,
        /// Only items under this topic.
        #[oai(validator(max_length = 60))]
        Query(topic): Query<Option<String>>,
        /// Rows per page: 20 by default, 100 at most.
        Query(limit): Query<Option<u32>>,
        /// `next_cursor` of the previous page.
        Query(cursor): Query<Option<String>>,
    ) -> Result<Preencoded<Page<ItemSummary>>, Problem> {
        let asked = serde_json::json!([q, mode, subject, agency, level, topic]);
        let filter = Filter {
            query: q.as_deref().filter(|q| !q.trim().is_empty()).map(catalog::Query::new),
            mode,
            subject,
            agency: agency.map(AgencyCode::new),
            level,
            topic,
        };
        let shelf = self.shelf();
        let items = shelf.snapshot.items();
        let position = |(score, at): (u32, usize)| (Reverse(score), items[at].item.code.as_str());

        let after: Option<(u32, String)> = self.cursors.read(LIST, &asked, cursor.as_deref())?;
        let found = shelf.snapshot.find(&filter).into_iter();
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

    /// 办事指南 · Show an item
    ///
    /// The whole guide: legal basis, conditions, materials, periods, stages, fee, delivery, contacts, form.
    #[oai(path = "/items/:code", method = "get", operation_id = "get_item")]
    async fn get_item(
        &self,
        _anyone: Anyone,
        /// The item's code: JT-0045.
        #[oai(validator(max_length = 50))]
        Path(code): Path<String>,
    ) -> Result<Preencoded<ItemGuide>, Problem> {
        self.shelf().guide(&ItemCode::new(code)).cloned().ok_or(Problem::new(Code::NotFound))
    }

    /// 目录概况 · Show the catalogue
    ///
    /// The revision of the catalogue, and how many items it has.
    #[oai(path = "/catalogue", method = "get", operation_id = "get_catalogue")]
    async fn get_catalogue(&self, _anyone: Anyone) -> Result<Preencoded<CatalogueView>, Problem> {
        Ok(self.shelf().catalogue.clone())
    }

    /// 部门列表 · List agencies
    #[oai(path = "/agencies", method = "get", operation_id = "list_agencies")]
    async fn list_agencies(&self, _anyone: Anyone) -> Result<Preencoded<AgencyList>, Problem> {
        Ok(self.shelf().agencies.clone())
    }

    /// 主题列表 · List topics
    ///
    /// The topics that items are filed under.
    #[oai(path = "/topics", method = "get", operation_id = "list_topics")]
    async fn list_topics(&self, _anyone: Anyone) -> Result<Preencoded<TopicList>, Problem> {
        Ok(self.shelf().topics.clone())
    }

    /// 行政区划 · List regions
    ///
    /// The administrative divisions that can be chosen in addresses and forms.
    #[oai(path = "/regions", method = "get", operation_id = "list_regions")]
    async fn list_regions(&self, _anyone: Anyone) -> Result<Preencoded<RegionTree>, Problem> {
        Ok(self.shelf().regions.clone())
    }

    /// 大厅列表 · List halls
    #[oai(path = "/halls", method = "get", operation_id = "list_halls")]
    async fn list_halls(&self, _anyone: Anyone) -> Result<Preencoded<HallList>, Problem> {
        Ok(self.shelf().halls.clone())
    }
}

#[cfg(test)]
mod tests;
