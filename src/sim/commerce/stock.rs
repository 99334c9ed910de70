//! What a product's stock numbers come to: the quantity semantics of Commerce's live chain and of its index.

use crate::sim::Quantity;

/// The stock that keeps the old tables, and with them the old habits.
pub(super) const DEFAULT_STOCK: u32 = 1;

/// The three settings after system values filled in what the product leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) managed: bool,
    /// 0 none, 1 allowed, 2 allowed and announced.
    pub(super) backorders: u8,
    pub(super) raw_min_qty: Quantity,
}

impl Rules {
    /// What REST shows and the live chain subtracts: a positive threshold counts only without backorders, a negative
    /// one only with them.
    pub(super) fn min_qty(self) -> Quantity {
        let counts =
            if self.backorders > 0 { self.raw_min_qty < Quantity::ZERO } else { self.raw_min_qty > Quantity::ZERO };
        if counts { self.raw_min_qty } else { Quantity::ZERO }
    }
}

/// One product as one stock sees it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct View {
    pub(super) rules: Rules,
    pub(super) is_default_stock: bool,
    /// Some source item's source is linked to the stock, enabled or not.
    pub(super) assigned: bool,
    /// Some source item's source is linked and enabled.
    pub(super) indexed: bool,
    /// Some such source item is in stock.
    pub(super) source_in_stock: bool,
    /// What the sources that count hold.
    pub(super) held: Quantity,
    /// The same as the index has it.
    pub(super) index_quantity: Quantity,
    pub(super) reserved: Quantity,
    /// The default stock's own flag, which moves by other rules than the numbers do.
    pub(super) legacy_in_stock: bool,
}

impl View {
    fn has_row(&self) -> bool {
        self.is_default_stock || self.indexed
    }

    /// The index's opinion, which is also the gate in front of the salable quantity.
    pub(super) fn index_salable(&self) -> bool {
        if self.is_default_stock {
            return self.legacy_in_stock;
        }
        self.indexed
            && (self.rules.backorders > 0
                || !self.rules.managed
                || self.held - self.reserved - self.rules.raw_min_qty > Quantity::ZERO)
    }

    pub(super) fn salable_quantity(&self) -> Quantity {
        if !self.has_row() || !self.index_salable() {
            return Quantity::ZERO;
        }
        self.index_quantity - self.reserved - self.rules.min_qty()
    }

    /// The live chain. It counts with what the sources really hold, so that it may say no to a number above zero.
    pub(super) fn is_salable(&self) -> bool {
        if !self.rules.managed {
            return self.has_row();
        }
        let min_qty = self.rules.min_qty();
        self.source_in_stock
            && ((self.rules.backorders > 0 && min_qty >= Quantity::ZERO)
                || self.held - self.reserved - min_qty > Quantity::ZERO)
    }

    /// The export's row: quantity and salability, or nothing for a product that no source ties to the stock.
    pub(super) fn export_row(&self) -> Option<(Quantity, bool)> {
        if !self.rules.managed {
            return Some((Quantity::ZERO, true));
        }
        self.assigned.then(|| (self.salable_quantity(), self.is_salable()))
    }

    /// The index's row: neither reservations nor thresholds are in its quantity.
    pub(super) fn index_row(&self) -> Option<(Quantity, bool)> {
        let quantity = if self.rules.managed { self.index_quantity } else { Quantity::ZERO };
        self.has_row().then(|| (quantity, self.index_salable()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Quantity, Rules};

    #[test]
    fn the_threshold_counts_by_the_backorder_setting() {
        for (backorders, raw, effective) in
            [(0, 5, 5), (0, -5, 0), (0, 0, 0), (1, 5, 0), (1, 0, 0), (1, -5, -5), (2, -3, -3)]
        {
            let rules = Rules { managed: true, backorders, raw_min_qty: Quantity::whole(raw) };
            assert_eq!(rules.min_qty(), Quantity::whole(effective), "backorders {backorders}, min_qty {raw}");
        }
    }
}
