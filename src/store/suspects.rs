//! Products that may have moved: nothing is decided for them until they are read exactly.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::readings::{CLOCK_WENT_BACK_MS, StoredStock, save_stock};
use super::{Store, StoreError, millis};
use crate::model::{Backorders, CommerceName, Decimal, Sku, Tier, WebsiteCode};

/// What made a product suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The stock index changed.
    Index,
    /// An order with it changed.
    Order,
    /// It was saved.
    Product,
    /// Its stock settings changed, or were not seen for long.
    Settings,
    /// The rolling sweep found something else than was known.
    Sweep,
}

impl Cause {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Order => "order",
            Self::Product => "product",
            Self::Settings => "settings",
            Self::Sweep => "sweep",
        }
    }
}

/// A product's stock settings as a bulk answer named them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub product_id: u64,
    pub managed: bool,
    pub backorders: Backorders,
    pub min_qty: Decimal,
    /// Where the settings hold the stock itself: without the inventory modules.
    pub stock: Option<StoredStock>,
}

impl Store {
    pub async fn suspect(
        &self,
        commerce: &CommerceName,
        skus: Vec<Sku>,
        cause: Cause,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            skus.iter().try_for_each(|sku| suspect(transaction, &commerce, sku.as_str(), cause, since))
        })
        .await
    }

    /// The suspects, those first that are it for longest.
    pub async fn suspects(&self, commerce: &CommerceName, limit: u32) -> Result<Vec<Sku>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT sku FROM suspect WHERE commerce = ?1 ORDER BY since, sku LIMIT ?2")?;
            let rows = statement.query_map(params![commerce.as_str(), limit], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(row?.into())).collect()
        })
        .await
    }

    /// These were read and are no products, or need nothing.
    pub async fn clear_suspects(
        &self,
        commerce: &CommerceName,
        skus: Vec<Sku>,
        read_at: Timestamp,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| skus.iter().try_for_each(|sku| clear(transaction, &commerce, sku, read_at))).await
    }

    /// What an exact reading said about the stock of products that are known otherwise.
    pub async fn save_levels(
        &self,
        commerce: &CommerceName,
        tier: Tier,
        read_at: Timestamp,
        levels: Vec<(Sku, BTreeMap<WebsiteCode, StoredStock>)>,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            for (sku, stocks) in &levels {
                let newest = transaction
                    .prepare_cached(
                        "UPDATE product SET read_at = ?3, tier = ?4 WHERE commerce = ?1 AND sku = ?2 \
                         AND (read_at <= ?3 OR read_at - ?3 > ?5)",
                    )?
                    .execute(params![
                        commerce.as_str(),
                        sku.as_str(),
                        millis(read_at),
                        tier.as_str(),
                        CLOCK_WENT_BACK_MS
                    ])?;
                if newest == 0 {
                    continue;
                }
                for (website, stock) in stocks {
                    save_stock(transaction, &commerce, sku, website, stock)?;
                }
                clear(transaction, &commerce, sku, read_at)?;
            }
            Ok(())
        })
        .await
    }

    /// Compares settings with what is known: those that differ are taken over, and their products suspect. Where they hold
    /// the stock, they are the exact reading, for these websites. Returns how many differed.
    pub async fn check_settings(
        &self,
        commerce: &CommerceName,
        websites: Vec<WebsiteCode>,
        settings: Vec<Settings>,
        seen_at: Timestamp,
    ) -> Result<u64, StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let mut differ = 0;
            for settings in &settings {
                for (sku, same) in compare(transaction, &commerce, settings)? {
                    differ += u64::from(!same);
                    take_over(transaction, &commerce, &sku, settings, seen_at)?;
                    match &settings.stock {
                        Some(stock) => {
                            for website in &websites {
                                save_stock(transaction, &commerce, &sku, website, stock)?;
                            }
                            clear(transaction, &commerce, &sku, seen_at)?;
                        }
                        None if !same => {
                            suspect(transaction, &commerce, sku.as_str(), Cause::Settings, seen_at)?;
                        }
                        None => {}
                    }
                }
            }
            Ok(differ)
        })
        .await
    }

    /// Makes products suspect whose settings were not seen since a time: pages without an order may leave some out.
    pub async fn suspect_unseen_settings(
        &self,
        commerce: &CommerceName,
        before: Timestamp,
        limit: u32,
        since: Timestamp,
    ) -> Result<u64, StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let made = transaction
                .prepare_cached(
                    "INSERT INTO suspect (commerce, sku, since, cause) \
                     SELECT commerce, sku, ?4, 'settings' FROM product WHERE commerce = ?1 AND settings_at < ?2 \
                     AND type_id NOT IN ('configurable', 'bundle', 'grouped', 'giftcard') LIMIT ?3 \
                     ON CONFLICT DO UPDATE SET since = excluded.since, cause = excluded.cause",
                )?
                .execute(params![commerce.as_str(), millis(before), limit, millis(since)])?;
            Ok(made as u64)
        })
        .await
    }
}

/// The products of this id, which is one, and whether their settings are these.
fn compare(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    settings: &Settings,
) -> Result<Vec<(Sku, bool)>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT sku, (managed, backorders, min_qty) IS (?3, ?4, ?5) FROM product WHERE commerce = ?1 AND product_id = ?2",
    )?;
    let rows = statement.query_map(
        params![
            commerce.as_str(),
            settings.product_id,
            settings.managed,
            settings.backorders == Backorders::On,
            settings.min_qty.ten_thousandths()
        ],
        |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
    )?;
    rows.map(|row| row.map(|(sku, same)| (sku.into(), same)).map_err(StoreError::from)).collect()
}

fn take_over(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    settings: &Settings,
    seen_at: Timestamp,
) -> Result<(), StoreError> {
    let read = settings.stock.is_some();
    transaction
        .prepare_cached(
            "UPDATE product SET managed = ?3, backorders = ?4, min_qty = ?5, settings_at = ?6, \
             read_at = iif(?7, ?6, read_at), tier = iif(?7, 'exact', tier) WHERE commerce = ?1 AND sku = ?2",
        )?
        .execute(params![
            commerce.as_str(),
            sku.as_str(),
            settings.managed,
            settings.backorders == Backorders::On,
            settings.min_qty.ten_thousandths(),
            millis(seen_at),
            read,
        ])?;
    Ok(())
}

pub(super) fn suspect(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &str,
    cause: Cause,
    since: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO suspect (commerce, sku, since, cause) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO UPDATE SET since = excluded.since, cause = excluded.cause",
        )?
        .execute(params![commerce.as_str(), sku, millis(since), cause.as_str()])?;
    Ok(())
}

/// A reading ends a suspicion that is not newer.
pub(super) fn clear(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    read_at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("DELETE FROM suspect WHERE commerce = ?1 AND sku = ?2 AND since <= ?3")?
        .execute(params![commerce.as_str(), sku.as_str(), millis(read_at)])?;
    Ok(())
}
