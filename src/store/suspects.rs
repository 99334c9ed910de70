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
    /// An order with it changed.
    Order,
    /// The stock index changed.
    Index,
    /// It was saved.
    Product,
    /// Its stock settings changed.
    Settings,
    /// It is not as it was known: stock alone says nothing, everything has to be asked.
    Whole,
}

impl Cause {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Index => "index",
            Self::Product => "product",
            Self::Settings => "settings",
            Self::Whole => "whole",
        }
    }

    /// What sells must not wait behind an import.
    pub(super) const fn urgency(self) -> u8 {
        match self {
            Self::Order => 0,
            Self::Index | Self::Product | Self::Settings => 1,
            Self::Whole => 2,
        }
    }
}

/// What a reading was of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Stock,
    Whole,
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

    /// The suspects in the order in which they are to be read: those that are asked about whole, or the others.
    pub async fn suspects(&self, commerce: &CommerceName, whole: bool, limit: u32) -> Result<Vec<Sku>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sku FROM suspect WHERE commerce = ?1 AND urgency BETWEEN ?2 AND ?3 \
                 ORDER BY urgency, first, sku LIMIT ?4",
            )?;
            let whole_is = Cause::Whole.urgency();
            let (from, to) = if whole { (whole_is, whole_is) } else { (0, whole_is - 1) };
            let rows =
                statement.query_map(params![commerce.as_str(), from, to, limit], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(row?.into())).collect()
        })
        .await
    }

    /// After the clock was put back, no suspicion lies in the future: a reading could not end it.
    pub async fn bound_suspicions(&self, commerce: &CommerceName, now: Timestamp) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            transaction
                .prepare_cached("UPDATE suspect SET since = ?2 WHERE commerce = ?1 AND since > ?2")?
                .execute(params![commerce.as_str(), millis(now)])?;
            Ok(())
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
        self.write(move |transaction| {
            skus.iter().try_for_each(|sku| clear(transaction, &commerce, sku, read_at, Read::Whole))
        })
        .await
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
                clear(transaction, &commerce, sku, read_at, Read::Stock)?;
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
                for (sku, known, same) in compare(transaction, &commerce, settings)? {
                    if !same {
                        take_over(transaction, &commerce, &sku, settings)?;
                    }
                    if known && !same {
                        differ += 1;
                        suspect(transaction, &commerce, sku.as_str(), Cause::Settings, seen_at)?;
                    }
                    if let Some(stock) = &settings.stock {
                        let mut moved = 0;
                        for website in &websites {
                            moved += save_stock(transaction, &commerce, &sku, website, stock)?;
                        }
                        if moved > 0 {
                            read_now(transaction, &commerce, &sku, seen_at)?;
                        }
                        clear(transaction, &commerce, &sku, seen_at, Read::Stock)?;
                    }
                }
            }
            Ok(differ)
        })
        .await
    }
}

/// The products of this id, which is one: whether any settings are known, and whether they are these.
fn compare(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    settings: &Settings,
) -> Result<Vec<(Sku, bool, bool)>, StoreError> {
    // Left to itself, SQLite goes through the whole catalogue: it takes the primary key's first column for as good.
    let mut statement = transaction.prepare_cached(
        "SELECT sku, managed IS NOT NULL, (managed, backorders, min_qty) IS (?3, ?4, ?5) FROM product \
         INDEXED BY product_by_id WHERE commerce = ?1 AND product_id = ?2",
    )?;
    let rows = statement.query_map(
        params![
            commerce.as_str(),
            settings.product_id,
            settings.managed,
            settings.backorders == Backorders::On,
            settings.min_qty.ten_thousandths()
        ],
        |row| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?)),
    )?;
    rows.map(|row| row.map(|(sku, known, same)| (sku.into(), known, same)).map_err(StoreError::from)).collect()
}

fn take_over(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    settings: &Settings,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "UPDATE product SET managed = ?3, backorders = ?4, min_qty = ?5 WHERE commerce = ?1 AND sku = ?2",
        )?
        .execute(params![
            commerce.as_str(),
            sku.as_str(),
            settings.managed,
            settings.backorders == Backorders::On,
            settings.min_qty.ten_thousandths(),
        ])?;
    Ok(())
}

fn read_now(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    read_at: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE product SET read_at = ?3, tier = ?4 WHERE commerce = ?1 AND sku = ?2")?
        .execute(params![commerce.as_str(), sku.as_str(), millis(read_at), Tier::Exact.as_str()])?;
    Ok(())
}

/// `excluded` but for when the suspicion began: who is suspect again and again does not lose its place.
pub(super) const AGAIN: &str = "ON CONFLICT DO UPDATE SET since = excluded.since, \
                                cause = iif(urgency < 2 AND excluded.urgency <= urgency OR excluded.urgency = 2, excluded.cause, cause), \
                                urgency = iif(max(urgency, excluded.urgency) = 2, 2, min(urgency, excluded.urgency)), \
                                listed = max(listed, excluded.listed)";

pub(super) fn suspect(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &str,
    cause: Cause,
    since: Timestamp,
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(&format!(
            "INSERT INTO suspect (commerce, sku, urgency, first, since, cause) VALUES (?1, ?2, ?3, ?4, ?4, ?5) {AGAIN}"
        ))?
        .execute(params![commerce.as_str(), sku, cause.urgency(), millis(since), cause.as_str()])?;
    Ok(())
}

/// A reading ends a suspicion that is not newer. Stock alone ends none of those that are to be asked about whole.
pub(super) fn clear(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    read_at: Timestamp,
    read: Read,
) -> Result<(), StoreError> {
    let most = match read {
        Read::Stock => Cause::Whole.urgency() - 1,
        Read::Whole => Cause::Whole.urgency(),
    };
    transaction
        .prepare_cached("DELETE FROM suspect WHERE commerce = ?1 AND sku = ?2 AND since <= ?3 AND urgency <= ?4")?
        .execute(params![commerce.as_str(), sku.as_str(), millis(read_at), most])?;
    Ok(())
}
