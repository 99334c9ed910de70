//! What precedence holds for every set of stores, whatever their numbers.

#![expect(clippy::unwrap_used, reason = "a broken property should panic")]

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use stocksync::model::{CommerceName, CountryConflict, StoreKey};
use stocksync::reason::Reason;
use stocksync::rules::precedence::{Candidate, Role, resolve};
use stocksync::rules::quantity::{Decision, Limit, Outcome};

fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig { cases: 512, failure_persistence: Some(Box::new(persistence)), ..ProptestConfig::default() }
}

/// A store as precedence sees it. The decision is what may change without changing who comes first.
#[derive(Clone, Debug)]
struct Contender {
    key: StoreKey,
    commerce: CommerceName,
    country: &'static str,
    own_account: bool,
    carries: Option<bool>,
    decision: Decision,
}

fn decision() -> impl Strategy<Value = Decision> {
    let number = |quantity| Decision {
        outcome: Outcome::Quantity(quantity),
        reasons: vec![Reason::SalableQuantity],
        detail: None,
        limited_by: Limit::Stock,
        steps: Vec::new(),
    };
    prop_oneof![
        6 => (0..6_u32).prop_map(number),
        1 => Just(Decision::withheld(Reason::CompositeProduct, "a bundle".to_owned())),
    ]
}

fn contenders() -> impl Strategy<Value = Vec<Contender>> {
    let carries = prop_oneof![6 => Just(Some(true)), 2 => Just(Some(false)), 1 => Just(None)];
    let country = prop::sample::select(vec!["DE", "FR", "IT"]);
    let facts = (0..4_i64, prop::bool::weighted(0.2), country, prop::bool::weighted(0.7), carries, decision());
    prop::collection::vec(facts, 1..7).prop_map(|stores| {
        let contender = |(index, (second, other_shop, country, own_account, carries, decision))| Contender {
            key: StoreKey {
                created_at: Timestamp::from_second(second).unwrap(),
                name: format!("store-{index}").into(),
            },
            commerce: if other_shop { "other" } else { "shop" }.into(),
            country,
            own_account,
            carries,
            decision,
        };
        stores.into_iter().enumerate().map(contender).collect()
    })
}

fn policy() -> impl Strategy<Value = CountryConflict> {
    prop_oneof![Just(CountryConflict::Oldest), Just(CountryConflict::Lowest), Just(CountryConflict::Withhold)]
}

impl Contender {
    fn candidate(&self) -> Candidate<'_> {
        let Self { key, commerce, country, own_account, carries, decision } = self;
        let (own_account, carries, decision) = (*own_account, *carries, decision.clone());
        Candidate { key, commerce, country, own_account, carries, decision }
    }
}

fn candidates(contenders: &[Contender]) -> Vec<Candidate<'_>> {
    contenders.iter().map(Contender::candidate).collect()
}

/// Winner, decision, roles and conflict, by names instead of positions.
type Named = (String, Decision, Vec<(String, String)>, String);

fn named(contenders: &[Contender], policy: CountryConflict) -> Option<Named> {
    let verdict = resolve(&candidates(contenders), policy)?;
    let name = |index: usize| contenders[index].key.name.to_string();
    let role = |(index, role): (usize, &Role)| match role {
        Role::LostInCountry { to } => (name(index), format!("lost in its country to {}", name(*to))),
        Role::LostAcrossCountries { to } => (name(index), format!("lost to {}", name(*to))),
        Role::Decides | Role::OutOfScope => (name(index), format!("{role:?}")),
    };
    let mut roles: Vec<(String, String)> = verdict.roles.iter().enumerate().map(role).collect();
    roles.sort();
    Some((name(verdict.winner), verdict.decision, roles, format!("{:?}", verdict.conflict)))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_order_of_stores_means_nothing(
        (stores, shuffled) in contenders().prop_flat_map(|stores| (Just(stores.clone()), Just(stores).prop_shuffle())),
        policy in policy()
    ) {
        prop_assert_eq!(named(&stores, policy), named(&shuffled, policy));
    }

    #[test]
    fn losers_never_decide(
        mut stores in contenders(), policy in policy(), which in any::<prop::sample::Index>(), other in decision()
    ) {
        let Some(before) = resolve(&candidates(&stores), policy) else { return Ok(()) };
        let index = which.index(stores.len());
        stores[index].decision = other;
        let after = resolve(&candidates(&stores), policy).unwrap();
        match before.roles[index] {
            // The other countries' numbers are what the two other policies compare.
            Role::LostAcrossCountries { .. } if policy == CountryConflict::Oldest => {
                prop_assert_eq!((before.winner, before.decision.outcome), (after.winner, after.decision.outcome));
            }
            Role::Decides | Role::LostAcrossCountries { .. } => {}
            Role::LostInCountry { .. } | Role::OutOfScope => prop_assert_eq!(before, after),
        }
    }

    #[test]
    fn a_number_is_always_the_number_of_the_winner(stores in contenders(), policy in policy()) {
        let Some(verdict) = resolve(&candidates(&stores), policy) else {
            prop_assert!(stores.iter().all(|store| !store.own_account));
            return Ok(());
        };
        let winner = &stores[verdict.winner];
        if verdict.decision.outcome.quantity().is_some() {
            prop_assert_eq!(verdict.decision.outcome, winner.decision.outcome);
            prop_assert!(winner.carries.is_some(), "a store that is not known to carry the product decides nothing");
            if policy == CountryConflict::Oldest {
                let mut rivals = stores.iter().filter(|store| store.own_account && store.carries != Some(false));
                let first = rivals.all(|store| winner.carries == Some(true) && store.key >= winner.key);
                prop_assert!(first, "a store of the account comes before the winner");
            }
        }
    }

    #[test]
    fn the_policies_differ_only_in_a_conflict(stores in contenders()) {
        let by = |policy| resolve(&candidates(&stores), policy).map(|verdict| verdict.decision);
        let (oldest, lowest, withhold) =
            (by(CountryConflict::Oldest), by(CountryConflict::Lowest), by(CountryConflict::Withhold));
        let (Some(oldest), Some(lowest), Some(withhold)) = (oldest, lowest, withhold) else { return Ok(()) };
        match withhold.outcome {
            Outcome::Quantity(_) => prop_assert_eq!((&withhold, &withhold), (&oldest, &lowest)),
            Outcome::Withheld(Reason::CountryConflict) => {
                prop_assert!(lowest.outcome.quantity() <= oldest.outcome.quantity());
                prop_assert!(lowest.reasons.contains(&Reason::CountryConflict));
            }
            Outcome::Withheld(_) => prop_assert_eq!(withhold, lowest),
        }
    }
}
