//! How fast the state is on this machine's disk: `cargo bench --bench store`. The folder for it is made beside the
//! build's output, for a temporary one may be in memory.

#![expect(clippy::unwrap_used, reason = "a measurement that fails may panic")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use std::collections::BTreeMap;
use std::time::Duration;

use stocksync::clock::Clock;
use stocksync::model::{AccountName, Backorders, Channel, Decimal, SellerSku, Tier};
use stocksync::plan::{Change, Lane, Priority};
use stocksync::reason::Reason;
use stocksync::store::{Observation, Outcome, Store, StoredProduct, StoredStock};

const ROWS: u32 = 100_000;
const PAGE: usize = 300;
const BATCH: u32 = 500;
const SENT: u32 = 2_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Store::open(&folder.path().join("state.db")).unwrap();
    let bench = Bench { store, clock: Clock::system(), account: "acme".into() };
    bench.products("save_products, new", 7).await;
    bench.products("save_products, nothing moved", 7).await;
    bench.products("save_products, every stock moved", 8).await;
    bench.listings().await;
    bench.outbox().await;
    bench.fenced().await;
}

struct Bench {
    store: Store,
    clock: Clock,
    account: AccountName,
}

fn sku(number: u32) -> SellerSku {
    format!("SKU-{number:07}").into()
}

fn tell(what: &str, rows: u32, took: Duration) {
    let rate = f64::from(rows) / took.as_secs_f64();
    let millis = took.as_millis();
    println!("{what:<36} {rows:>7} in {millis:>6} ms, {rate:>9.0} a second");
}

impl Bench {
    async fn time(&self, what: &str, rows: u32, work: impl Future<Output = ()>) {
        let started = self.clock.instant();
        work.await;
        tell(what, rows, self.clock.instant() - started);
    }

    /// As a sweep keeps them: a page a transaction.
    async fn products(&self, what: &str, quantity: i64) {
        let read_at = self.clock.now();
        let product = |number: u32| StoredProduct {
            product_id: number.into(),
            sku: sku(number).as_str().into(),
            type_id: "simple".into(),
            enabled: true,
            website_ids: vec![1, 2],
            config: Some((true, Backorders::Off, Decimal::ZERO)),
            attributes: Vec::new(),
            stocks: BTreeMap::from([(
                "base".into(),
                StoredStock::Level { salable: Decimal::from_ten_thousandths(quantity * 10_000), is_salable: true },
            )]),
            updated_at: None,
            read_at,
            tier: Tier::Full,
            suspect: None,
        };
        let numbers: Vec<u32> = (1..=ROWS).collect();
        let pages: Vec<Vec<StoredProduct>> =
            numbers.chunks(PAGE).map(|page| page.iter().copied().map(product).collect()).collect();
        self.time(what, ROWS, async {
            for products in pages {
                self.store.save_products(&"shop".into(), products).await.unwrap();
            }
        })
        .await;
    }

    async fn listings(&self) {
        let names: Vec<SellerSku> = (1..=ROWS).map(sku).collect();
        let marketplace = "A1PA6795UKMFR9".into();
        for what in ["save_discovery, new", "save_discovery, nothing moved"] {
            let names = names.clone();
            self.time(what, ROWS, async {
                self.store.save_discovery(&self.account, &marketplace, names, self.clock.now()).await.unwrap();
            })
            .await;
        }
        self.time("save_observations", ROWS, async {
            for chunk in names.chunks(400) {
                let seen = |name: &SellerSku| Observation {
                    seller_sku: name.clone(),
                    channel: Some(Channel::Merchant),
                    quantity: Some(9),
                    drift: None,
                };
                let seen = chunk.iter().map(seen).collect();
                self.store.save_observations(&self.account, seen, self.clock.now()).await.unwrap();
            }
        })
        .await;
        self.time("listings_after, by batches", ROWS, async {
            let (mut after, mut count) = (None, 0);
            loop {
                let batch = self.store.listings_after(&self.account, after.as_ref(), BATCH).await.unwrap();
                let Some(last) = batch.last() else { break };
                count += batch.len();
                after = Some(last.seller_sku.clone());
            }
            assert_eq!(count, ROWS as usize);
        })
        .await;
    }

    /// As a push does: the next one out, its outcome in, each in a transaction that is on the disk before it ends.
    async fn outbox(&self) {
        let changes = (1..=ROWS).map(|number| change(&self.account, number, number % 9)).collect();
        self.time("queue, one plan", ROWS, async {
            self.store.queue("plan", &self.account, changes, Vec::new(), self.clock.now()).await.unwrap();
        })
        .await;
        self.time("take_next + record_outcomes", SENT, async {
            let look = (1..=ROWS).map(|number| Observation {
                seller_sku: sku(number),
                channel: Some(Channel::Merchant),
                quantity: None,
                drift: None,
            });
            self.store.save_observations(&self.account, look.collect(), self.clock.now()).await.unwrap();
            for number in 0..SENT {
                let slot =
                    self.store.take_next(&self.account, None, &[], jiff::Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
                let outcome = Outcome::Accepted { submission_id: format!("submission-{number}") };
                self.store.record_outcomes(vec![(slot, outcome)], self.clock.now()).await.unwrap();
            }
        })
        .await;
    }

    /// The next one out while so many wait for a feed to end.
    async fn fenced(&self) {
        let account: AccountName = "fenced".into();
        let raise = |number: u32| change(&account, number, 10);
        let names: Vec<SellerSku> = (1..=ROWS + 100).map(sku).collect();
        let now = self.clock.now();
        self.store.save_discovery(&account, &"A1PA6795UKMFR9".into(), names.clone(), now).await.unwrap();
        let seen = |name: &SellerSku| Observation {
            seller_sku: name.clone(),
            channel: Some(Channel::Merchant),
            quantity: Some(9),
            drift: None,
        };
        self.store.save_observations(&account, names.iter().map(seen).collect(), now).await.unwrap();
        self.store.queue("first", &account, (1..=ROWS).map(raise).collect(), Vec::new(), now).await.unwrap();
        let slots = self.store.feed_bound(&account, None, &[], 0, now, ROWS).await.unwrap().slots;
        self.store.build_feed("feed", &account, slots, now).await.unwrap();
        // All of them once more, and behind them some that may go.
        let raise = |number: u32| change(&account, number, if number > ROWS { 10 } else { 500 });
        self.store.queue("second", &account, (1..=ROWS + 100).map(raise).collect(), Vec::new(), now).await.unwrap();
        self.time("ahead + take_next behind a feed", 100, async {
            for _ in 0..100 {
                assert!(self.store.ahead(&account, None, &[], jiff::Timestamp::UNIX_EPOCH, 60).await.unwrap().may_go);
                let slot =
                    self.store.take_next(&account, None, &[], jiff::Timestamp::UNIX_EPOCH).await.unwrap().unwrap();
                let outcome = Outcome::Accepted { submission_id: "submission".into() };
                self.store.record_outcomes(vec![(slot, outcome)], self.clock.now()).await.unwrap();
            }
        })
        .await;
    }
}

fn change(account: &AccountName, number: u32, to: u32) -> Change {
    Change {
        account: account.clone(),
        seller_sku: sku(number),
        store: "acme-de".into(),
        country: "DE",
        marketplace: "A1PA6795UKMFR9".into(),
        from: Some(9),
        accepted_at: None,
        to,
        lane: Lane::Patch,
        priority: Priority::of(Some(9), to),
        reasons: vec![Reason::SalableQuantity],
        conflict: None,
        basis: "8".into(),
        live: true,
    }
}
