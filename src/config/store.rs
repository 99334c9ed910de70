//! `[[store]]`: one Amazon store, with the settings of its quantities.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneName};

use super::finding::Wrong;
use super::load::Known;
use super::nearest::nearest;
use super::section::Section;
use super::surroundings::Surroundings;
use super::text::{listed, name, reference};
use super::{SkuMapping, StoreConfig, plain};
use crate::model::{
    AccountName, BackorderPolicy, CommerceName, MARKETPLACES, Marketplace, MaximumMode, MissingProduct, Mode, Region,
    RuleSettings, StoreKey, StoreName, WebsiteCode,
};
use crate::rules::mapping::MappingTable;
use crate::schedule::Schedule;

const MOST_UNITS: i64 = 1_000_000;
/// Amazon opened in 1995; what is dated outside is a slip of the pen, and precedence would follow it.
const EARLIEST: Timestamp = Timestamp::constant(788_918_400, 0);
const LATEST: Timestamp = Timestamp::constant(4_102_444_800, 0);

/// Mapping files that were read, so that stores share them; none for one whose problems are reported already.
pub(super) type Tables = BTreeMap<PathBuf, Option<Arc<MappingTable>>>;

pub(super) fn read(
    section: &mut Section<'_>,
    known: &Known,
    tables: &mut Tables,
    earlier: &[StoreConfig],
) -> Option<StoreConfig> {
    let name = section.required("name", "a name to refer to it by", name);
    let commerce = section.required("commerce", "the name of a [[commerce]]", |text| {
        reference(text, "commerce", known.commerces.iter().map(String::as_str))
    });
    let website = section.required("website", "the code of a Commerce website, such as \"base\"", self::name);
    let account = section.required("account", "the name of an [[account]]", |text| {
        reference(text, "account", known.accounts.keys().map(String::as_str))
    });
    let region = account.as_ref().and_then(|account| *known.accounts.get(account)?);
    let marketplace = section.required("country", "a country code such as \"DE\"", |text| country(text, region));
    let created_at =
        section.required("created_at", "the time the store was created, such as \"2019-03-01T00:00:00Z\"", created);
    let schedule = schedule(section);
    let mode = section.choice("mode", &[("observe", Mode::Observe), ("live", Mode::Live)]);
    let allow_increase = section.flag("allow_increase", true);
    let guards = plain::limits(section, known.guards);
    let rules = rules(section);
    let seller_sku = seller_sku(section, tables);
    let store = StoreConfig {
        key: StoreKey { created_at: created_at?, name: StoreName::new(name?) },
        commerce: CommerceName::new(commerce?),
        website: WebsiteCode::new(website?),
        account: AccountName::new(account?),
        marketplace: marketplace?,
        schedule: schedule?,
        mode,
        allow_increase,
        guards,
        rules,
        seller_sku: seller_sku?,
    };
    compare(section, &store, earlier);
    Some(store)
}

fn country(text: &str, region: Option<Region>) -> Result<&'static Marketplace, Wrong> {
    let within = |region: Region| MARKETPLACES.iter().filter(move |place| place.region == region);
    let Some(marketplace) = Marketplace::by_country(text) else {
        let candidates: Vec<&str> = match region {
            Some(region) => within(region).map(|place| place.country).collect(),
            None => MARKETPLACES.iter().map(|place| place.country).collect(),
        };
        let wrong = Wrong::new(format!(
            "is not a country with an Amazon marketplace, expected one of {}",
            listed(candidates.iter().copied())
        ));
        let same = Marketplace::by_country(&text.to_uppercase()).map(|place| place.country);
        return Err(wrong.nearest(same));
    };
    match region {
        Some(region) if region != marketplace.region => Err(Wrong::new(format!(
            "belongs to region {}, the account to {region}, expected one of {}",
            marketplace.region,
            listed(within(region).map(|place| place.country))
        ))),
        _ => Ok(marketplace),
    }
}

fn created(text: &str) -> Result<Timestamp, Wrong> {
    let time: Timestamp = text.parse().map_err(|_| {
        Wrong::new("is not an RFC 3339 time, expected date, time and offset such as \"2019-03-01T00:00:00Z\"")
    })?;
    if (EARLIEST..LATEST).contains(&time) {
        return Ok(time);
    }
    Err(Wrong::new("is out of range, expected a time from 1995 to 2099"))
}

fn schedule(section: &mut Section<'_>) -> Option<Schedule> {
    let zone = section.or("time_zone", "UTC", time_zone);
    // A schedule is checked even where the zone is bad: both problems are worth telling at once.
    let checked_in = zone.as_deref().unwrap_or("UTC");
    let schedule = section.or("schedule", "0 */5 * * * *", |text| {
        Schedule::parse(text, checked_in).map_err(|error| {
            Wrong::new(format!("is not a schedule: {error}"))
                .hint("expected `sec min hour day month weekday`, such as \"0 */5 * * * *\" for every five minutes")
        })
    });
    zone.and(schedule)
}

fn time_zone(text: &str) -> Result<String, Wrong> {
    if TimeZone::get(text).is_ok() {
        return Ok(text.to_owned());
    }
    let zones: Vec<_> = jiff::tz::db().available().collect();
    let wrong = Wrong::new("is not a time zone, expected an IANA name such as \"Europe/Berlin\" or \"UTC\"");
    Err(wrong.nearest(nearest(text, zones.iter().map(TimeZoneName::as_str))))
}

