//! How a change travels: by a call of its own, or with thousands of others in a feed. Arithmetic decides.

use std::time::Duration;

use super::{Change, Priority};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lane {
    /// One call a listing.
    #[default]
    Patch,
    /// One document for up to 25,000 of them.
    Feed,
}

/// How fast the two lanes are for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speeds {
    /// One patch goes out in so much time.
    pub patch_every: Duration,
    /// A feed that is created now is through after so much time.
    pub feed_time: Duration,
}

impl Lane {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Feed => "feed",
        }
    }
}

impl Speeds {
    /// How many changes patches send until a feed that is created now would be through. What stands behind them in the
    /// order is faster in a feed.
    pub fn within_reach(&self) -> u64 {
        let every = self.patch_every.as_nanos().max(1);
        u64::try_from(self.feed_time.as_nanos() / every).unwrap_or(u64::MAX)
    }

    pub fn patch_time(&self, changes: u64) -> Duration {
        let nanos = self.patch_every.as_nanos().saturating_mul(u128::from(changes));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Gives every change of one account, in sending order, its lane: patches as far as they reach, and for every zero, however
/// many there are, for a feed may be stuck for hours.
pub fn assign_lanes(changes: &mut [Change], speeds: &Speeds) {
    let reach = usize::try_from(speeds.within_reach()).unwrap_or(usize::MAX);
    for change in changes.iter_mut().skip(reach) {
        change.lane = if change.priority == Priority::Zero { Lane::Patch } else { Lane::Feed };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_reach_as_far_as_a_feed_takes() {
        for (per_second, feed_minutes, expected) in
            [(5, 15, 4500), (5, 8, 2400), (1, 15, 900), (500, 15, 450_000), (5, 0, 0)]
        {
            let speeds = Speeds {
                patch_every: Duration::from_secs(1) / per_second,
                feed_time: Duration::from_mins(feed_minutes),
            };
            assert_eq!(speeds.within_reach(), expected, "{per_second}/s, {feed_minutes} min");
            assert_eq!(speeds.patch_time(expected), speeds.feed_time);
        }
        let never = Speeds { patch_every: Duration::ZERO, feed_time: Duration::MAX };
        assert_eq!((never.within_reach(), never.patch_time(7)), (u64::MAX, Duration::ZERO));
    }
}
