//! How each kind of change is made: by what a shop's staff, customers and other systems do.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use stocksync::sim::Quantity;
use stocksync::sim::commerce::{ChangeError, MassAction, ProductEdit, Setting, SourceEdit};
use stocksync::sim::world::{SourceStock, SystemWorld};

use super::kinds::{KINDS, Kind};
use super::shop::{Shop, product_world, some_item};
use super::truth::{Item, SITES, SOURCES, home};

const IMPORTED_AT_MOST: usize = 160;

pub(crate) type Done = Result<(), ChangeError>;

fn stock(quantity: i64, in_stock: bool) -> SourceStock {
    SourceStock { quantity: Quantity::whole(quantity), in_stock }
}

fn source_edit(code: &str, stock: Option<SourceStock>) -> ProductEdit {
    ProductEdit { sources: BTreeMap::from([(code.to_owned(), stock)]), ..ProductEdit::default() }
}

fn is_simple(_: &Shop, _: &str, item: &Item) -> bool {
    !item.is_composite()
}

impl Shop {
    /// Something, by the kinds' weights. What cannot be at the moment is left.
    pub(crate) fn happen(&mut self) {
        let all: u32 = KINDS.iter().map(|(_, weight, _)| weight).sum();
        let mut left = self.rng.random_range(0..all);
        let kind = KINDS.iter().find(|(_, weight, _)| {
            let hit = left < *weight;
            left = left.saturating_sub(*weight);
            hit
        });
        self.make(kind.unwrap().0);
    }

    pub(crate) fn make(&mut self, kind: Kind) {
        let done = match kind {
            Kind::Ordered | Kind::Cancelled | Kind::Shipped | Kind::Refunded | Kind::Returned => self.sell(kind),
            Kind::ReservedElsewhere | Kind::ReleasedElsewhere => self.reserve(kind),
            Kind::Counted | Kind::Flagged | Kind::EmptyFlagged => self.count(kind),
            Kind::SourceItemAdded | Kind::SourceItemRemoved => self.put(kind),
            Kind::SourceSwitched | Kind::SourceLinked => self.change_source(kind),
            Kind::Imported => self.import(),
            Kind::Backorders | Kind::Threshold | Kind::Managing | Kind::SettingsSaved => self.set(kind),
            Kind::Saved | Kind::Switched | Kind::Moved | Kind::Retyped => self.save(kind),
            Kind::MassSwitched | Kind::MassSwitchedUnlisted | Kind::MassMoved => self.act_on_many(kind),
            Kind::Created | Kind::Deleted | Kind::DeletedUnlisted => self.come_and_go(kind),
            Kind::Renamed | Kind::Recreated => self.rename(kind),
            Kind::SystemBackorders | Kind::SystemThreshold | Kind::SystemManaging => self.change_system(kind),
        };
        // Nothing to ship from, or a name that is taken: then it does not happen.
        done.or_else(|error| match error {
            ChangeError::NotEnough { .. } | ChangeError::NotShipped { .. } => Ok(()),
            error => Err(error),
        })
        .unwrap();
    }

