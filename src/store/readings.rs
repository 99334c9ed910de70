//! Readings: the newest thing Commerce said about every product.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::suspects::{Read, clear};
use super::{Store, StoreError, json_list, millis, time};
use crate::model::{Backorders, CommerceName, Decimal, SellerSku, Sku, Tier, WebsiteCode};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProduct {
    pub product_id: u64,
    pub sku: Sku,
    pub type_id: String,
    pub enabled: bool,
    pub website_ids: Vec<u32>,
    /// `None`: Commerce did not say how the product's stock is configured.
    pub config: Option<(bool, Backorders, Decimal)>,
    /// The attributes that hold seller SKUs: code and value.
    pub attributes: Vec<(String, String)>,
    /// As Commerce writes it.
    pub updated_at: Option<String>,
    pub stocks: BTreeMap<WebsiteCode, StoredStock>,
    pub read_at: Timestamp,
    pub tier: Tier,
    /// Why it may have moved since.
    pub suspect: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredStock {
    Level {
        salable: Decimal,
        is_salable: bool,
    },
    /// Not in a complete answer, not confirmed yet.
    Absent,
    NoSource,
    Unknown(String),
}

impl Store {
    /// Takes in an answer. The last one holds whatever the clock said: two processes may read at once, and a clock may be
    /// put back.
    pub async fn save_products(&self, commerce: &CommerceName, products: Vec<StoredProduct>) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| products.iter().try_for_each(|product| save(transaction, &commerce, product)))
            .await
    }

    /// After everything was read: what was not named since `began` is not in Commerce any more.
    pub async fn forget_unnamed(
        &self,
        commerce: &CommerceName,
        began: Timestamp,
        but: Vec<u64>,
    ) -> Result<(), StoreError> {
        let commerce = commerce.clone();
        self.write(move |transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT sku, product_id FROM product WHERE commerce = ?1 AND read_at < ?2")?;
            let gone: Vec<(String, u64)> = statement
                .query_map(params![commerce.as_str(), millis(began)], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            let gone = gone.iter().filter(|(_, id)| !but.contains(id));
            gone.map(|(sku, _)| sku).try_for_each(|sku| forget(transaction, &commerce, sku))
        })
        .await
    }

    /// A product that Commerce was asked for alone and does not have.
    pub async fn forget_product(&self, commerce: &CommerceName, sku: &Sku) -> Result<(), StoreError> {
        let (commerce, sku) = (commerce.clone(), sku.clone());
        self.write(move |transaction| forget(transaction, &commerce, sku.as_str())).await
    }

    /// What an independent request said about a stock that a complete answer did not name.
    pub async fn save_stock(
        &self,
        commerce: &CommerceName,
        sku: &Sku,
        website: &WebsiteCode,
        stock: StoredStock,
    ) -> Result<(), StoreError> {
        let (commerce, sku, website) = (commerce.clone(), sku.clone(), website.clone());
        self.write(move |transaction| save_stock(transaction, &commerce, &sku, &website, &stock).map(drop)).await
    }

    pub async fn products(
        &self,
        commerce: &CommerceName,
        skus: &[Sku],
    ) -> Result<BTreeMap<Sku, StoredProduct>, StoreError> {
        let (commerce, names) = (commerce.clone(), json_list(skus));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT p.*, iif(s.listed, 'listed', s.cause) AS suspect FROM json_each(?2) AS n \
                 CROSS JOIN product AS p ON p.commerce = ?1 AND p.sku = n.value \
                 LEFT JOIN suspect AS s ON s.commerce = ?1 AND s.sku = p.sku",
            )?;
            let mut rows = statement.query(params![commerce.as_str(), names])?;
            let mut products = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let product = product(row)?;
                products.insert(product.sku.clone(), product);
            }
            let mut statement = connection.prepare_cached(
                "SELECT s.sku, website, state, salable, is_salable, problem \
                 FROM json_each(?2) AS n CROSS JOIN stock AS s ON s.commerce = ?1 AND s.sku = n.value",
            )?;
            let mut rows = statement.query(params![commerce.as_str(), names])?;
            while let Some(row) = rows.next()? {
                if let Some(product) = products.get_mut(row.get::<_, String>(0)?.as_str()) {
                    product.stocks.insert(row.get::<_, String>(1)?.into(), stock(row)?);
                }
            }
            Ok(products)
        })
        .await
    }

    /// The next products in the order of their ids.
    pub async fn products_after(
        &self,
        commerce: &CommerceName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StoredProduct>, StoreError> {
        let name = commerce.clone();
        let skus: Vec<Sku> = self
            .call(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT sku FROM product INDEXED BY product_by_id WHERE commerce = ?1 AND product_id > ?2 ORDER BY product_id LIMIT ?3",
                )?;
                let rows = statement.query_map(params![name.as_str(), after, limit], |row| row.get::<_, String>(0))?;
                rows.map(|row| Ok(row?.into())).collect::<Result<_, StoreError>>()
            })
            .await?;
        let mut products: Vec<StoredProduct> = self.products(commerce, &skus).await?.into_values().collect();
        products.sort_by_key(|product| product.product_id);
        Ok(products)
    }

    /// The ids and SKUs of the next products, in the order of their ids; composite products have no settings of interest.
    pub async fn stocked_after(
        &self,
        commerce: &CommerceName,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Sku)>, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT product_id, sku FROM product INDEXED BY product_by_id WHERE commerce = ?1 AND product_id > ?2 \
                 AND type_id NOT IN ('configurable', 'bundle', 'grouped', 'giftcard') ORDER BY product_id LIMIT ?3",
            )?;
            let rows = statement.query_map(params![commerce.as_str(), after, limit], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?))
            })?;
            rows.map(|row| row.map(|(id, sku)| (id, sku.into())).map_err(StoreError::from)).collect()
        })
        .await
    }

    /// How many products are known.
    pub async fn product_count(&self, commerce: &CommerceName) -> Result<u64, StoreError> {
        let commerce = commerce.clone();
        self.call(move |connection| {
            let mut statement = connection.prepare_cached("SELECT count(*) FROM product WHERE commerce = ?1")?;
            Ok(statement.query_row([commerce.as_str()], |row| row.get(0))?)
        })
        .await
    }

    /// The products whose attribute `code` holds one of these seller SKUs.
    pub async fn skus_by_attribute(
        &self,
        commerce: &CommerceName,
        code: &str,
        seller_skus: &[SellerSku],
    ) -> Result<BTreeMap<SellerSku, Vec<Sku>>, StoreError> {
        let (commerce, code, names) = (commerce.clone(), code.to_owned(), json_list(seller_skus));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT a.value, a.sku FROM json_each(?3) AS n \
                 CROSS JOIN attribute AS a ON a.commerce = ?1 AND a.code = ?2 AND a.value = n.value ORDER BY a.sku",
            )?;
            let mut rows = statement.query(params![commerce.as_str(), code, names])?;
            let mut found: BTreeMap<SellerSku, Vec<Sku>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                found.entry(row.get::<_, String>(0)?.into()).or_default().push(row.get::<_, String>(1)?.into());
            }
            Ok(found)
        })
        .await
    }
}

