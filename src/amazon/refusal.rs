//! Why Amazon refuses a whole account, as far as it can be told, and what to do about it.

use super::{is_plain, wire};
use crate::http::{Fault, Refusal};
use crate::model::SellerSku;

/// What only a person can put right. Everything that tells of it uses these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    GrantRevoked,
    SecretRefused,
    RoleMissing,
    WrongRegion,
}

impl Cause {
    pub const ALL: [Self; 4] = [Self::GrantRevoked, Self::SecretRefused, Self::RoleMissing, Self::WrongRegion];

    /// For scripts.
    pub const fn code(self) -> &'static str {
        match self {
            Self::GrantRevoked => "grant_revoked",
            Self::SecretRefused => "secret_refused",
            Self::RoleMissing => "role_missing",
            Self::WrongRegion => "wrong_region",
        }
    }

    /// What to do, and where.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::GrantRevoked => {
                "authorize the application again in Seller Central > Apps and Services > Develop Apps, and set \
                 `refresh_token` to what it gives: the authorization was revoked, or the token is wrong"
            }
            Self::SecretRefused => {
                "set `client_id` and `client_secret` to what Seller Central > Apps and Services > Develop Apps > View \
                 shows; a secret ends after 180 days, and is rotated there"
            }
            Self::RoleMissing => {
                "give the application the role Product Listing in Seller Central > Apps and Services > Develop Apps, \
                 authorize it again and set the new `refresh_token`; if it has the role, see that `seller_id` is right"
            }
            Self::WrongRegion => {
                "the account is of another region than configured: set its `region`, and its `endpoint` where one is given"
            }
        }
    }

    /// Nothing was sent at all.
    pub const fn is_of_sign_in(self) -> bool {
        matches!(self, Self::GrantRevoked | Self::SecretRefused)
    }

    /// A fault has only its words; those of a recognised one hold the advice, for they were put together in here.
    pub fn of(fault: &Fault) -> Option<Self> {
        let text = match fault {
            Fault::Unauthorized { message, .. } => message,
            Fault::Rejected(refusal) => &refusal.message,
            Fault::Transient { .. } | Fault::Nonsense { .. } | Fault::Exhausted { .. } => return None,
        };
        Self::ALL.into_iter().find(|cause| text.contains(cause.advice()))
    }

    /// Amazon's part of such a text, for where the advice stands by itself.
    pub fn without_advice(self, text: &str) -> String {
        text.replace(&self.aside(), "")
    }

    fn aside(self) -> String {
        format!(" ({})", self.advice())
    }

    /// Of the codes of Login with Amazon.
    fn of_sign_in(code: &str) -> Option<Self> {
        match code {
            "invalid_grant" => Some(Self::GrantRevoked),
            "invalid_client" | "unauthorized_client" => Some(Self::SecretRefused),
            _ => None,
        }
    }

    /// Every 403 has the same message; the details tell them apart, and without any it is the role.
    fn of_forbidden(details: &str) -> Option<Self> {
        if details.is_empty() {
            return Some(Self::RoleMissing);
        }
        details.to_ascii_lowercase().contains("region mismatch").then_some(Self::WrongRegion)
    }
}

/// What to do comes before a text of any length: it is cut at its end.
pub(super) fn sign_in_text(code: &str, description: &str) -> String {
    let aside = Cause::of_sign_in(code).map(Cause::aside).unwrap_or_default();
    format!("{code}{aside}: {description}")
}

pub(super) fn forbidden_text(error: &wire::Error) -> String {
    let details = error.details.as_deref().unwrap_or_default();
    let said = if details.is_empty() { String::new() } else { format!(" ({details})") };
    let aside = Cause::of_forbidden(details).map(Cause::aside).unwrap_or_default();
    format!("{}{aside}{said}", error.message.trim_end_matches('.'))
}

/// Whether the fault may be the account's, whatever was asked: it cannot sign in, or is forbidden something that many
/// may be.
pub fn is_account_wide(fault: &Fault, seller_sku: &SellerSku) -> bool {
    match fault {
        Fault::Unauthorized { .. } => true,
        Fault::Rejected(refusal) => refusal.status == 403 && is_plain(seller_sku),
        Fault::Transient { .. } | Fault::Nonsense { .. } | Fault::Exhausted { .. } => false,
    }
}

/// A path with odd characters may find no route, and then looks like a missing role.
pub(super) fn about_listing(fault: Fault, seller_sku: &SellerSku) -> Fault {
    match (Cause::of(&fault), fault) {
        (Some(cause @ Cause::RoleMissing), Fault::Rejected(refusal)) if !is_plain(seller_sku) => {
            let said = cause.without_advice(&refusal.message);
            let message = format!(
                "{said}; perhaps Amazon does not route the characters of this seller SKU: give the listing one of plain \
                 letters and digits, unless others of the account are refused as well"
            );
            Refusal { message, ..refusal }.into()
        }
        (_, fault) => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_by_what_amazon_says_and_by_nothing_else() {
        for (code, expected) in [
            ("invalid_grant", Some(Cause::GrantRevoked)),
            ("invalid_client", Some(Cause::SecretRefused)),
            ("unauthorized_client", Some(Cause::SecretRefused)),
            ("access_denied", None),
        ] {
            let fault = Fault::unauthorized(Some(400), sign_in_text(code, &"x".repeat(500)));
            assert_eq!(Cause::of(&fault), expected, "{fault}");
        }
        for (details, expected) in
            [("", Some(Cause::RoleMissing)), ("Region mismatch", Some(Cause::WrongRegion)), ("The moon is full.", None)]
        {
            let message = "Access to requested resource is denied.".to_owned();
            let error = wire::Error { code: "Unauthorized".into(), message, details: Some(details.into()) };
            let fault = Fault::from(Refusal { status: 403, code: None, message: forbidden_text(&error) });
            assert_eq!(Cause::of(&fault), expected, "{fault}");
            let exhausted = Fault::Exhausted { attempts: 3, last: Box::new(fault) };
            assert_eq!(Cause::of(&exhausted), None);
        }
    }

    #[test]
    fn codes_and_advice_tell_the_causes_apart_and_fit_a_line_of_the_log() {
        for cause in Cause::ALL {
            let others = Cause::ALL.into_iter().filter(|other| *other != cause);
            assert!(
                others.clone().all(|other| other.code() != cause.code() && !other.advice().contains(cause.advice()))
            );
            assert!(cause.advice().len() < 220, "{} is {} long", cause.code(), cause.advice().len());
        }
    }
}
