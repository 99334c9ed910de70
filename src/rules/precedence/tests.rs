use jiff::Timestamp;

use super::{Candidate, Role, Verdict, carries, resolve};
use crate::model::{
    Backorders, CommerceName, Component, CountryConflict, Decimal, ProductType, Reading, RuleSettings, Source, Stock,
    StoreKey,
};
use crate::reason::Reason;
use crate::rules::quantity::{Decision, Outcome, decide};

/// A store by its name, which also says the rest: `de1` is German and was created in year 1 (a letter after that
/// makes a second store of the same time); a first letter in upper case is a store of another account.
struct Store {
    key: StoreKey,
    commerce: CommerceName,
    country: &'static str,
    own_account: bool,
    carries: Option<bool>,
    decision: Decision,
}

fn store(name: &str, carries: impl Into<Option<bool>>, decision: Decision) -> Store {
    let country = match &name[..2].to_lowercase()[..] {
        "de" => "DE",
        "fr" => "FR",
        _ => "IT",
    };
    let year = i64::from(name.as_bytes()[2] - b'0');
    let created_at = Timestamp::from_second(year * 31_556_952).unwrap();
    Store {
        key: StoreKey { created_at, name: name.into() },
        commerce: "shop".into(),
        country,
        own_account: name.starts_with(char::is_lowercase),
        carries: carries.into(),
        decision,
    }
}

fn shows(quantity: i32) -> Decision {
    let stock = Stock::Level { salable: Decimal::from_whole(quantity), is_salable: true };
    decide(&[component(Source::Known(reading(true, stock)))], &RuleSettings::default())
}

fn elsewhere() -> Decision {
    decide(&[component(Source::Known(reading(false, Stock::NoSource)))], &RuleSettings::default())
}

fn withheld(reason: Reason) -> Decision {
    Decision::withheld(reason, "for a test".to_owned())
}

fn component(source: Source) -> Component {
    Component { sku: "A".into(), units: std::num::NonZeroU32::MIN, source }
}

fn reading(in_website: bool, stock: Stock) -> Reading {
    Reading {
        product_type: ProductType::parse("simple"),
        enabled: true,
        in_website,
        managed: true,
        backorders: Backorders::Off,
        min_qty: Decimal::ZERO,
        stock,
    }
}

impl Store {
    fn candidate(&self) -> Candidate<'_> {
        let Self { key, commerce, country, own_account, carries, decision } = self;
        let (own_account, carries, decision) = (*own_account, *carries, decision.clone());
        Candidate { key, commerce, country, own_account, carries, decision }
    }
}

fn candidates(stores: &[Store]) -> Vec<Candidate<'_>> {
    stores.iter().map(Store::candidate).collect()
}

/// `winner outcome`, followed by the numbers of a conflict.
fn verdict(stores: &[Store], policy: CountryConflict) -> String {
    let candidates = candidates(stores);
    let Some(verdict) = resolve(&candidates, policy) else { return "nobody".to_owned() };
    let outcome = match verdict.decision.outcome {
        Outcome::Quantity(quantity) => quantity.to_string(),
        Outcome::Withheld(reason) => reason.to_string(),
    };
    let conflict = verdict.conflict.map_or_else(String::new, |conflict| format!(": {conflict}"));
    format!("{} {outcome}{conflict}", candidates[verdict.winner].key.name)
}

#[test]
fn in_a_country_the_oldest_store_that_carries_the_product_decides() {
    for (expected, stores) in [
        ("de1 5", vec![store("de1", true, shows(5)), store("de2", true, shows(9))]),
        ("de1 5", vec![store("de2", true, shows(9)), store("de1", true, shows(5))]),
        ("de2 9", vec![store("de1", false, elsewhere()), store("de2", true, shows(9))]),
        ("de1a 5", vec![store("de1b", true, shows(9)), store("de1a", true, shows(5))]),
        ("de1 0", vec![store("de1", false, elsewhere()), store("de2", false, elsewhere())]),
        (
            "de1 product_missing",
            vec![store("de1", false, withheld(Reason::ProductMissing)), store("de2", false, elsewhere())],
        ),
        ("De1 5", vec![store("De1", true, shows(5)), store("de2", true, shows(9))]),
        ("nobody", vec![store("De1", true, shows(5)), store("Fr1", true, shows(9))]),
        ("nobody", vec![]),
        ("de1 source_unknown", vec![store("de1", true, withheld(Reason::SourceUnknown)), store("de2", true, shows(9))]),
    ] {
        assert_eq!(verdict(&stores, CountryConflict::Oldest), expected);
    }
}

