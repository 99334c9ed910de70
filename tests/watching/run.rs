//! A run: changes between the ticks and in them, and after each tick a look at everything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use stocksync::model::{Backorders, Sku};
use stocksync::plan::Plan;
use stocksync::store::{StoredProduct, StoredStock};

use super::bench::{Bench, Variant, cycle};
use super::kinds::{KINDS, Kind, Seen, UPHEAVALS};
use super::shop::{Count, Pending};
use super::truth::{Expected, Known, SITES};

const TICK: SignedDuration = SignedDuration::from_mins(5);
/// How often all has its turn where a watch is blind, by the program's documentation.
const BLIND_SWEEP_MIN: u32 = 60;
/// What the settings' turn is of the sweep's, by the program's documentation.
const TURNS_A_SWEEP: u32 = 6;
/// After something that concerns very many, products may have to wait: nothing is decided about them meanwhile.
const WAIT: SignedDuration = SignedDuration::from_mins(11);
/// Changes while a tick is under way, of a hundred.
const DURING: u32 = 12;

/// So many rows, and more than one of so many.
const LOST_ANYWAY: usize = 20;
const LOST_AT_ONCE: usize = 5;

type Dump = BTreeMap<(usize, String), String>;

pub(crate) struct Run {
    pub(crate) variant: Variant,
    pub(crate) bench: Bench,
    dump: Dump,
    pub(crate) round: u32,
    /// What the last plan said of a listing.
    said: BTreeMap<String, String>,
    upheaved_at: Timestamp,
    /// Those that are wrong and should not be, each once.
    wrong: BTreeSet<String>,
    missed: Vec<String>,
    missed_by_kind: BTreeMap<String, u32>,
    /// When trouble ended last: what came before counts as if it had come then.
    pub(crate) calm_since: Timestamp,
}

impl Run {
    pub(crate) async fn start(variant: Variant) -> Self {
        let bench = Bench::start(&variant).await;
        cycle(bench.assembly()).await;
        bench.wait(Duration::from_mins(2)).await;
        let dump = bench.dump().await;
        let calm_since = bench.clock.now();
        bench.shop.commerce.reset_stats();
        let mut run = Self {
            variant,
            bench,
            dump,
            round: 0,
            said: BTreeMap::new(),
            upheaved_at: Timestamp::MIN,
            wrong: BTreeSet::new(),
            missed: Vec::new(),
            missed_by_kind: BTreeMap::new(),
            calm_since,
        };
        run.look(calm_since).await;
        run
    }

    /// Ticks without changes until everything had its turn.
    pub(crate) async fn settle(&mut self) {
        let sweep = self.variant.sweep_every_min.max(self.sweep_min());
        for _ in 0..sweep / 5 + self.variant.index_lag_min / 5 + 2 {
            self.round(0).await;
        }
        self.nothing_was_missed();
        assert!(self.bench.shop.pending.is_empty(), "{:?}", self.bench.shop.pending);
    }

    /// Five minutes with a tick, and what it must have found.
    pub(crate) async fn round(&mut self, changes: u32) {
        self.round += 1;
        let during = changes * DURING / 100;
        if changes > 0 {
            self.upheave();
        }
        self.happen(changes - during, Duration::from_mins(3)).await;
        self.wait_for_tick().await;
        self.note_dump().await;
        let began = self.bench.clock.now();
        let plan = self.tick(during).await;
        self.said = said(&plan);
        self.bench.wait(Duration::from_secs(50)).await;
        self.look(began).await;
    }

    /// A tick of which nothing is expected.
    pub(crate) async fn tick_unseen(&mut self) {
        self.wait_for_tick().await;
        self.note_dump().await;
        self.tick(0).await;
        self.bench.wait(Duration::from_secs(50)).await;
    }

    pub(crate) fn upheave(&mut self) {
        if self.round.is_multiple_of(3) {
            let turn = u64::from(self.round / 3) + self.variant.seed;
            self.bench.shop.make(UPHEAVALS[usize::try_from(turn).unwrap() % UPHEAVALS.len()]);
            self.upheaved_at = self.bench.clock.now();
        }
    }

    pub(crate) async fn wait_for_tick(&self) {
        let now = self.bench.clock.now().as_second();
        let seconds = 300 - now.rem_euclid(300);
        self.bench.wait(Duration::from_secs(seconds.unsigned_abs())).await;
    }

