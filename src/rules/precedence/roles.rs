//! What became of each candidate. Losers are never silent.

use super::{Candidate, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Decides,
    /// Another store comes first in the same country of the same commerce.
    LostInCountry {
        to: usize,
    },
    /// First in its country, but another country's store decides for the whole account.
    LostAcrossCountries {
        to: usize,
    },
    /// The listing's account has no store in this country, so that it is not asked.
    OutOfScope,
}

/// `country_winners` names the first of each candidate's country, `winners` those of the account's countries.
pub(super) fn roles(
    candidates: &[Candidate<'_>],
    country_winners: &[usize],
    winners: &[usize],
    winner: usize,
) -> Vec<Role> {
    let role = |index: usize| match country_winners[index] {
        _ if index == winner => Role::Decides,
        first if !winners.contains(&first) => Role::OutOfScope,
        first if first == index => Role::LostAcrossCountries { to: winner },
        first => Role::LostInCountry { to: first },
    };
    (0..candidates.len()).map(role).collect()
}

impl Verdict {
    /// One candidate's role in words; `candidates` are those that the verdict was made from.
    pub fn why(&self, candidates: &[Candidate<'_>], index: usize) -> String {
        let me = &candidates[index];
        match self.roles[index] {
            Role::Decides => self.why_it_decides(candidates).to_owned(),
            Role::LostInCountry { to } => why_it_lost(me, &candidates[to]),
            Role::LostAcrossCountries { to } => {
                format!("first in {}, but for the account {}", me.country, why_it_lost(me, &candidates[to]))
            }
            Role::OutOfScope => format!("the listing's account has no store in {}", me.country),
        }
    }

    fn why_it_decides(&self, candidates: &[Candidate<'_>]) -> &'static str {
        let winner = &candidates[self.winner];
        let passed_over = |(role, candidate): (&Role, &Candidate<'_>)| {
            matches!(role, Role::LostAcrossCountries { .. }) && candidate.rank() < winner.rank()
        };
        let out_of_turn = self.roles.iter().zip(candidates).any(passed_over);
        match winner.carries {
            None => "comes first, but whether its website carries the product is not known",
            _ if out_of_turn && winner.withholds() => "has no number, and every country's is needed",
            _ if out_of_turn => "decides: the smallest number of the account's countries",
            _ if candidates.len() == 1 => "decides: the only store",
            Some(true) => "decides: the oldest store whose website carries the product",
            Some(false) => "decides: the oldest store, as no website carries the product",
        }
    }
}

fn why_it_lost(me: &Candidate<'_>, winner: &Candidate<'_>) -> String {
    let name = &winner.key.name;
    if winner.rank() > me.rank() {
        return if winner.withholds() {
            format!("{name} has no number, and every country's is needed")
        } else {
            format!("{name} has the smallest number")
        };
    }
    if winner.may_carry() && !me.may_carry() {
        format!("{name} comes before it: its own website does not carry the product")
    } else if winner.key.created_at < me.key.created_at {
        format!("{name} is older, created at {}", winner.key.created_at)
    } else {
        format!("{name}, created at the same time, has the smaller name")
    }
}