    fn count(&mut self, kind: Kind) -> Done {
        let Some(sku) = self.pick(|shop, _, item| {
            let empty = |(quantity, _): &(i64, bool)| *quantity == 0;
            !item.is_composite()
                && match kind {
                    Kind::Counted => !item.sources.is_empty(),
                    Kind::Flagged => item.sources.values().any(|item| !empty(item)),
                    // The index of a stock with backorders says what it said: nothing there, and salable.
                    _ => {
                        let alone = item.sources.len() == 1 && item.sources.values().all(empty);
                        let (managed, backorders, _) = shop.truth.settings(item);
                        alone && managed && backorders && !item.sources.contains_key("default") && item.enabled
                    }
                }
        }) else {
            return Ok(());
        };
        let held: Vec<(&'static str, (i64, bool))> =
            self.truth.items[&sku].sources.iter().map(|(code, held)| (*code, *held)).collect();
        let may = |(_, (quantity, _)): &&(&str, (i64, bool))| kind != Kind::Flagged || *quantity > 0;
        let held: Vec<_> = held.iter().filter(may).copied().collect();
        let (code, (quantity, in_stock)) = held[self.rng.random_range(0..held.len())];
        let after = match kind {
            Kind::Counted if self.rng.random_bool(0.1) => (0, in_stock),
            Kind::Counted => (self.rng.random_range(1..60), in_stock),
            _ => (quantity, !in_stock),
        };
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            shop.commerce.edit(&sku, &source_edit(code, Some(stock(after.0, after.1))))?;
            shop.item(&sku).sources.insert(code, after);
            Ok(())
        })
    }

    fn put(&mut self, kind: Kind) -> Done {
        let added = kind == Kind::SourceItemAdded;
        let lacks = |item: &Item, code: &str| !item.sources.contains_key(code);
        let Some(sku) = self.pick(|_, _, item| {
            let fits = |code: &&str| lacks(item, code) == added;
            !item.is_composite() && SOURCES.iter().any(fits)
        }) else {
            return Ok(());
        };
        let codes: Vec<&'static str> =
            SOURCES.into_iter().filter(|code| lacks(&self.truth.items[&sku], code) == added).collect();
        let code = codes[self.rng.random_range(0..codes.len())];
        let put = added.then(|| (self.rng.random_range(1..40), true));
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            shop.commerce.edit(&sku, &source_edit(code, put.map(|(held, flag)| stock(held, flag))))?;
            match put {
                Some(put) => shop.item(&sku).sources.insert(code, put),
                None => shop.item(&sku).sources.remove(code),
            };
            Ok(())
        })
    }

    fn change_source(&mut self, kind: Kind) -> Done {
        // The default source can neither be switched off nor tied to anything else.
        // `koeln` is mostly the second source of those that have it: few leave the index with it.
        let code = if self.rng.random_bool(0.5) { "koeln" } else { SOURCES[self.rng.random_range(1..SOURCES.len())] };
        let back = self.off.contains(code);
        let all: Vec<u32> = SITES.iter().filter(|site| site.sources.contains(&code)).map(|site| site.id).collect();
        let tied = !self.truth.links[code].is_empty();
        let holds = |item: &Item| item.sources.contains_key(code);
        let skus: Vec<String> =
            self.truth.items.iter().filter(|(_, item)| holds(item)).map(|(sku, _)| sku.clone()).collect();
        self.change_affected(kind, &skus, |shop| {
            let edit = if back {
                SourceEdit { enabled: Some(true), stocks: Some(all.clone()) }
            } else if kind == Kind::SourceSwitched && tied {
                SourceEdit { enabled: Some(false), stocks: None }
            } else {
                SourceEdit { enabled: None, stocks: Some(Vec::new()) }
            };
            shop.commerce.edit_source(code, &edit)?;
            if let Some(stocks) = edit.stocks {
                shop.truth.links.insert(code, stocks);
            }
            if back {
                shop.off.remove(code)
            } else {
                shop.off.insert(code)
            };
            Ok(())
        })
    }

    /// What concerns many is one change.
    fn change_affected(&mut self, kind: Kind, skus: &[String], act: impl FnOnce(&mut Self) -> Done) -> Done {
        let made = self.counts.get(&kind).map_or(0, |count| count.made);
        self.change(kind, skus, act)?;
        let count = self.counts.entry(kind).or_default();
        count.made = made + 1;
        Ok(())
    }

    fn import(&mut self) -> Done {
        let count = self.rng.random_range(5..IMPORTED_AT_MOST);
        let skus = self.pick_several(count, |_, _, item| !item.is_composite() && !item.sources.is_empty());
        let rows: Vec<(String, &'static str, i64)> = skus
            .iter()
            .map(|sku| {
                (sku.clone(), *self.truth.items[sku].sources.keys().next().unwrap(), self.rng.random_range(0..60))
            })
            .collect();
        self.change(Kind::Imported, &skus, |shop| {
            let edit =
                |(sku, code, held): &(String, &str, i64)| (sku.clone(), source_edit(code, Some(stock(*held, true))));
            shop.commerce.import(&rows.iter().map(edit).collect::<Vec<_>>())?;
            for (sku, code, held) in rows {
                shop.item(&sku).sources.insert(code, (held, true));
            }
            Ok(())
        })
    }

    fn set(&mut self, kind: Kind) -> Done {
        let Some(sku) = self.pick(is_simple) else { return Ok(()) };
        let mut item = self.truth.items[&sku].clone();
        let rng = &mut self.rng;
        let what =
            if kind == Kind::SettingsSaved { rng.random_range(0..3) } else { kind as u8 - Kind::Backorders as u8 };
        let own = rng.random_bool(0.7);
        let mut edit = ProductEdit::default();
        match what {
            0 => {
                item.backorders = own.then(|| rng.random_range(0..3));
                edit.backorders = Some(item.backorders.map_or(Setting::System, Setting::Own));
            }
            1 => {
                item.threshold = own.then(|| rng.random_range(-8..8));
                edit.min_qty = Some(item.threshold.map(Quantity::whole).map_or(Setting::System, Setting::Own));
            }
            _ => {
                item.managed = own.then(|| rng.random_bool(0.5));
                edit.manage_stock = Some(item.managed.map_or(Setting::System, Setting::Own));
            }
        }
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            if kind == Kind::SettingsSaved {
                shop.commerce.save(&sku, &edit)?;
            } else {
                shop.commerce.write_stock_item(&sku, &edit)?;
            }
            *shop.item(&sku) = item;
            Ok(())
        })
    }

    fn save(&mut self, kind: Kind) -> Done {
        let Some(sku) = self.pick(|_, _, _| true) else { return Ok(()) };
        let mut item = self.truth.items[&sku].clone();
        let mut edit = ProductEdit::default();
        match kind {
            Kind::Saved => edit.name = Some(format!("No. {}", self.rng.random_range(0..1000))),
            Kind::Switched => {
                item.enabled = !item.enabled;
                edit.enabled = Some(item.enabled);
            }
            Kind::Moved => {
                item.sites = (0..SITES.len()).filter(|_| self.rng.random_bool(0.6)).collect();
                edit.websites = Some(item.sites.iter().map(|site| SITES[*site].code.to_owned()).collect());
            }
            _ => {
                let others: Vec<&str> =
                    ["simple", "virtual", "bundle"].into_iter().filter(|own| *own != item.type_id).collect();
                others[self.rng.random_range(0..2)].clone_into(&mut item.type_id);
                edit.type_id = Some(item.type_id.clone());
            }
        }
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            shop.commerce.edit(&sku, &edit)?;
            *shop.item(&sku) = item;
            Ok(())
        })
    }

    fn act_on_many(&mut self, kind: Kind) -> Done {
        let (count, site) = (self.rng.random_range(2..6), self.rng.random_range(0..SITES.len()));
        let (on, into) = (self.rng.random_bool(0.5), self.rng.random_bool(0.5));
        let skus = self.pick_several(count, |shop, _, item| match kind {
            Kind::MassSwitched => item.enabled != on && item.sites.contains(&0) && !item.is_composite(),
            Kind::MassSwitchedUnlisted => item.enabled != on && !item.sites.contains(&0) && !item.sites.is_empty(),
            _ => {
                let there = Item { sites: BTreeSet::from([site]), ..item.clone() };
                item.sites.contains(&site) != into && shop.is_dumped(&there, site) && !item.is_composite()
            }
        });
        let code = vec![SITES[site].code.to_owned()];
        let (add_websites, remove_websites) = match kind {
            Kind::MassMoved if into => (code, Vec::new()),
            Kind::MassMoved => (Vec::new(), code),
            _ => (Vec::new(), Vec::new()),
        };
        let enabled = (kind != Kind::MassMoved).then_some(on);
        self.change(kind, &skus.clone(), |shop| {
            shop.commerce.mass_action(&MassAction { skus: skus.clone(), enabled, add_websites, remove_websites })?;
            for sku in &skus {
                let item = shop.item(sku);
                match enabled {
                    Some(enabled) => item.enabled = enabled,
                    None if into => drop(item.sites.insert(site)),
                    None => drop(item.sites.remove(&site)),
                }
            }
            Ok(())
        })
    }

    fn come_and_go(&mut self, kind: Kind) -> Done {
        if kind == Kind::Created {
            let Some(sku) = self.spare.pop() else { return Ok(()) };
            let item = some_item(&mut self.rng, home(&sku));
            return self.change(kind, std::slice::from_ref(&sku), |shop| {
                shop.commerce.create(&product_world(&sku, &item))?;
                shop.names.insert(sku.clone());
                shop.truth.items.insert(sku.clone(), item);
                Ok(())
            });
        }
        let dumped = kind == Kind::Deleted;
        let young = |shop: &Self, sku: &str| shop.pending.contains_key(sku);
        let Some(sku) = self.pick(|shop, sku, item| {
            let is_dumped = (0..SITES.len()).any(|site| shop.is_dumped(item, site));
            is_dumped == dumped && !young(shop, sku) && !item.is_composite()
        }) else {
            return Ok(());
        };
        self.change(kind, std::slice::from_ref(&sku), |shop| {
            shop.commerce.delete(&sku)?;
            shop.truth.items.remove(&sku);
            shop.forget_sales(&sku);
            Ok(())
        })
    }

    fn rename(&mut self, kind: Kind) -> Done {
        let Some(sku) = self.pick(is_simple) else { return Ok(()) };
        if kind == Kind::Recreated {
            return self.change(kind, std::slice::from_ref(&sku), |shop| {
                let id = shop.commerce.recreate(&sku)?;
                shop.item(&sku).id = Some(id.into());
                shop.forget_sales(&sku);
                Ok(())
            });
        }
        let Some(to) = self.spare.pop() else { return Ok(()) };
        self.change(kind, &[sku.clone(), to.clone()], |shop| {
            shop.commerce.rename(&sku, &to)?;
            let item = shop.truth.items.remove(&sku).unwrap();
            shop.truth.items.insert(to.clone(), item);
            shop.names.insert(to);
            shop.forget_sales(&sku);
            Ok(())
        })
    }

    /// Orders keep the SKU that was ordered: what is done to them later names nobody any more.
    fn forget_sales(&mut self, sku: &str) {
        self.open.retain(|(own, _), _| own != sku);
        self.shipped.retain(|(own, _), _| own != sku);
    }

    fn change_system(&mut self, kind: Kind) -> Done {
        let skus: Vec<String> = self.truth.items.keys().cloned().collect();
        let mut system: SystemWorld = self.truth.system;
        let mut threshold = self.truth.system_threshold;
        match kind {
            Kind::SystemBackorders => system.backorders = u8::from(system.backorders == 0),
            Kind::SystemManaging => system.manage_stock = !system.manage_stock,
            _ => {
                let others: Vec<i64> = [-4, 0, 3].into_iter().filter(|other| *other != threshold).collect();
                threshold = others[self.rng.random_range(0..others.len())];
            }
        }
        system.min_qty = Quantity::whole(threshold);
        self.change_affected(kind, &skus, |shop| {
            shop.commerce.set_system(system)?;
            (shop.truth.system, shop.truth.system_threshold) = (system, threshold);
            Ok(())
        })
    }
}
