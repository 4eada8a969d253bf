//! stub until the catalogue is merged
use crate::domain::calendar::Calendar;
use crate::domain::item::*;
use crate::domain::notification::*;
use crate::domain::text::*;
use std::sync::Arc;
/// stub
#[derive(Clone)]
pub struct Catalog;
/// stub
pub struct Snapshot;
/// stub
pub struct Templates;
#[allow(missing_docs, clippy::todo, clippy::must_use_candidate)]
impl Catalog {
    pub fn current(&self) -> Arc<Snapshot> {
        todo!()
    }
}
#[allow(missing_docs, clippy::todo, unused_variables, clippy::must_use_candidate)]
impl Snapshot {
    pub fn templates(&self) -> &Templates {
        todo!()
    }
    pub fn calendar(&self) -> &Calendar {
        todo!()
    }
    pub fn in_force(&self, c: &ItemCode) -> Option<&ItemVersion> {
        todo!()
    }
    pub fn version(&self, c: &ItemCode, v: i32) -> Option<&ItemVersion> {
        todo!()
    }
}
#[allow(missing_docs, clippy::todo, unused_variables, clippy::must_use_candidate)]
impl Templates {
    pub fn for_(&self, c: &ChannelCode, e: Event, l: Language) -> Option<&Template> {
        todo!()
    }
    pub fn status(&self, e: Event) -> &Bilingual {
        todo!()
    }
}
