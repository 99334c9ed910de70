//! What a test or a person can make happen in the shop.

use super::Commerce;
use super::change::{ChangeError, MassAction, ProductEdit, SourceEdit};
use crate::sim::Quantity;
use crate::sim::world::{Edition, ProductWorld, SystemWorld};

impl Commerce {
    pub fn create(&self, product: &ProductWorld) -> Result<(), ChangeError> {
        self.lock().shop.create(product, self.clock.now())
    }

    pub fn edit(&self, sku: &str, edit: &ProductEdit) -> Result<(), ChangeError> {
        self.lock().shop.edit(sku, edit, self.clock.now())
    }

    /// Sets what a source holds, in stock unless the source item says otherwise.
    pub fn set_quantity(&self, sku: &str, source: &str, quantity: Quantity) -> Result<(), ChangeError> {
        self.lock().shop.set_quantity(sku, source, quantity, self.clock.now())
    }

    /// Places an order and gives its id.
    pub fn order(&self, sku: &str, stock: u32, quantity: u32) -> Result<u32, ChangeError> {
        self.lock().shop.order(sku, stock, quantity, self.clock.now())
    }

    pub fn ship(&self, sku: &str, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        self.lock().shop.ship(sku, stock, quantity, self.clock.now())
    }

    pub fn cancel(&self, sku: &str, stock: u32, quantity: u32) -> Result<(), ChangeError> {
        self.lock().shop.cancel(sku, stock, quantity, self.clock.now())
    }

    /// A credit memo for shipped units, whether or not they come back to a source.
    pub fn refund(&self, sku: &str, stock: u32, quantity: u32, back_to_stock: bool) -> Result<(), ChangeError> {
        self.lock().shop.refund(sku, stock, quantity, back_to_stock, self.clock.now())
    }

    /// A reservation of another system, without an order; one below zero releases.
    pub fn reserve(&self, sku: &str, stock: u32, quantity: Quantity) -> Result<(), ChangeError> {
        self.lock().shop.reserve(sku, stock, quantity, self.clock.now())
    }

    /// Saves a product, which moves its `updated_at` whatever changed.
    pub fn save(&self, sku: &str, edit: &ProductEdit) -> Result<(), ChangeError> {
        self.edit(sku, &ProductEdit { touch: Some(true), ..edit.clone() })
    }

    /// Writes past the product, as a write to its stock item does: `updated_at` stays.
    pub fn write_stock_item(&self, sku: &str, edit: &ProductEdit) -> Result<(), ChangeError> {
        self.edit(sku, &ProductEdit { touch: Some(false), ..edit.clone() })
    }

    /// Enables, disables or moves many products from the product list.
    pub fn mass_action(&self, action: &MassAction) -> Result<(), ChangeError> {
        self.lock().shop.mass_action(action, self.clock.now())
    }

    /// Many products at once, each saved: all of them, or none.
    pub fn import(&self, rows: &[(String, ProductEdit)]) -> Result<(), ChangeError> {
        self.lock().shop.import(rows, self.clock.now())
    }

    /// Switches a source on or off, or ties it to other stocks.
    pub fn edit_source(&self, code: &str, edit: &SourceEdit) -> Result<(), ChangeError> {
        self.lock().shop.edit_source(code, edit, self.clock.now())
    }

    /// Has a website sell from another stock, or from none.
    pub fn link_website(&self, code: &str, stock: Option<u32>) -> Result<(), ChangeError> {
        self.lock().shop.link_website(code, stock)
    }

    /// Switches modules on or off.
    pub fn set_edition(&self, edition: Edition) {
        self.lock().shop.edition = edition;
    }

    /// Gives a product another SKU; its id stays.
    pub fn rename(&self, sku: &str, to: &str) -> Result<(), ChangeError> {
        self.lock().shop.rename(sku, to, self.clock.now())
    }

    /// Deletes a product and makes it again; gives the new id.
    pub fn recreate(&self, sku: &str) -> Result<u32, ChangeError> {
        self.lock().shop.recreate(sku, self.clock.now())
    }

    pub fn delete(&self, sku: &str) -> Result<(), ChangeError> {
        self.lock().shop.delete(sku)
    }

    pub fn set_system(&self, system: SystemWorld) -> Result<(), ChangeError> {
        self.lock().shop.set_system(system, self.clock.now())
    }

    /// A full reindex of the shop.
    pub fn reindex(&self) {
        self.lock().shop.reindex(self.clock.now());
    }

    /// The index is being rebuilt, and empty until `reindex` ends that.
    pub fn start_reindex(&self) {
        self.lock().shop.empty_index();
    }

    /// Ends every token that was given for a sign-in at once.
    pub fn revoke_tokens(&self) {
        self.lock().auth.revoke_tokens();
    }
}