fn forget(transaction: &Transaction<'_>, commerce: &CommerceName, sku: &str) -> Result<(), StoreError> {
    for table in ["product", "stock", "attribute", "suspect"] {
        transaction
            .prepare_cached(&format!("DELETE FROM {table} WHERE commerce = ?1 AND sku = ?2"))?
            .execute(params![commerce.as_str(), sku])?;
    }
    Ok(())
}

/// `plan` may read beside the service: the newer of two readings stays. One that is newer by more than any read takes was
/// made before the clock was put back, and would hold for as long again.
pub(super) const CLOCK_WENT_BACK_MS: i64 = 3_600_000;

fn save(transaction: &Transaction<'_>, commerce: &CommerceName, product: &StoredProduct) -> Result<(), StoreError> {
    forget_renamed(transaction, commerce, product)?;
    let website_ids: Vec<String> = product.website_ids.iter().map(ToString::to_string).collect();
    let config = product.config.as_ref();
    let newest = transaction
        .prepare_cached(
            "INSERT INTO product (commerce, sku, product_id, type_id, enabled, website_ids, managed, backorders, \
             min_qty, read_at, updated_at, tier) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12, ?13) ON CONFLICT DO UPDATE SET \
             product_id = excluded.product_id, type_id = excluded.type_id, enabled = excluded.enabled, \
             website_ids = excluded.website_ids, managed = excluded.managed, backorders = excluded.backorders, \
             min_qty = excluded.min_qty, read_at = excluded.read_at, \
             updated_at = excluded.updated_at, tier = excluded.tier \
             WHERE excluded.read_at >= read_at OR read_at - excluded.read_at > ?11",
        )?
        .execute(params![
            commerce.as_str(),
            product.sku.as_str(),
            product.product_id,
            product.type_id,
            product.enabled,
            website_ids.join(" "),
            config.map(|config| config.0),
            config.map(|config| config.1 == Backorders::On),
            config.map(|config| config.2.ten_thousandths()),
            millis(product.read_at),
            CLOCK_WENT_BACK_MS,
            product.updated_at,
            product.tier.as_str(),
        ])?;
    // Another process read it later and was quicker to write.
    if newest == 0 {
        return Ok(());
    }
    for (website, stock) in &product.stocks {
        save_stock(transaction, commerce, &product.sku, website, stock)?;
    }
    clear(transaction, commerce, &product.sku, product.read_at, Read::Whole)?;
    save_attributes(transaction, commerce, product)
}

