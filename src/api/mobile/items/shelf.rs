//! All responses for one publication of the catalogue, encoded once. A page of items is composed of encoded items.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use poem_openapi::types::ToJSON;

use super::place_view::{HallList, RegionTree};
use super::view::{AgencyList, CatalogueView, ItemGuide, ItemSummary, TopicList};
use crate::api::edge::Page;
use crate::api::shared::preencoded::Preencoded;
use crate::catalog::Snapshot;
use crate::domain::item::ItemCode;

pub struct Shelf {
    pub(super) snapshot: Arc<Snapshot>,
    summaries: Vec<Bytes>,
    guides: Vec<Preencoded<ItemGuide>>,
    pub(super) catalogue: Preencoded<CatalogueView>,
    pub(super) agencies: Preencoded<AgencyList>,
    pub(super) regions: Preencoded<RegionTree>,
    pub(super) halls: Preencoded<HallList>,
    pub(super) topics: Preencoded<TopicList>,
}

impl Shelf {
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        let items = snapshot.items();
        Self {
            summaries: items.iter().map(|it| ItemSummary::of(it, &snapshot).to_json_string().into()).collect(),
            guides: items.iter().map(|it| ItemGuide::of(it, &snapshot).into()).collect(),
            catalogue: CatalogueView::of(&snapshot).into(),
            agencies: AgencyList::of(&snapshot).into(),
            regions: RegionTree::of(&snapshot).into(),
            halls: HallList::of(&snapshot).into(),
            topics: TopicList::of(&snapshot).into(),
            snapshot,
        }
    }

    pub fn guide(&self, code: &ItemCode) -> Option<&Preencoded<ItemGuide>> {
        let at = self.snapshot.items().binary_search_by(|version| version.item.code.cmp(code)).ok()?;
        self.guides.get(at)
    }

    /// Joins the encoded items at these indices into a page.
    pub fn page(&self, places: &[usize], next_cursor: Option<&str>) -> Preencoded<Page<ItemSummary>> {
        let mut body = BytesMut::with_capacity(128 + places.len() * 512);
        body.put_slice(b"{\"data\":[");
        for (at, summary) in places.iter().filter_map(|place| self.summaries.get(*place)).enumerate() {
            if at > 0 {
                body.put_u8(b',');
            }
            body.put_slice(summary);
        }
        body.put_slice(b"],\"has_more\":");
        body.put_slice(next_cursor.is_some().to_json_string().as_bytes());
        if let Some(cursor) = next_cursor {
            body.put_slice(b",\"next_cursor\":");
            body.put_slice(cursor.to_json_string().as_bytes());
        }
        body.put_u8(b'}');
        Preencoded::new(body)
    }
}
