//! Where an account sells. The Sellers API alone wraps its answer in `payload`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::api::Call;
use super::state::State;
use crate::model::Marketplace;

impl State {
    pub(super) fn participations(&self, call: &Call) -> Result<Answer, Answer> {
        call.query.allow(&[])?;
        let account = self.account_of(call)?;
        let participation = |marketplace: &&Marketplace| {
            let (_, language, domain) = locale(marketplace);
            json!({
                "marketplace": {
                    "id": marketplace.id,
                    "name": domain,
                    "countryCode": if marketplace.country == "UK" { "GB" } else { marketplace.country },
                    "defaultCurrencyCode": currency(marketplace),
                    "defaultLanguageCode": language,
                    "domainName": format!("www.{}", domain.to_lowercase()),
                },
                "participation": {"isParticipating": true, "hasSuspendedListings": account.suspended.contains(marketplace)},
                "storeName": format!("Store of {}", account.seller_id),
            })
        };
        let payload: Value = account.marketplaces.iter().map(participation).collect();
        Ok(Answer::ok(json!({"payload": payload})))
    }
}

pub(super) fn currency(marketplace: &Marketplace) -> &'static str {
    locale(marketplace).0
}

fn locale(marketplace: &Marketplace) -> (&'static str, &'static str, &'static str) {
    match marketplace.country {
        "CA" => ("CAD", "en_CA", "Amazon.ca"),
        "US" => ("USD", "en_US", "Amazon.com"),
        "MX" => ("MXN", "es_MX", "Amazon.com.mx"),
        "BR" => ("BRL", "pt_BR", "Amazon.com.br"),
        "IE" => ("EUR", "en_IE", "Amazon.ie"),
        "ES" => ("EUR", "es_ES", "Amazon.es"),
        "UK" => ("GBP", "en_GB", "Amazon.co.uk"),
        "FR" => ("EUR", "fr_FR", "Amazon.fr"),
        "BE" => ("EUR", "fr_BE", "Amazon.com.be"),
        "NL" => ("EUR", "nl_NL", "Amazon.nl"),
        "DE" => ("EUR", "de_DE", "Amazon.de"),
        "IT" => ("EUR", "it_IT", "Amazon.it"),
        "SE" => ("SEK", "sv_SE", "Amazon.se"),
        "ZA" => ("ZAR", "en_ZA", "Amazon.co.za"),
        "PL" => ("PLN", "pl_PL", "Amazon.pl"),
        "EG" => ("EGP", "ar_EG", "Amazon.eg"),
        "TR" => ("TRY", "tr_TR", "Amazon.com.tr"),
        "SA" => ("SAR", "ar_SA", "Amazon.sa"),
        "AE" => ("AED", "en_AE", "Amazon.ae"),
        "IN" => ("INR", "en_IN", "Amazon.in"),
        "SG" => ("SGD", "en_SG", "Amazon.sg"),
        "AU" => ("AUD", "en_AU", "Amazon.com.au"),
        _ => ("JPY", "ja_JP", "Amazon.co.jp"),
    }
}
