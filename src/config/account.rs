//! `[[account]]`: one Amazon selling account in one region.

use std::time::Duration;

use super::AccountConfig;
use super::commerce::warn_when_exposed;
use super::finding::Wrong;
use super::section::{Section, one_of};
use super::text::{base_url, identifier, name};
use crate::model::{AccountName, CountryConflict, Region};

const TOKEN_URL: &str = "https://api.amazon.com/auth/o2/token";

pub(super) const REGIONS: [(&str, Region); 3] = [("na", Region::Na), ("eu", Region::Eu), ("fe", Region::Fe)];

pub(super) fn read(section: &mut Section<'_>, earlier: &[AccountConfig]) -> Option<AccountConfig> {
    let name = section.required("name", "a name to refer to it by", name);
    let seller_id = section.required("seller_id", "Amazon's id of the seller, such as \"A1EXAMPLE\"", self::name);
    let region = section.required("region", "one of na, eu, fe", |text| one_of(text, &REGIONS));
    let client_id = section.required("client_id", "the application's LWA client id", identifier);
    let client_secret = section.secret("client_secret");
    let refresh_token = section.secret("refresh_token");
    let default_endpoint = region.unwrap_or(Region::Eu).endpoint();
    let endpoint = section.or("endpoint", default_endpoint, base_url);
    let token_url = section.or("token_url", TOKEN_URL, base_url);
    let on_country_conflict = section.choice(
        "on_country_conflict",
        &[
            ("oldest", CountryConflict::Oldest),
            ("lowest", CountryConflict::Lowest),
            ("withhold", CountryConflict::Withhold),
        ],
    );
    let discover_every =
        section.duration("discover_every", "6h", Duration::from_secs(1)..=Duration::from_hours(7 * 24));
    let account = AccountConfig {
        name: AccountName::new(name?),
        seller_id: seller_id?,
        region: region?,
        client_id: client_id?,
        client_secret: client_secret?,
        refresh_token: refresh_token?,
        endpoint: endpoint?,
        token_url: token_url?,
        on_country_conflict,
        discover_every,
    };
    check(section, &account, earlier);
    Some(account)
}

fn check(section: &mut Section<'_>, account: &AccountConfig, earlier: &[AccountConfig]) {
    warn_when_exposed(section, "endpoint", &account.endpoint);
    warn_when_exposed(section, "token_url", &account.token_url);
    let same = |other: &&AccountConfig| other.seller_id == account.seller_id && other.region == account.region;
    if let Some(other) = earlier.iter().find(same) {
        let AccountConfig { seller_id, region, .. } = account;
        let wrong = Wrong::new(format!(
            "\"{seller_id}\" in region {region} is already account {:?}, expected one [[account]] per seller and region",
            other.name.as_str()
        ));
        section.error("seller_id", wrong.hint("stores of several countries share the account of their region"));
    }
    let foreign = REGIONS.iter().find(|(_, region)| *region != account.region && region.endpoint() == account.endpoint);
    if let Some((foreign, _)) = foreign {
        let wrong = Wrong::new(format!("{} serves region {foreign}, not {}", account.endpoint, account.region));
        section.error("endpoint", wrong.hint("leave the key out to get the region's own"));
    }
}
