//! What the sources hold of one product. Mostly one source does, and there are many products: so a short list.

use std::sync::Arc;

use crate::sim::world::SourceStock;

#[derive(Clone, Copy, Debug)]
pub(super) struct SourceItem {
    pub(super) id: u32,
    pub(super) stock: SourceStock,
}

/// By source code, in its order.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<(Arc<str>, SourceItem)>);

impl Held {
    fn place(&self, code: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| (**own).cmp(code))
    }

    pub(super) fn get(&self, code: &str) -> Option<&SourceItem> {
        self.0.get(self.place(code).ok()?).map(|(_, item)| item)
    }

    pub(super) fn get_mut(&mut self, code: &str) -> Option<&mut SourceItem> {
        let place = self.place(code).ok()?;
        self.0.get_mut(place).map(|(_, item)| item)
    }

    pub(super) fn insert(&mut self, code: Arc<str>, item: SourceItem) {
        match self.place(&code) {
            Ok(place) => self.0[place].1 = item,
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (code, item));
            }
        }
    }

    pub(super) fn remove(&mut self, code: &str) -> Option<SourceItem> {
        self.place(code).ok().map(|place| self.0.remove(place).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &SourceItem)> {
        self.0.iter().map(|(code, item)| (code, item))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<str>, &mut SourceItem)> {
        self.0.iter_mut().map(|(code, item)| (&*code, item))
    }
}
