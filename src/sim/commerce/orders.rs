//! What is sold: orders, shipments, cancellations, credit memos, and reservations of other systems.

use std::sync::Arc;

use jiff::Timestamp;

use super::change::ChangeError;
use super::shop::{Order, Product, Shop};
use super::stock::DEFAULT_STOCK;
use crate::sim::Quantity;

impl Shop {
    /// Places an order: it reserves where stock is managed. Amazon's orders come whether or not there is stock.
    pub(super) fn order(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<u32, ChangeError> {
        let id = self.orders.keys().next_back().map_or(1, |last| last + 1);
        let product = self.stocked(sku, stock)?;
        product.open_orders.push(id);
        let order = Order {
            id,
            stock,
            sku: product.sku.clone(),
            product_type: product.type_id.clone(),
            ordered: quantity,
            shipped: 0,
            canceled: 0,
            refunded: 0,
            created_at: now,
            updated_at: now,
        };
        self.reserve(sku, stock, Quantity::whole(quantity.into()), now)?;
        self.orders.insert(id, order);
        Ok(id)
    }

    /// Ships the oldest open orders: the unit moves from the reservation to the sources, which never fall below 0.
    pub(super) fn ship(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<(), ChangeError> {
        let product = self.stocked(sku, stock)?;
        let id = product.id;
        let managed = self.products.get(&id).is_some_and(|product| self.rules(product).managed);
        if managed && !self.single_stock() {
            self.index_falls_behind(id, now);
            self.deduct(id, stock, quantity)?;
            self.reserve(sku, stock, -Quantity::whole(quantity.into()), now)?;
        }
        self.settle_orders(id, stock, quantity, now, |order, part| order.shipped += part);
        Ok(())
    }

    /// Cancels the oldest open orders: what they reserved is salable again.
    pub(super) fn cancel(&mut self, sku: &str, stock: u32, quantity: u32, now: Timestamp) -> Result<(), ChangeError> {
        let id = self.stocked(sku, stock)?.id;
        self.reserve(sku, stock, -Quantity::whole(quantity.into()), now)?;
        self.settle_orders(id, stock, quantity, now, |order, part| order.canceled += part);
        Ok(())
    }

    fn stocked(&mut self, sku: &str, stock: u32) -> Result<&mut Product, ChangeError> {
        if !self.stocks.contains_key(&stock) {
            return Err(ChangeError::UnknownStock(stock));
        }
        let product = self.product_mut(sku)?;
        if product.is_composite() { Err(ChangeError::Composite(sku.to_owned())) } else { Ok(product) }
    }

    /// A credit memo for shipped units. Sent back, they are in the first source that can hold them; nothing reserves them.
    pub(super) fn refund(
        &mut self,
        sku: &str,
        stock: u32,
        quantity: u32,
        back_to_stock: bool,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let id = self.stocked(sku, stock)?.id;
        let name = self.product_mut(sku)?.sku.clone();
        let mut shipped: Vec<&mut Order> = self
            .orders
            .values_mut()
            .filter(|order| order.stock == stock && order.sku == name && order.shipped > order.refunded)
            .collect();
        if shipped.iter().map(|order| order.shipped - order.refunded).sum::<u32>() < quantity {
            return Err(ChangeError::NotShipped { sku: name, quantity });
        }
        let mut left = quantity;
        for order in &mut shipped {
            let part = left.min(order.shipped - order.refunded);
            if part > 0 {
                left -= part;
                order.refunded += part;
                order.updated_at = now;
            }
        }
        if back_to_stock && self.products.get(&id).is_some_and(|product| self.rules(product).managed) {
            self.index_falls_behind(id, now);
            self.put_back(id, stock, Quantity::whole(quantity.into()));
            self.look_at_flag(id, stock);
        }
        Ok(())
    }

    fn put_back(&mut self, id: u32, stock: u32, quantity: Quantity) {
        let Some(product) = self.products.get_mut(&id) else { return };
        let linked =
            |code: &str| self.sources.get(code).is_some_and(|source| source.enabled && source.stocks.contains(&stock));
        if let Some((_, item)) = product.sources.iter_mut().find(|(code, _)| linked(code)) {
            item.stock.quantity += quantity;
        }
    }

    /// Appends a reservation where stock is managed; one below zero releases.
    pub(super) fn reserve(
        &mut self,
        sku: &str,
        stock: u32,
        quantity: Quantity,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let id = self.stocked(sku, stock)?.id;
        let Some(product) = self.products.get(&id) else { return Ok(()) };
        if !self.rules(product).managed {
            return Ok(());
        }
        self.index_falls_behind(id, now);
        if self.single_stock() {
            self.take_from_stock_item(id, quantity);
            return Ok(());
        }
        if let Some(product) = self.products.get_mut(&id) {
            *product.reserved.entry(stock).or_default() += quantity;
        }
        self.look_at_flag(id, stock);
        Ok(())
    }

    /// The consumer of reservations looks whether the default stock's flag still holds.
    fn look_at_flag(&mut self, id: u32, stock: u32) {
        if stock != DEFAULT_STOCK {
            return;
        }
        let lowered = self.products.get(&id).is_some_and(|product| !self.view(product, stock).is_salable());
        if let Some(product) = self.products.get_mut(&id) {
            product.lowered = lowered;
        }
    }

    /// Without the inventory modules an order takes at once, below 0 too.
    fn take_from_stock_item(&mut self, id: u32, quantity: Quantity) {
        let Some(product) = self.products.get_mut(&id) else { return };
        let on_default =
            |code: &str| self.sources.get(code).is_some_and(|source| source.stocks.contains(&DEFAULT_STOCK));
        if let Some((_, item)) = product.sources.iter_mut().find(|(code, _)| on_default(code)) {
            item.stock.quantity -= quantity;
        }
    }

    fn deduct(&mut self, id: u32, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        let Some(product) = self.products.get_mut(&id) else { return Ok(()) };
        let counts =
            |code: &str| self.sources.get(code).is_some_and(|source| source.enabled && source.stocks.contains(&stock));
        let mut left = Quantity::whole(quantity.into());
        let mut after: Vec<(Arc<str>, Quantity)> = Vec::new();
        for (code, item) in product.sources.iter().filter(|(code, item)| item.stock.in_stock && counts(code)) {
            let taken = left.min(item.stock.quantity.max(Quantity::ZERO));
            left -= taken;
            after.push((Arc::clone(code), item.stock.quantity - taken));
        }
        if left > Quantity::ZERO {
            return Err(ChangeError::NotEnough { sku: product.sku.clone(), quantity });
        }
        for (code, held) in after {
            if let Some(item) = product.sources.get_mut(&code) {
                item.stock.quantity = held;
            }
        }
        Ok(())
    }

    fn settle_orders(&mut self, id: u32, stock: u32, quantity: u32, now: Timestamp, settle: impl Fn(&mut Order, u32)) {
        let Some(product) = self.products.get_mut(&id) else { return };
        let mut left = quantity;
        product.open_orders.retain(|order| {
            let Some(order) = self.orders.get_mut(order) else { return false };
            if order.stock == stock && left > 0 {
                let part = order.open().min(left);
                left -= part;
                settle(order, part);
                order.updated_at = now;
            }
            order.open() > 0
        });
    }
}