/// A product keeps its id when its SKU is changed.
fn forget_renamed(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    product: &StoredProduct,
) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT sku FROM product INDEXED BY product_by_id WHERE commerce = ?1 AND product_id = ?2 AND sku <> ?3",
    )?;
    let old: Vec<String> = statement
        .query_map(params![commerce.as_str(), product.product_id, product.sku.as_str()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    old.iter().try_for_each(|sku| forget(transaction, commerce, sku))
}

fn save_attributes(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    product: &StoredProduct,
) -> Result<(), StoreError> {
    let wanted = &product.attributes;
    let mut statement =
        transaction.prepare_cached("SELECT code, value FROM attribute WHERE commerce = ?1 AND sku = ?2")?;
    let stored: Vec<(String, String)> = statement
        .query_map(params![commerce.as_str(), product.sku.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (code, value) in stored.iter().filter(|pair| !wanted.contains(pair)) {
        transaction
            .prepare_cached("DELETE FROM attribute WHERE commerce = ?1 AND code = ?2 AND value = ?3 AND sku = ?4")?
            .execute(params![commerce.as_str(), code, value, product.sku.as_str()])?;
    }
    for (code, value) in wanted.iter().filter(|pair| !stored.contains(pair)) {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO attribute (commerce, code, value, sku) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![commerce.as_str(), code, value, product.sku.as_str()])?;
    }
    Ok(())
}

pub(super) fn save_stock(
    transaction: &Transaction<'_>,
    commerce: &CommerceName,
    sku: &Sku,
    website: &WebsiteCode,
    stock: &StoredStock,
) -> Result<usize, StoreError> {
    let (state, level, problem) = match stock {
        StoredStock::Level { salable, is_salable } => ("level", Some((salable.ten_thousandths(), *is_salable)), None),
        StoredStock::Absent => ("absent", None, None),
        StoredStock::NoSource => ("no_source", None, None),
        StoredStock::Unknown(problem) => ("unknown", None, Some(problem)),
    };
    let moved = transaction
        .prepare_cached(
            "INSERT INTO stock (commerce, sku, website, state, salable, is_salable, problem) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET state = excluded.state, \
             salable = excluded.salable, is_salable = excluded.is_salable, problem = excluded.problem \
             WHERE (state, salable, is_salable, problem) \
             IS NOT (excluded.state, excluded.salable, excluded.is_salable, excluded.problem)",
        )?
        .execute(params![
            commerce.as_str(),
            sku.as_str(),
            website.as_str(),
            state,
            level.map(|level| level.0),
            level.map(|level| level.1),
            problem,
        ])?;
    Ok(moved)
}

fn product(row: &rusqlite::Row<'_>) -> Result<StoredProduct, StoreError> {
    let (website_ids, tier): (String, String) = (row.get("website_ids")?, row.get("tier")?);
    let config = match (row.get("managed")?, row.get::<_, Option<bool>>("backorders")?, row.get("min_qty")?) {
        (Some(managed), Some(backorders), Some(min_qty)) => Some((
            managed,
            if backorders { Backorders::On } else { Backorders::Off },
            Decimal::from_ten_thousandths(min_qty),
        )),
        _ => None,
    };
    Ok(StoredProduct {
        product_id: row.get("product_id")?,
        sku: row.get::<_, String>("sku")?.into(),
        type_id: row.get("type_id")?,
        enabled: row.get("enabled")?,
        website_ids: website_ids.split_ascii_whitespace().filter_map(|id| id.parse().ok()).collect(),
        config,
        attributes: Vec::new(),
        updated_at: row.get("updated_at")?,
        stocks: BTreeMap::new(),
        read_at: time("product.read_at", row.get("read_at")?)?,
        tier: Tier::parse(&tier).ok_or(StoreError::Corrupt { column: "product.tier", value: tier })?,
        suspect: row.get("suspect")?,
    })
}

fn stock(row: &rusqlite::Row<'_>) -> Result<StoredStock, StoreError> {
    let state: String = row.get("state")?;
    match (state.as_str(), row.get("salable")?, row.get("is_salable")?) {
        ("level", Some(salable), Some(is_salable)) => {
            Ok(StoredStock::Level { salable: Decimal::from_ten_thousandths(salable), is_salable })
        }
        ("absent", ..) => Ok(StoredStock::Absent),
        ("no_source", ..) => Ok(StoredStock::NoSource),
        ("unknown", ..) => Ok(StoredStock::Unknown(row.get::<_, Option<String>>("problem")?.unwrap_or_default())),
        _ => Err(StoreError::Corrupt { column: "stock.state", value: state }),
    }
}