#[test]
fn a_store_that_is_not_known_to_carry_the_product_blocks_where_it_could_win() {
    for (expected, stores) in [
        ("de1 source_unknown", vec![store("de1", None, shows(5)), store("de2", true, shows(9))]),
        ("de1 5", vec![store("de1", true, shows(5)), store("de2", None, shows(9))]),
        ("de2 source_unknown", vec![store("de1", false, elsewhere()), store("de2", None, shows(9))]),
        ("de1 source_unknown", vec![store("de1", None, shows(5)), store("de2", false, elsewhere())]),
        (
            "de1 mapping_ambiguous",
            vec![store("de1", None, withheld(Reason::MappingAmbiguous)), store("de2", true, shows(9))],
        ),
    ] {
        assert_eq!(verdict(&stores, CountryConflict::Oldest), expected);
    }
}

#[test]
fn countries_that_differ_are_settled_by_the_policy() {
    use CountryConflict::{Lowest, Oldest, Withhold};
    let three = || vec![store("fr2", true, shows(4)), store("it3", true, shows(9)), store("de1", true, shows(9))];
    let numbers = "de1 (DE) 9, fr2 (FR) 4, it3 (IT) 9";
    let agreed = || vec![store("de1", true, shows(9)), store("fr2", true, shows(9))];
    let younger_unknown = || vec![store("de1", true, shows(9)), store("fr2", None, shows(4))];
    let younger_withheld = || vec![store("de1", true, shows(9)), store("fr2", true, withheld(Reason::SourceUnknown))];
    let oldest_withheld = || vec![store("de1", true, withheld(Reason::CompositeProduct)), store("fr2", true, shows(4))];
    let elsewhere_first = || vec![store("de1", false, elsewhere()), store("fr2", true, shows(4))];
    let gone_elsewhere = || vec![store("de1", true, shows(9)), store("fr2", false, withheld(Reason::ProductMissing))];
    let nowhere = || vec![store("de1", false, elsewhere()), store("fr2", false, elsewhere())];
    let tie = || vec![store("it3", true, shows(4)), store("fr2", true, shows(4)), store("de1", true, shows(9))];
    for (policy, stores, expected) in [
        (Oldest, three(), format!("de1 9: {numbers}")),
        (Lowest, three(), format!("fr2 4: {numbers}")),
        (Withhold, three(), format!("de1 country_conflict: {numbers}")),
        (Lowest, tie(), "fr2 4: de1 (DE) 9, fr2 (FR) 4, it3 (IT) 4".to_owned()),
        (Oldest, agreed(), "de1 9".to_owned()),
        (Lowest, agreed(), "de1 9".to_owned()),
        (Withhold, agreed(), "de1 9".to_owned()),
        (Oldest, younger_unknown(), "de1 9".to_owned()),
        (Lowest, younger_unknown(), "fr2 source_unknown".to_owned()),
        (Withhold, younger_unknown(), "fr2 source_unknown".to_owned()),
        (Oldest, younger_withheld(), "de1 9".to_owned()),
        (Lowest, younger_withheld(), "fr2 source_unknown".to_owned()),
        (Withhold, younger_withheld(), "fr2 source_unknown".to_owned()),
        (Oldest, oldest_withheld(), "de1 composite_product".to_owned()),
        (Lowest, oldest_withheld(), "de1 composite_product".to_owned()),
        (Oldest, elsewhere_first(), "fr2 4".to_owned()),
        (Withhold, elsewhere_first(), "fr2 4".to_owned()),
        (Lowest, gone_elsewhere(), "de1 9".to_owned()),
        (Lowest, nowhere(), "de1 0".to_owned()),
    ] {
        assert_eq!(verdict(&stores, policy), expected, "{policy:?}");
    }
}