    /// Changes, a few at a time.
    pub(crate) async fn happen(&mut self, changes: u32, within: Duration) {
        let goal = self.bench.shop.made() + changes;
        while self.bench.shop.made() < goal {
            for _ in 0..self.bench.shop.rng.random_range(1..8) {
                self.bench.shop.happen();
            }
            let share = self.bench.shop.rng.random_range(0.1..1.5);
            self.bench.wait((within * 4 / changes.max(1)).mul_f64(share)).await;
        }
    }

    /// A cycle, and changes while it is under way.
    async fn tick(&mut self, changes: u32) -> Plan {
        let Self { bench, .. } = self;
        let (assembly, shop) = bench.parts();
        let happening = async {
            for _ in 0..changes {
                let pause = Duration::from_millis(shop.rng.random_range(0..400));
                shop.clock.sleep(pause).await;
                shop.happen();
            }
        };
        tokio::join!(cycle(assembly), happening).0
    }

    /// Marks what the index shows otherwise than at the last tick. An index that lost very many rows at once looks like one
    /// that is being rebuilt: by the program's documentation they are found by the rolling sweep.
    pub(crate) async fn note_dump(&mut self) {
        let mut dump = self.bench.dump().await;
        for site in 0..SITES.len() {
            let before: Vec<_> = self.dump.iter().filter(|((own, _), _)| *own == site).collect();
            let gone: Vec<_> = before.iter().filter(|(key, _)| !dump.contains_key(*key)).copied().collect();
            if gone.len() > LOST_ANYWAY && gone.len() > before.len() / LOST_AT_ONCE {
                dump.extend(gone.into_iter().map(|(key, row)| (key.clone(), row.clone())));
            }
        }
        let other = |a: &Dump, b: &Dump| -> BTreeSet<String> {
            a.iter().filter(|(key, row)| b.get(key) != Some(row)).map(|((_, sku), _)| sku.clone()).collect()
        };
        for sku in other(&dump, &self.dump).union(&other(&self.dump, &dump)) {
            for pending in self.bench.shop.pending.get_mut(sku).into_iter().flatten() {
                pending.dumped = true;
            }
        }
        self.dump = dump;
    }

    fn sweep_min(&self) -> u32 {
        let sweep = self.variant.sweep_every_min;
        if self.variant.may_read_orders { sweep } else { sweep.min(BLIND_SWEEP_MIN) }
    }

    /// Whether a tick that began then must have found it.
    fn is_due(&self, pending: &Pending, began: Timestamp) -> bool {
        let seen = match pending.kind.seen() {
            Seen::Orders if !self.variant.may_read_orders => Seen::Index,
            seen => seen,
        };
        let since = pending.at.max(self.calm_since);
        let minutes = |minutes: u32| began.duration_since(since) >= TICK + SignedDuration::from_mins(minutes.into());
        match seen {
            Seen::Orders | Seen::Saves | Seen::System => began > since,
            Seen::Turn => minutes(self.variant.sweep_every_min / TURNS_A_SWEEP),
            Seen::Index | Seen::Sweep => (pending.dumped && began > since) || minutes(self.sweep_min()),
        }
    }

    /// Compares everything with the truth.
    pub(crate) async fn look(&mut self, began: Timestamp) {
        let names: Vec<Sku> = self.bench.shop.names.iter().map(|sku| sku.as_str().into()).collect();
        let stored = self.bench.assembly().store.products(&"shop".into(), &names).await.unwrap();
        for name in &names {
            let sku = name.as_str();
            let expected = self.bench.shop.expected(sku);
            let Some(why) = difference(stored.get(name), self.bench.shown(sku), &expected) else {
                self.bench.shop.pending.remove(sku);
                self.wrong.remove(sku);
                continue;
            };
            let mut pending = self.bench.shop.pending.remove(sku).unwrap_or_default();
            // Of several nobody can tell which it was.
            if let [one] = &mut *pending
                && one.at < began
                && !std::mem::replace(&mut one.passed_by, true)
            {
                self.bench.shop.counts.entry(one.kind).or_default().late += 1;
            }
            let known = stored.get(name).is_some_and(|stored| stored.suspect.is_some());
            let waits = known && began < self.upheaved_at.saturating_add(WAIT).unwrap();
            if !waits && pending.iter().all(|one| self.is_due(one, began)) {
                self.miss(sku, &why, &pending, &expected, began);
            } else {
                self.bench.shop.pending.insert(sku.to_owned(), pending);
            }
        }
    }

