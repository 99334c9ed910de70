use super::Priority::{self, Drop, Rest, Restart, Zero};
use super::sort;
use crate::plan::Change;
use crate::plan::Lane;

fn change(name: &str, from: Option<u32>, to: u32) -> Change {
    Change {
        account: "acme".into(),
        seller_sku: name.into(),
        store: "acme-de".into(),
        country: "DE",
        marketplace: "A1PA6795UKMFR9".into(),
        from,
        accepted_at: None,
        to,
        lane: Lane::Patch,
        priority: Priority::of(from, to),
        reasons: Vec::new(),
        conflict: None,
        basis: String::new(),
        live: true,
    }
}

#[test]
fn a_change_is_as_urgent_as_the_harm_of_waiting() {
    for (believed, desired, expected) in [
        (None, 0, Zero),
        (Some(1), 0, Zero),
        (Some(0), 0, Zero),
        (Some(9), 7, Drop),
        (Some(1), 7, Rest),
        (Some(7), 7, Rest),
        (None, 7, Rest),
        (Some(0), 7, Restart),
    ] {
        assert_eq!(Priority::of(believed, desired), expected, "{believed:?} to {desired}");
    }
}

#[test]
fn priorities_survive_their_number() {
    for priority in Priority::ALL {
        assert_eq!(Priority::from_index(priority.index()), Some(priority));
    }
    assert_eq!(Priority::from_index(4), None);
}

#[test]
fn the_worse_the_harm_the_shorter_the_patience() {
    assert!(Priority::ALL.is_sorted_by(|a, b| a < b && a.patience() < b.patience()));
}

#[test]
fn zeroes_go_first_then_drops_then_restarts_and_larger_gaps_before_smaller() {
    let mut changes = [
        change("rest", Some(5), 9),
        change("unknown", None, 40),
        change("restart", Some(0), 3),
        change("restart-more", Some(0), 9),
        change("drop", Some(9), 8),
        change("drop-more", Some(9), 1),
        change("zero-b", Some(2), 0),
        change("zero-a", Some(2), 0),
        change("zero-more", Some(50), 0),
    ];
    sort(&mut changes);
    let order: Vec<&str> = changes.iter().map(|change| change.seller_sku.as_str()).collect();
    let expected = ["zero-more", "zero-a", "zero-b", "drop-more", "drop", "restart-more", "restart", "unknown", "rest"];
    assert_eq!(order, expected);
}