#[test]
fn countries_of_other_accounts_and_other_commerces_are_not_asked() {
    let mut foreign = store("de1", true, shows(3));
    foreign.commerce = "other shop".into();
    let stores = [store("De1", true, shows(1)), store("fr2", true, shows(4)), store("It1", true, shows(7))];
    assert_eq!(verdict(&stores, CountryConflict::Lowest), "fr2 4");
    assert_eq!(
        verdict(&[foreign, store("de2", true, shows(4))], CountryConflict::Oldest),
        "de1 3: de1 (DE) 3, de2 (DE) 4",
        "one country in two commerces is two groups, and the account's one number a conflict"
    );
}

#[test]
fn a_conflict_is_the_last_of_the_reasons() {
    let stores = [store("de1", true, shows(9)), store("fr2", true, shows(4))];
    for policy in [CountryConflict::Oldest, CountryConflict::Lowest, CountryConflict::Withhold] {
        let decision = resolve(&candidates(&stores), policy).unwrap().decision;
        assert_eq!(decision.reasons, [Reason::SalableQuantity, Reason::CountryConflict], "{policy:?}");
        let detail = (policy == CountryConflict::Withhold).then_some("de1 (DE) 9, fr2 (FR) 4");
        assert_eq!(decision.detail.as_deref(), detail, "{policy:?}");
    }
}

#[test]
fn every_candidate_has_a_role_and_a_reason_for_it() {
    let stores = [
        store("de1", true, shows(9)),
        store("de2", true, shows(8)),
        store("de1b", true, shows(7)),
        store("de0", false, elsewhere()),
        store("fr2", true, shows(4)),
        store("It1", true, shows(7)),
    ];
    let candidates = candidates(&stores);
    let tell = |verdict: &Verdict| (0..stores.len()).map(|index| verdict.why(&candidates, index)).collect::<Vec<_>>();
    let oldest = resolve(&candidates, CountryConflict::Oldest).unwrap();
    let in_country = Role::LostInCountry { to: 0 };
    let across = Role::LostAcrossCountries { to: 0 };
    assert_eq!(oldest.roles, [Role::Decides, in_country, in_country, in_country, across, Role::OutOfScope]);
    assert_eq!(
        tell(&oldest),
        [
            "decides: the oldest store whose website carries the product",
            "de1 is older, created at 1971-01-01T05:49:12Z",
            "de1, created at the same time, has the smaller name",
            "de1 comes before it: its own website does not carry the product",
            "first in FR, but for the account de1 is older, created at 1971-01-01T05:49:12Z",
            "the listing's account has no store in IT",
        ]
    );
    let lowest = resolve(&candidates, CountryConflict::Lowest).unwrap();
    assert_eq!(lowest.roles[0], Role::LostAcrossCountries { to: 4 });
    assert_eq!(lowest.why(&candidates, 0), "first in DE, but for the account fr2 has the smallest number");
    assert_eq!(lowest.why(&candidates, 4), "decides: the smallest number of the account's countries");
}

#[test]
fn a_website_carries_a_kit_when_it_carries_every_component() {
    let here = || component(Source::Known(reading(true, Stock::NoSource)));
    let elsewhere = || component(Source::Known(reading(false, Stock::NoSource)));
    let unknown = || component(Source::Unknown("no answer".to_owned()));
    let missing = || component(Source::Missing);
    for (components, expected) in [
        (vec![], Some(false)),
        (vec![here()], Some(true)),
        (vec![here(), here()], Some(true)),
        (vec![here(), elsewhere()], Some(false)),
        (vec![unknown(), elsewhere()], Some(false)),
        (vec![here(), unknown()], None),
        (vec![missing()], Some(false)),
        (vec![missing(), unknown()], Some(false)),
    ] {
        assert_eq!(carries(&components), expected, "{components:?}");
    }
}
