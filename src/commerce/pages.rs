//! How large the pages of a list may be: smaller while they are slow, and back again step by step.

use std::collections::HashMap;
use std::time::Duration;

/// A page that takes longer keeps the shop's database from its customers, and comes near to the patience of gateways.
const SLOW: Duration = Duration::from_secs(20);
/// A page that takes longer is large enough. Gateways that give up do so later than this.
const FAST: Duration = Duration::from_secs(5);
/// Below, the request itself costs more than its rows.
const SMALLEST: u32 = 20;
/// Fewer grow back into the trouble at once; more, and a sweep is slow for long after it.
const STEPS: u32 = 20;

/// The largest page of each operation: what was asked for first, or less where the server said so.
#[derive(Debug, Default)]
pub(super) struct Pages(HashMap<&'static str, u32>);

impl Pages {
    /// Takes note of what the server says is the most.
    pub(super) fn limit(&mut self, operation: &'static str, maximum: u32) {
        self.0.entry(operation).and_modify(|largest| *largest = maximum.min(*largest)).or_insert(maximum);
    }

    /// The size to ask for next, after a page of `size` took so long, and came or did not.
    pub(super) fn next(&mut self, operation: &'static str, size: u32, took: Duration, came: bool) -> u32 {
        let largest = *self.0.entry(operation).or_insert(size);
        if took > if came { SLOW } else { FAST } {
            return (size / 2).max(SMALLEST).min(size);
        }
        if !came || took >= FAST || size >= largest {
            return size;
        }
        largest.min(size + (largest / STEPS).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_pages_shrink_and_fast_ones_grow_back() {
        for (name, size, seconds, came, expected) in [
            ("as configured", 300, 1, true, 300),
            ("a bad moment", 300, 70, true, 150),
            ("an odd size", 75, 70, true, 37),
            ("down to the smallest", 37, 70, true, 20),
            ("never below", 20, 70, true, 20),
            ("one that was smaller before", 7, 70, true, 7),
            ("neither slow nor fast", 150, 20, true, 150),
            ("not fast enough to grow", 150, 5, true, 150),
            ("fast", 150, 4, true, 165),
            ("the last step", 290, 4, true, 300),
            ("a gateway that gave up", 300, 15, false, 150),
            ("a refusal at once", 150, 0, false, 150),
        ] {
            let mut pages = Pages::default();
            pages.next("products", 300, Duration::ZERO, true);
            assert_eq!(pages.next("products", size, Duration::from_secs(seconds), came), expected, "{name}");
        }
    }

    #[test]
    fn a_page_grows_to_what_the_server_stated_and_no_further() {
        let mut pages = Pages::default();
        pages.next("products", 300, Duration::ZERO, true);
        pages.limit("products", 100);
        let sizes: Vec<u32> = (0..20)
            .scan(50, |size, _| {
                *size = pages.next("products", *size, Duration::ZERO, true);
                Some(*size)
            })
            .collect();
        assert_eq!((sizes[0], sizes[9], sizes[19]), (55, 100, 100));
        pages.limit("products", 1000);
        assert_eq!(pages.next("products", 100, Duration::ZERO, true), 100, "a limit only lowers");
        assert_eq!(pages.next("stockItems/lowStock", 1000, Duration::ZERO, true), 1000, "of its own operation");
    }
}