fn rules(section: &mut Section<'_>) -> RuleSettings {
    let default = RuleSettings::default();
    let rules = RuleSettings {
        out_of_stock_threshold: section.whole("out_of_stock_threshold", default.out_of_stock_threshold, 0..=MOST_UNITS),
        maximum_listed_quantity: section.whole(
            "maximum_listed_quantity",
            default.maximum_listed_quantity,
            1..=MOST_UNITS,
        ),
        maximum_mode: section.choice("maximum_mode", &[("cap", MaximumMode::Cap), ("fixed", MaximumMode::Fixed)]),
        unmanaged_stock_quantity: section.whole(
            "unmanaged_stock_quantity",
            default.unmanaged_stock_quantity,
            1..=MOST_UNITS,
        ),
        backorders: section
            .choice("backorders", &[("include", BackorderPolicy::Include), ("exclude", BackorderPolicy::Exclude)]),
        allocation_percent: section.whole("allocation_percent", default.allocation_percent, 1..=100),
        safety_buffer: section.whole("safety_buffer", default.safety_buffer, 0..=MOST_UNITS),
        on_missing_product: section
            .choice("on_missing_product", &[("keep", MissingProduct::Keep), ("zero", MissingProduct::Zero)]),
    };
    doubt(section, &rules);
    rules
}

fn doubt(section: &mut Section<'_>, rules: &RuleSettings) {
    let RuleSettings { out_of_stock_threshold: threshold, maximum_listed_quantity: maximum, .. } = *rules;
    let unmanaged = rules.unmanaged_stock_quantity;
    if rules.maximum_mode == MaximumMode::Fixed {
        section.warn(
            "maximum_mode",
            format!("\"fixed\" oversells: {maximum} is listed even where stock is lower, \"cap\" never lists more than stock"),
        );
    }
    if threshold > maximum {
        section.warn(
            "out_of_stock_threshold",
            format!("{threshold} is above maximum_listed_quantity {maximum}: much is kept back, little is listed"),
        );
    }
    // Left to its default it is capped silently: everybody with a low maximum would be warned.
    if unmanaged > maximum && section.has("unmanaged_stock_quantity") {
        section.warn(
            "unmanaged_stock_quantity",
            format!("{unmanaged} is above maximum_listed_quantity {maximum}: {maximum} will be listed"),
        );
    }
    if unmanaged < threshold {
        section.warn(
            "unmanaged_stock_quantity",
            format!(
                "{unmanaged} is below out_of_stock_threshold {threshold}: products without managed stock always list 0"
            ),
        );
    }
}

fn seller_sku(section: &mut Section<'_>, tables: &mut Tables) -> Option<SkuMapping> {
    let around = section.around;
    let mut warnings = Vec::new();
    let mapping = section.or("seller_sku", "sku", |text| match text.split_once(':') {
        None if text == "sku" => Ok(Some(SkuMapping::Identity)),
        Some(("attribute", code)) if is_attribute(code) => Ok(Some(SkuMapping::Attribute(code.to_owned()))),
        Some(("attribute", _)) => {
            Err(Wrong::new("names no attribute, expected its code: a letter, then letters, digits or `_`"))
        }
        Some(("map", file)) => Ok(mapping_table(file, around, tables, &mut warnings)?.map(SkuMapping::Table)),
        _ => Err(Wrong::new("is not one of sku, attribute:CODE, map:FILE")),
    });
    for warning in warnings {
        section.warn("seller_sku", warning);
    }
    mapping.flatten()
}

/// Magento's own rule for attribute codes.
fn is_attribute(code: &str) -> bool {
    const LONGEST: usize = 60;
    code.len() <= LONGEST
        && code.starts_with(|c: char| c.is_ascii_alphabetic())
        && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn mapping_table(
    file: &str,
    around: &Surroundings,
    tables: &mut Tables,
    warnings: &mut Vec<String>,
) -> Result<Option<Arc<MappingTable>>, Wrong> {
    let path = around.path(file)?;
    if let Some(table) = tables.get(&path) {
        return Ok(table.clone());
    }
    tables.insert(path.clone(), None);
    let text = fs::read_to_string(&path)
        .map_err(|error| Wrong::new(format!("cannot be used: {}: {error}", path.display())))?;
    let table = MappingTable::parse(&text)
        .map_err(|errors| Wrong::new(format!("cannot be used: {}\n{errors}", path.display())))?;
    warnings.extend(table.warnings().iter().map(|warning| format!("{}: {warning}", path.display())));
    let table = Arc::new(table);
    tables.insert(path, Some(Arc::clone(&table)));
    Ok(Some(table))
}

fn compare(section: &mut Section<'_>, store: &StoreConfig, earlier: &[StoreConfig]) {
    let same_country =
        |other: &&StoreConfig| other.commerce == store.commerce && other.marketplace == store.marketplace;
    for other in earlier.iter().filter(same_country) {
        let name = other.name().as_str();
        if other.account == store.account && other.website == store.website {
            let wrong =
                format!("commerce, website, account and country are those of store {name:?}, expected one to differ");
            section.error("country", Wrong::new(wrong));
        } else if other.created_at() == store.created_at() {
            section
                .warn("created_at", format!("the same as of store {name:?} in this country: the smaller name decides"));
        }
    }
    let fed = |commerce: bool| {
        earlier.iter().find(|other| other.account == store.account && (other.commerce == store.commerce) == commerce)
    };
    if let (None, Some(other)) = (fed(true), fed(false)) {
        section.warn(
            "commerce",
            format!(
                "account {:?} is fed from {:?} too: a seller SKU known to both has two masters",
                store.account.as_str(),
                other.commerce.as_str()
            ),
        );
    }
}
