use std::collections::BTreeMap;

use super::{Extent, Guarded, Released, Shrunken, guard};
use crate::model::{GuardLimits, StoreName};
use crate::plan::{Change, Lane, Priority};
use crate::reason::Reason;

const DOCUMENTED: GuardLimits =
    GuardLimits { max_zeroed_percent: 20, max_zeroed_count: 500, max_units_drop_percent: 50, max_changes: None };

fn change(store: &str, number: usize, from: u32, to: u32) -> Change {
    Change {
        account: "acme".into(),
        seller_sku: format!("{store}-{number}").as_str().into(),
        store: store.into(),
        country: "DE",
        marketplace: "A1PA6795UKMFR9".into(),
        from: Some(from),
        accepted_at: None,
        to,
        lane: Lane::Patch,
        priority: Priority::of(Some(from), to),
        reasons: vec![Reason::SalableQuantity],
        conflict: None,
        basis: String::new(),
        live: true,
    }
}

fn changes(count: usize, from: u32, to: u32) -> Vec<Change> {
    (0..count).map(|number| change("de", number, from, to)).collect()
}

fn extents(listings: u64, units: u64) -> BTreeMap<StoreName, Extent> {
    BTreeMap::from([("de".into(), Extent { listings, units, shrunken: None })])
}

fn guarded(changes: Vec<Change>, extents: &BTreeMap<StoreName, Extent>, limits: GuardLimits) -> Guarded {
    guard(changes, extents, |_| limits, &Released::new())
}

#[test]
fn zeroes_are_held_from_a_count_or_a_share_on() {
    for (name, zeroes, listings, held) in [
        ("a fifth", 20, 100, 0),
        ("more than a fifth", 21, 100, 21),
        ("a handful of few", 9, 10, 0),
        ("no longer a handful", 10, 10, 10),
        ("many of very many", 500, 100_000, 0),
        ("too many of very many", 501, 100_000, 501),
    ] {
        let found = guarded(changes(zeroes, 1, 0), &extents(listings, 1_000_000), DOCUMENTED);
        assert_eq!((found.held.len(), found.passed.len()), (held, zeroes - held), "{name}");
        assert!(found.held.iter().all(|(_, guard)| *guard == Reason::GuardZeroed), "{name}");
    }
    let none = GuardLimits { max_zeroed_percent: 0, ..DOCUMENTED };
    assert_eq!(guarded(changes(1, 1, 0), &extents(1000, 1_000_000), none).held.len(), 1, "0 percent holds every one");
    let all = GuardLimits { max_zeroed_percent: 100, max_zeroed_count: 100_000_000, ..DOCUMENTED };
    assert_eq!(guarded(changes(900, 1, 0), &extents(900, 1_000_000), all).held.len(), 0, "100 percent holds none");
}

#[test]
fn what_is_at_zero_or_unknown_already_does_not_count() {
    let mut zeroes = changes(50, 0, 0);
    zeroes.extend((50..60).map(|number| Change { from: None, ..change("de", number, 9, 0) }));
    assert_eq!(guarded(zeroes, &extents(60, 1000), DOCUMENTED).held.len(), 0);
}

#[test]
fn only_the_dangerous_part_is_held_and_of_the_store_in_danger() {
    let mut all = changes(40, 5, 0);
    all.extend((40..60).map(|number| change("de", number, 5, 4)));
    all.extend((60..80).map(|number| change("de", number, 5, 9)));
    all.extend((0..5).map(|number| change("fr", number, 5, 0)));
    let mut extents = extents(100, 500);
    extents.insert("fr".into(), Extent { listings: 100, units: 500, shrunken: None });
    let found = guarded(all.clone(), &extents, DOCUMENTED);
    assert_eq!((found.held.len(), found.passed.len()), (40, 45));
    assert!(found.held.iter().all(|(change, _)| change.to == 0 && change.store.as_str() == "de"));
    assert_eq!(found.trips.len(), 1);
    assert_eq!((found.trips[0].store.as_str(), found.trips[0].held), ("de", 40));
    assert_eq!(found.trips[0].detail, "40 of 100 listings would go to 0; allowed are 20 % and 500");
    let order: Vec<_> = found.passed.iter().map(|change| &change.seller_sku).collect();
    let came: Vec<_> = all[40..].iter().map(|change| &change.seller_sku).collect();
    assert_eq!(order, came, "in the order they came");
}

#[test]
fn a_drop_of_half_the_units_is_held_and_raises_make_up_for_it() {
    for (name, drops, raises, held) in [
        ("half", (50, 10, 0), 0, 0),
        ("more than half", (51, 10, 1), 0, 0),
        ("far more", (60, 10, 1), 0, 60),
        ("few, but large", (9, 90, 1), 0, 0),
        ("made up for", (60, 10, 1), 60, 0),
    ] {
        let (count, from, to) = drops;
        let mut all = changes(count, from, to);
        all.extend((100..100 + raises).map(|number| change("de", number, 1, 10)));
        let limits = GuardLimits { max_zeroed_percent: 100, ..DOCUMENTED };
        let found = guarded(all, &extents(200, 1000), limits);
        assert_eq!(found.held.len(), held, "{name}");
        assert!(found.held.iter().all(|(_, guard)| *guard == Reason::GuardUnitsDrop), "{name}");
    }
}

#[test]
fn of_a_shrunken_source_only_what_rests_on_absence_is_held() {
    let mut all = changes(3, 5, 0);
    all[0].reasons = vec![Reason::ProductMissing];
    all[1].reasons = vec![Reason::NotInStock];
    let shrunken = Some(Shrunken { now: 10, before: 100 });
    let extents = BTreeMap::from([("de".into(), Extent { listings: 100, units: 500, shrunken })]);
    let found = guarded(all, &extents, DOCUMENTED);
    assert_eq!((found.held.len(), found.passed.len()), (2, 1));
    assert_eq!(found.trips[0].guard, Reason::GuardSourceShrunken);
    assert_eq!(found.trips[0].detail, "commerce named 10 products, 100 before");
}

#[test]
fn too_many_changes_hold_what_does_not_stop_overselling() {
    let mut all = changes(6, 5, 3);
    all.extend((10..16).map(|number| change("de", number, 5, 9)));
    let limits = GuardLimits { max_changes: Some(11), ..DOCUMENTED };
    let found = guarded(all.clone(), &extents(1000, 5000), limits);
    assert_eq!((found.held.len(), found.passed.len()), (6, 6));
    assert!(found.held.iter().all(|(change, guard)| change.to == 9 && *guard == Reason::GuardChanges));
    let enough = GuardLimits { max_changes: Some(12), ..DOCUMENTED };
    assert_eq!(guarded(all, &extents(1000, 5000), enough).held.len(), 0);
}

#[test]
fn what_somebody_released_goes_and_nothing_else() {
    let released: Released = (0..40).map(|number| (format!("de-{number}").as_str().into(), 0)).collect();
    let zeroes = changes(60, 5, 0);
    let found = guard(zeroes.clone(), &extents(100, 500), |_| DOCUMENTED, &released);
    assert_eq!((found.passed.len(), found.held.len()), (60, 0), "the 20 others are within the limits");
    let found = guard(zeroes, &extents(50, 250), |_| DOCUMENTED, &released);
    assert_eq!((found.passed.len(), found.held.len()), (40, 20));
    // Another quantity than the one that was looked at.
    let found = guard(
        changes(40, 5, 0),
        &extents(50, 250),
        |_| DOCUMENTED,
        &released.keys().map(|sku| (sku.clone(), 1)).collect(),
    );
    assert_eq!(found.held.len(), 40);
}
