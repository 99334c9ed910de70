//! What is known of one listing on Amazon: where it is shown, who ships it, and which quantity we believe it has.

use jiff::{SignedDuration, Timestamp};

use super::{AccountName, MarketplaceId, SellerSku};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub account: AccountName,
    pub seller_sku: SellerSku,
    /// Where Amazon shows it, sorted.
    pub marketplaces: Vec<MarketplaceId>,
    pub channel: Channel,
    /// Amazon showed it live, and did not take it back since.
    pub live: bool,
    pub belief: Belief,
    /// The quantity that is on its way in an open feed: nothing but a zero overtakes it.
    pub in_feed: Option<u32>,
    pub refusal: Option<Refusal>,
    pub unapplied: Option<Unapplied>,
}

/// Who ships it. Only a merchant-fulfilled listing is ever sent a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    Unknown,
    /// `DEFAULT` and nothing else.
    Merchant,
    /// Any `AMAZON_*` code, alone or beside `DEFAULT`.
    Amazon(String),
    /// A code that is neither: a location of multi-location inventory.
    Other(String),
}

impl Channel {
    /// From the codes that Amazon shows live. One foreign code is enough to keep away.
    pub fn from_codes<'a>(codes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut channel = Self::Unknown;
        for code in codes {
            channel = match (channel, code) {
                (Self::Amazon(first), _) => Self::Amazon(first),
                (_, code) if code.starts_with("AMAZON") || code == "AFN" => Self::Amazon(code.to_owned()),
                (Self::Other(first), _) => Self::Other(first),
                (_, "DEFAULT") => Self::Merchant,
                (_, code) => Self::Other(code.to_owned()),
            };
        }
        channel
    }

    /// The code as it is stored and shown; empty when unknown.
    pub fn code(&self) -> &str {
        match self {
            Self::Unknown => "",
            Self::Merchant => "DEFAULT",
            Self::Amazon(code) | Self::Other(code) => code,
        }
    }
}

/// A quantity and when it was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub quantity: u32,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belief {
    /// What Amazon showed live.
    pub observed: Option<Known>,
    /// What Amazon took in.
    pub accepted: Option<Known>,
    /// What was believed when `accepted` was sent: as long as Amazon still shows this, the submission is under way.
    pub prior: Option<u32>,
    /// A quantity that was sent and whose answer never came: Amazon may show it or not.
    pub in_doubt: Option<u32>,
    /// When Amazon was last asked.
    pub looked_at: Option<Timestamp>,
    /// The readings' numbers when the belief was established. When they moved since, a sale may hide behind an
    /// unchanged desired number.
    pub basis: Option<String>,
}

impl Belief {
    /// The newest of accepted and observed.
    pub fn believed(&self) -> Option<Known> {
        self.unconfirmed().or(self.observed)
    }

    /// Accepted, and not seen live since. Of two in one millisecond the look came first: it is what a change is sent on.
    pub fn unconfirmed(&self) -> Option<Known> {
        self.accepted.filter(|accepted| self.observed.is_none_or(|observed| observed.at <= accepted.at))
    }

    /// Accepted, not seen live since, and not looked for once `patience` was over: another number, seen while it was
    /// under way, says nothing about it.
    pub fn unproven(&self, patience: SignedDuration) -> Option<Known> {
        let proven = |accepted: &Known, observed: Known| {
            let patient = observed.at.duration_since(accepted.at) >= patience;
            patient || observed.at > accepted.at && observed.quantity == accepted.quantity
        };
        self.accepted.filter(|accepted| !self.observed.is_some_and(|observed| proven(accepted, observed)))
    }
}

/// Amazon refused the last attempt, or the attempts ran out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub failures: u32,
    pub refused_at: Timestamp,
    pub retry_at: Timestamp,
    /// In Amazon's words.
    pub text: String,
}

/// Amazon took in our quantities, one after the other, and did not show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unapplied {
    pub times: u32,
    /// The last time that was seen.
    pub found_at: Timestamp,
    /// What was accepted, and what is shown in place of it.
    pub evidence: String,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Belief, Channel, Known};

    #[test]
    fn the_newest_is_believed_and_of_two_at_once_what_was_accepted() {
        let known = |second| Some(Known { quantity: 1, at: Timestamp::constant(second, 0) });
        for (accepted, observed, expected, unconfirmed) in [
            (known(2), known(1), known(2), true),
            (known(2), known(2), known(2), true),
            (known(2), known(3), known(3), false),
            (known(2), None, known(2), true),
            (None, known(3), known(3), false),
            (None, None, None, false),
        ] {
            let belief = Belief { observed, accepted, ..Belief::default() };
            assert_eq!(belief.believed(), expected, "{accepted:?} {observed:?}");
            assert_eq!(belief.unconfirmed().is_some(), unconfirmed, "{accepted:?} {observed:?}");
        }
    }

    #[test]
    fn any_foreign_code_keeps_us_away() {
        for (codes, expected) in [
            (&[][..], Channel::Unknown),
            (&["DEFAULT"], Channel::Merchant),
            (&["AMAZON_EU"], Channel::Amazon("AMAZON_EU".into())),
            (&["DEFAULT", "AMAZON_EU"], Channel::Amazon("AMAZON_EU".into())),
            (&["AMAZON_EU", "DEFAULT"], Channel::Amazon("AMAZON_EU".into())),
            (&["DEFAULT", "StoreID1"], Channel::Other("StoreID1".into())),
            (&["StoreID1", "DEFAULT"], Channel::Other("StoreID1".into())),
            (&["StoreID1", "AMAZON_NA"], Channel::Amazon("AMAZON_NA".into())),
        ] {
            assert_eq!(Channel::from_codes(codes.iter().copied()), expected, "{codes:?}");
        }
    }
}