    fn miss(&mut self, sku: &str, why: &str, pending: &[Pending], expected: &Expected, began: Timestamp) {
        if !self.wrong.insert(sku.to_owned()) {
            return;
        }
        let kinds: BTreeSet<String> = pending.iter().map(|one| one.kind.to_string()).collect();
        let kinds =
            if kinds.is_empty() { "nothing".to_owned() } else { kinds.into_iter().collect::<Vec<_>>().join("+") };
        *self.missed_by_kind.entry(kinds).or_default() += 1;
        let (round, planned) = (self.round, self.said.get(sku).map_or("nothing", |said| said));
        self.missed.push(format!(
            "{sku} at tick {round} ({began}): {why}\n  after {}\n  planned {planned}\n  true is {expected}",
            told(pending)
        ));
    }

    pub(crate) fn nothing_was_missed(&self) {
        let (seed, kinds) = (self.variant.seed, &self.missed_by_kind);
        let first: Vec<&str> = self.missed.iter().take(12).map(String::as_str).collect();
        assert!(first.is_empty(), "seed {seed}: {} missed: {kinds:?}\n{}", self.missed.len(), first.join("\n"));
    }

    /// How many changes of each kind there were, and how many of them the next tick did not find.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for (kind, _, seen) in KINDS {
            let Count { made, moved, late } = self.count(kind);
            writeln!(
                text,
                "{:<22} {:<8} made {made:>5} moved {moved:>5} late {late:>5}",
                kind.to_string(),
                format!("{seen:?}")
            )
            .unwrap();
        }
        text
    }

    pub(crate) fn count(&self, kind: Kind) -> Count {
        self.bench.shop.counts.get(&kind).copied().unwrap_or_default()
    }
}

fn said(plan: &Plan) -> BTreeMap<String, String> {
    let changes = plan.changes.iter().map(|change| {
        (change.seller_sku.to_string(), format!("{:?} to {} for {:?}", change.from, change.to, change.reasons))
    });
    let withheld = plan.withheld.iter();
    let withheld = withheld
        .map(|withheld| (withheld.seller_sku.to_string(), format!("{:?}: {}", withheld.reason, withheld.detail)));
    changes.chain(withheld).collect()
}

fn told(pending: &[Pending]) -> String {
    let one = |one: &Pending| format!("{} at {}{}", one.kind, one.at, if one.dumped { " (in the index)" } else { "" });
    if pending.is_empty() { "no change".to_owned() } else { pending.iter().map(one).collect::<Vec<_>>().join(", ") }
}

/// Where the state and Amazon differ from what is true.
fn difference(stored: Option<&StoredProduct>, shown: Option<u64>, expected: &Expected) -> Option<String> {
    let said = match (stored, &expected.product) {
        (None, None) => None,
        (None, Some(_)) => Some("the state does not know it".to_owned()),
        (Some(stored), None) => Some(format!("the state has it: {stored:?}")),
        (Some(stored), Some(known)) => other_than(stored, known).map(|what| format!("{what}: {stored:?}")),
    };
    let listed = expected.listed.filter(|listed| Some(*listed) != shown);
    said.or_else(|| listed.map(|_| format!("Amazon shows {shown:?}")))
}

fn other_than(stored: &StoredProduct, known: &Known) -> Option<&'static str> {
    let settings = stored.config.map(|(managed, backorders, threshold)| {
        (managed, backorders == Backorders::On, threshold.ten_thousandths() / 10_000)
    });
    let websites: BTreeSet<u32> = stored.website_ids.iter().copied().collect();
    let level = |site: &str| match stored.stocks.iter().find(|(code, _)| code.as_str() == site)?.1 {
        StoredStock::Level { salable, is_salable } => Some(Some((salable.ten_thousandths(), *is_salable))),
        StoredStock::Absent | StoredStock::NoSource => Some(None),
        StoredStock::Unknown(_) => None,
    };
    // Nothing that can be sold is as good as no source.
    let sellable = |level: Option<(i64, bool)>| level.filter(|(_, salable)| *salable);
    let other_level = |site: &&str| {
        level(site).is_none_or(|level| {
            let expected = known.levels[*site];
            level != expected
                && (sellable(level).is_some()
                    || sellable(expected).is_some()
                    || (level.is_some() && expected.is_some()))
        })
    };
    if known.id.is_some_and(|id| id != stored.product_id) {
        return Some("another id");
    }
    if (&stored.type_id, stored.enabled, &websites) != (&known.type_id, known.enabled, &known.websites) {
        return Some("another type, status or websites");
    }
    if known.settings.is_some_and(|own| settings != Some(own)) {
        return Some("other settings");
    }
    if SITES.iter().map(|site| site.code).filter(|code| known.levels.contains_key(code)).any(|code| other_level(&code))
    {
        return Some("another level");
    }
    stored.suspect.is_some().then_some("still suspect")
}
