//! Listings: where Amazon shows them, and what we believe about them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{Store, StoreError, drifts, json_list, millis, time};
use crate::model::{AccountName, Belief, Channel, Known, Listing, MarketplaceId, Refusal, SellerSku, Unapplied};
use crate::plan::Drift;

/// What a search said about one seller SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub seller_sku: SellerSku,
    /// `None`: Amazon does not show it.
    pub channel: Option<Channel>,
    /// `None`: no news about the quantity.
    pub quantity: Option<u32>,
    /// Another one than was believed.
    pub drift: Option<Drift>,
}

/// What a new list of a marketplace's listings comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How many were known there before.
    pub before: usize,
    /// Of these, those that are no longer shown there.
    pub gone: usize,
}

const COLUMNS: &str = "account, seller_sku, marketplaces, channel, live, observed, observed_at, accepted, accepted_at, \
                       prior, in_doubt, looked_at, basis, failures, refused_at, retry_at, refusal, \
                       unapplied, unapplied_at, evidence, \
                       (SELECT f.quantity FROM feed_item AS f WHERE f.account = listing.account \
                       AND f.seller_sku = listing.seller_sku) AS in_feed";

fn listing(row: &Row<'_>) -> Result<Listing, StoreError> {
    let known = |quantity: &str, at: &'static str| -> Result<Option<Known>, StoreError> {
        let (Some(quantity), Some(millis)) = (row.get(quantity)?, row.get::<_, Option<i64>>(at)?) else {
            return Ok(None);
        };
        Ok(Some(Known { quantity, at: time(at, millis)? }))
    };
    let channel: String = row.get("channel")?;
    let marketplaces: String = row.get("marketplaces")?;
    let failures = row.get("failures")?;
    let looked_at: Option<i64> = row.get("looked_at")?;
    let refused_at: Option<i64> = row.get("refused_at")?;
    let retry_at: Option<i64> = row.get("retry_at")?;
    let refusal = match (refused_at, retry_at) {
        (Some(refused_at), Some(retry_at)) => Some(Refusal {
            failures,
            refused_at: time("refused_at", refused_at)?,
            retry_at: time("retry_at", retry_at)?,
            text: row.get::<_, Option<String>>("refusal")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let unapplied_at: Option<i64> = row.get("unapplied_at")?;
    let unapplied = match (row.get("unapplied")?, unapplied_at) {
        (times @ 1.., Some(at)) => Some(Unapplied {
            times,
            found_at: time("unapplied_at", at)?,
            evidence: row.get::<_, Option<String>>("evidence")?.unwrap_or_default(),
        }),
        _ => None,
    };
    Ok(Listing {
        account: row.get::<_, String>("account")?.into(),
        seller_sku: row.get::<_, String>("seller_sku")?.into(),
        marketplaces: marketplaces.split_ascii_whitespace().map(MarketplaceId::from).collect(),
        channel: Channel::from_codes(channel.split_ascii_whitespace()),
        live: row.get("live")?,
        belief: Belief {
            observed: known("observed", "observed_at")?,
            accepted: known("accepted", "accepted_at")?,
            prior: row.get("prior")?,
            in_doubt: row.get("in_doubt")?,
            looked_at: looked_at.map(|at| time("looked_at", at)).transpose()?,
            basis: row.get("basis")?,
        },
        in_feed: row.get("in_feed")?,
        refusal,
        unapplied,
    })
}

impl Store {
    /// The listings of an account in seller SKU order, from behind `after`.
    pub async fn listings_after(
        &self,
        account: &AccountName,
        after: Option<&SellerSku>,
        limit: u32,
    ) -> Result<Vec<Listing>, StoreError> {
        let account = account.clone();
        let after = after.map_or_else(String::new, ToString::to_string);
        self.call(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM listing WHERE account = ?1 AND seller_sku > ?2 ORDER BY seller_sku LIMIT ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![account.as_str(), after, limit])?;
            let mut listings = Vec::new();
            while let Some(row) = rows.next()? {
                listings.push(listing(row)?);
            }
            Ok(listings)
        })
        .await
    }

    /// The named listings of one account, or of all accounts, in order.
    pub async fn listings_named(
        &self,
        account: Option<&AccountName>,
        seller_skus: &[SellerSku],
    ) -> Result<Vec<Listing>, StoreError> {
        let account = account.cloned();
        let names = json_list(seller_skus);
        self.call(move |connection| {
            // Two questions: with an account the primary key answers, without one everything is gone through.
            let whose = if account.is_some() { "account = ?2" } else { "?2 IS NULL" };
            let sql = format!(
                "SELECT {COLUMNS} FROM listing WHERE {whose} \
                 AND seller_sku IN (SELECT value FROM json_each(?1)) ORDER BY account, seller_sku"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![names, account.as_ref().map(AccountName::as_str)])?;
            let mut listings = Vec::new();
            while let Some(row) = rows.next()? {
                listings.push(listing(row)?);
            }
            Ok(listings)
        })
        .await
    }

    /// Where other accounts show these seller SKUs.
    pub async fn presence(
        &self,
        accounts: &[AccountName],
        seller_skus: &[SellerSku],
    ) -> Result<BTreeMap<SellerSku, Vec<(AccountName, Vec<MarketplaceId>)>>, StoreError> {
        let (accounts, names) = (json_list(accounts), json_list(seller_skus));
        self.call(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT l.seller_sku, l.account, l.marketplaces \
                 FROM json_each(?1) AS a CROSS JOIN json_each(?2) AS s \
                 CROSS JOIN listing AS l ON l.account = a.value AND l.seller_sku = s.value \
                 ORDER BY l.account",
            )?;
            let mut rows = statement.query(params![accounts, names])?;
            let mut shown: BTreeMap<SellerSku, Vec<(AccountName, Vec<MarketplaceId>)>> = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let marketplaces = row.get::<_, String>(2)?;
                shown.entry(row.get::<_, String>(0)?.into()).or_default().push((
                    row.get::<_, String>(1)?.into(),
                    marketplaces.split_ascii_whitespace().map(MarketplaceId::from).collect(),
                ));
            }
            Ok(shown)
        })
        .await
    }

    /// When each marketplace of the account was last discovered.
    pub async fn discovered(&self, account: &AccountName) -> Result<BTreeMap<MarketplaceId, Timestamp>, StoreError> {
        let account = account.clone();
        self.call(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT marketplace, at FROM discovery WHERE account = ?1")?;
            let mut rows = statement.query([account.as_str()])?;
            let mut discovered = BTreeMap::new();
            while let Some(row) = rows.next()? {
                discovered.insert(row.get::<_, String>(0)?.into(), time("discovery.at", row.get(1)?)?);
            }
            Ok(discovered)
        })
        .await
    }

    /// Takes in the whole list of what Amazon shows in one marketplace: adds what is new, and takes the marketplace
    /// from what is no longer in it. A listing that no marketplace shows any more is not live.
    pub async fn save_discovery(
        &self,
        account: &AccountName,
        marketplace: &MarketplaceId,
        seller_skus: Vec<SellerSku>,
        at: Timestamp,
    ) -> Result<Moved, StoreError> {
        let (account, marketplace) = (account.clone(), marketplace.clone());
        self.write(move |transaction| {
            transaction.execute("CREATE TEMP TABLE IF NOT EXISTS shown (seller_sku TEXT PRIMARY KEY) WITHOUT ROWID", [])?;
            transaction.execute("DELETE FROM shown", [])?;
            for chunk in seller_skus.chunks(5_000) {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO shown SELECT value FROM json_each(?1)")?
                    .execute([json_list(chunk)])?;
            }
            transaction.execute(
                "INSERT INTO listing (account, seller_sku, marketplaces) SELECT ?1, seller_sku, '' FROM shown WHERE true \
                 ON CONFLICT DO NOTHING",
                [account.as_str()],
            )?;
            // Marketplace ids have no blanks, so a blank on each side makes a name of the list findable.
            let mut statement = transaction.prepare(
                "SELECT l.seller_sku, l.marketplaces, s.seller_sku IS NOT NULL \
                 FROM listing AS l LEFT JOIN shown AS s USING (seller_sku) WHERE l.account = ?1 \
                 AND (s.seller_sku IS NOT NULL) <> (instr(' ' || l.marketplaces || ' ', ' ' || ?2 || ' ') > 0)",
            )?;
            let moved: Vec<(String, String, bool)> = statement
                .query_map(params![account.as_str(), marketplace.as_str()], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
                })?
                .collect::<Result<_, _>>()?;
            let mut update = transaction.prepare(
                "UPDATE listing SET marketplaces = ?3, live = live AND ?3 <> '' WHERE account = ?1 AND seller_sku = ?2",
            )?;
            let gone = moved.iter().filter(|(_, _, shown)| !shown).count();
            let shown: usize = transaction.query_row("SELECT count(*) FROM shown", [], |row| row.get(0))?;
            let before = shown + 2 * gone - moved.len();
            for (seller_sku, marketplaces, shown) in moved {
                let mut names: Vec<&str> = marketplaces.split_ascii_whitespace().collect();
                names.retain(|name| *name != marketplace.as_str());
                if shown {
                    names.push(marketplace.as_str());
                    names.sort_unstable();
                }
                update.execute(params![account.as_str(), seller_sku, names.join(" ")])?;
            }
            transaction.execute(
                "INSERT INTO discovery (account, marketplace, at, listings) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO UPDATE SET at = excluded.at, listings = excluded.listings",
                params![account.as_str(), marketplace.as_str(), millis(at), seller_skus.len()],
            )?;
            Ok(Moved { before, gone })
        })
        .await
    }

    /// One listing that a search found in a marketplace without a report: a resync of a few SKUs on a fresh state.
    pub async fn add_presence(
        &self,
        account: &AccountName,
        found: Vec<(SellerSku, Vec<MarketplaceId>)>,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO listing (account, seller_sku, marketplaces) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET marketplaces = excluded.marketplaces",
            )?;
            for (seller_sku, marketplaces) in found {
                let names: Vec<&str> = marketplaces.iter().map(MarketplaceId::as_str).collect();
                insert.execute(params![account.as_str(), seller_sku.as_str(), names.join(" ")])?;
            }
            Ok(())
        })
        .await
    }

    /// What Amazon shows live. An older look never replaces a newer one.
    pub async fn save_observations(
        &self,
        account: &AccountName,
        observations: Vec<Observation>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            let mut look = transaction.prepare_cached(
                "UPDATE listing SET live = ?3, channel = COALESCE(?4, channel), looked_at = ?5 \
                 WHERE account = ?1 AND seller_sku = ?2 AND COALESCE(looked_at, 0) <= ?5",
            )?;
            let mut observe = transaction.prepare_cached(
                "UPDATE listing SET observed = ?3, observed_at = ?4, \
                 unapplied = CASE WHEN ?3 = accepted THEN 0 ELSE unapplied END \
                 WHERE account = ?1 AND seller_sku = ?2 AND COALESCE(observed_at, 0) <= ?4",
            )?;
            for observation in observations {
                let sku = observation.seller_sku.as_str();
                let channel = observation.channel.as_ref();
                look.execute(params![
                    account.as_str(),
                    sku,
                    channel.is_some(),
                    channel.map(Channel::code),
                    millis(at)
                ])?;
                if let Some(quantity) = observation.quantity {
                    observe.execute(params![account.as_str(), sku, quantity, millis(at)])?;
                }
                if let Some(drift) = observation.drift {
                    drifts::save(transaction, &account, sku, drift, at)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// The belief was found to hold while the readings were these.
    pub async fn save_basis(&self, account: &AccountName, held: Vec<(SellerSku, String)>) -> Result<(), StoreError> {
        let account = account.clone();
        self.write(move |transaction| {
            let mut update =
                transaction.prepare_cached("UPDATE listing SET basis = ?3 WHERE account = ?1 AND seller_sku = ?2")?;
            for (seller_sku, basis) in held {
                update.execute(params![account.as_str(), seller_sku.as_str(), basis])?;
            }
            Ok(())
        })
        .await
    }
}
