//! Signing in to the simulated shop, which checks everything: signatures as either release does, nonces, tokens.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use stocksync::clock::Clock;
use stocksync::commerce::{Access, Auth, Confirmed, Edition, Found, Reader, StockRow, Wanted};
use stocksync::http::{Fault, Http};
use stocksync::model::Sku;
use stocksync::sim;
use stocksync::sim::commerce::{Commerce, FaultKind};
use stocksync::sim::world::World;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::sweep::sweep;

const RELEASES: [&str; 2] = ["2.4.7", "2.4.8"];
const SECRETS: [&str; 4] =
    ["consumerkey012345678901234567890", "consumer secret/+&=%", "accesstoken0123456789abcdefghijk", "access~secret'é"];
const ODD: [&str; 22] = [
    "A B",
    "A/B",
    "A+B",
    "A%B",
    "A%2FB",
    "A\"B",
    "A'B",
    "A,B",
    "A;B",
    "A:B|C",
    "A#B",
    "A?B",
    "A&B=C",
    "A\\B",
    "{A}[B]",
    "<A>",
    "..",
    "00123",
    "1e3",
    "a~b_c-d.e",
    "ÖDD-ÜNI-日本",
    "A\u{a0}B",
];

struct Shop {
    commerce: Arc<Commerce>,
    base_url: String,
    clock: Clock,
    _server: JoinSet<std::io::Result<()>>,
}

impl Shop {
    /// A shop with odd products and sixty plain ones; `settings` are lines of `[commerce]`.
    async fn open(settings: &str) -> Self {
        let mut text = format!("[commerce]\n{settings}\n");
        let plain: Vec<String> = (1..=60).map(|n| format!("P-{n}")).collect();
        for sku in ODD.into_iter().chain(plain.iter().map(String::as_str)) {
            let sku = serde_json::Value::from(sku);
            write!(text, "[[commerce.product]]\nsku = {sku}\nsources = {{ default = 7 }}\n").unwrap();
        }
        text.push_str("[[commerce.product]]\nsku = \"BARE\"\n[[commerce.product]]\nsku = \"BARE/ODD\"\n");
        let world = World::parse(&text, "world.toml".as_ref()).unwrap();
        let clock = Clock::starting_at("2026-11-21T20:00:00Z".parse().unwrap());
        let commerce = Commerce::new(&world.commerce, clock);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let server = JoinSet::from_iter([sim::serve(commerce.router(), listener, CancellationToken::new())]);
        Self { commerce, base_url, clock, _server: server }
    }

    async fn signed(release: &str) -> Self {
        let [key, secret, token, token_secret] = SECRETS;
        Self::open(&format!(
            "version = \"{release}\"\noauth = {{ consumer_key = \"{key}\", consumer_secret = \"{secret}\", \
             access_token = \"{token}\", access_token_secret = \"{token_secret}\" }}"
        ))
        .await
    }

    fn reader(&self, auth: Auth) -> Reader {
        self.reader_at(auth, self.clock, 20)
    }

    fn reader_at(&self, auth: Auth, clock: Clock, page_size: u32) -> Reader {
        let http = Arc::new(Http::new(clock, 1).unwrap());
        let access =
            Access { base_url: self.base_url.clone(), auth, page_size, concurrency: 2, max_load_thousandths: 1000 };
        Reader::new(access, http, clock)
    }

    /// How often somebody signed in.
    fn sign_ins(&self) -> u64 {
        self.commerce.stats().routes.get("integration/admin/token").map_or(0, |route| route.requests)
    }
}

fn oauth1() -> Auth {
    let [key, secret, token, token_secret] = SECRETS;
    Auth::OAuth1 {
        consumer_key: key.to_owned(),
        consumer_secret: secret.into(),
        access_token: token.into(),
        access_token_secret: token_secret.into(),
    }
}

fn admin() -> Auth {
    Auth::Admin { username: "anna".to_owned(), password: "pass\"word".into() }
}

const ADMIN: &str = "admin = { username = \"anna\", password = \"pass\\\"word\" }";

/// Everything that the reader ever asks for.
async fn read_everything(reader: &Reader) {
    let websites = reader.websites().await.unwrap();
    let attributes = ["asin".to_owned()];
    let wanted = Wanted { edition: Edition::Export, websites: &websites, attributes: &attributes };
    let skus: Vec<Sku> = ODD.into_iter().map(Sku::from).chain((1..=60).map(|n| format!("P-{n}").into())).collect();
    let found: BTreeMap<Sku, Found> = reader.read_skus(&wanted, &skus).await.unwrap();
    assert_eq!(found.len(), skus.len());
    for (sku, found) in &found {
        let Found::Product(row) = found else { panic!("{sku}: {found:?}") };
        // Whose settings a path cannot ask for is told by the list of all.
        let plain =
            sku.as_str() != ".." && sku.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        assert_eq!(row.config.is_some(), plain, "{sku}: {row:?}");
        assert!(matches!(row.stocks[0].1, StockRow::Level { .. }), "{sku}: {row:?}");
    }
    let single: Vec<Sku> = vec!["P-1".into(), "00123".into()];
    assert!(reader.read_skus(&wanted, &single).await.unwrap().values().all(|found| matches!(found, Found::Product(_))));
    let bare: Vec<Sku> = vec!["BARE".into(), "BARE/ODD".into()];
    for (sku, found) in reader.read_skus(&wanted, &bare).await.unwrap() {
        let Found::Product(row) = found else { panic!("{sku}: {found:?}") };
        let confirmed = reader.confirm_absent_stock(&websites[0], &sku, row.product_id).await.unwrap();
        assert_eq!(confirmed, Confirmed::NoSource, "{sku}");
    }
    let swept = sweep(reader).await.unwrap();
    assert_eq!(swept.sweep.incomplete_because, Vec::<String>::new());
    assert_eq!(swept.rows.len(), ODD.len() + 60 + 2);
}

#[tokio::test(start_paused = true)]
async fn both_releases_accept_every_signature() {
    for release in RELEASES {
        let shop = Shop::signed(release).await;
        // Small pages are many requests; large ones carry lists of more than ten SKUs.
        for page_size in [20, 300] {
            read_everything(&shop.reader_at(oauth1(), shop.clock, page_size)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_tried_again_is_signed_again() {
    for release in RELEASES {
        let shop = Shop::signed(release).await;
        // The answer is cut after the nonce was used up: the same signature would be refused.
        for route in ["products", "lowStock", "export-stock-salable-qty"] {
            let fault = sim::commerce::Fault { count: Some(2), ..sim::commerce::Fault::every(FaultKind::CutBody) };
            shop.commerce.set_fault(fault.on(route));
        }
        let swept = sweep(&shop.reader(oauth1())).await.unwrap();
        assert_eq!(swept.sweep.incomplete_because, Vec::<String>::new(), "{release}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signature_of_an_hour_later_is_still_accepted() {
    let shop = Shop::signed("2.4.8").await;
    let reader = shop.reader(oauth1());
    for _ in 0..3 {
        assert!(sweep(&reader).await.unwrap().sweep.complete);
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_signature_says_why_and_is_sent_once() {
    let wrong = |place: usize, value: &str| {
        let mut secrets = SECRETS.map(str::to_owned);
        value.clone_into(&mut secrets[place]);
        let [consumer_key, secret, token, token_secret] = secrets;
        Auth::OAuth1 {
            consumer_key,
            consumer_secret: secret.into(),
            access_token: token.into(),
            access_token_secret: token_secret.into(),
        }
    };
    for (auth, ahead_s, said) in [
        (wrong(0, "consumerkey012345678901234567891"), 0, "`consumer_key` is of no integration"),
        (wrong(0, "short"), 0, "`consumer_key` is cut"),
        (wrong(1, "another"), 0, "`consumer_secret` or `access_token_secret` is wrong"),
        (wrong(2, "accesstoken0123456789abcdefghijl"), 0, "`access_token` was withdrawn"),
        (wrong(2, "short"), 0, "`access_token` is cut"),
        (wrong(3, "another"), 0, "`consumer_secret` or `access_token_secret` is wrong"),
        (oauth1(), 660, "clock is more than 10 minutes ahead"),
    ] {
        let shop = Shop::signed("2.4.8").await;
        let clock = Clock::starting_at(shop.clock.now() + Duration::from_secs(ahead_s));
        let fault = shop.reader_at(auth, clock, 20).websites().await.unwrap_err();
        assert!(matches!(fault, Fault::Unauthorized { .. }), "{fault:?}");
        assert!(fault.to_string().contains(said), "{fault}");
        assert_eq!(shop.commerce.stats().requests(), 1, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bearer_token_works_where_the_shop_takes_it() {
    let auth = || Auth::Bearer { token: SECRETS[2].into() };
    let taken = Shop::open(&format!("integration_bearer_token = \"{}\"", SECRETS[2])).await;
    read_everything(&taken.reader(auth())).await;
    let since_2_4_4 = Shop::signed("2.4.8").await;
    let fault = since_2_4_4.reader(auth()).websites().await.unwrap_err();
    for part in ["bearer tokens of integrations are off", "lacks the resource Magento_Backend::store"] {
        assert!(fault.to_string().contains(part), "{fault}");
    }
    assert_eq!(since_2_4_4.commerce.stats().requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_admin_signs_in_once_and_again_before_the_token_ends() {
    let shop = Shop::open(ADMIN).await;
    let reader = shop.reader(admin());
    read_everything(&reader).await;
    for (minutes, sign_ins) in [(0, 1), (54, 1), (2, 2), (53, 2), (3, 3)] {
        tokio::time::sleep(Duration::from_mins(minutes)).await;
        assert!(sweep(&reader).await.unwrap().sweep.complete);
        assert_eq!(shop.sign_ins(), sign_ins, "{minutes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_taken_back_is_replaced_by_one_sign_in() {
    let shop = Shop::open(&format!("{ADMIN}\nlatency = 1.0")).await;
    let reader = shop.reader(admin());
    assert!(sweep(&reader).await.unwrap().sweep.complete);
    for sign_ins in 2..4 {
        shop.commerce.revoke_tokens();
        let (a, b) = tokio::join!(sweep(&reader), sweep(&reader));
        assert!(a.unwrap().sweep.complete && b.unwrap().sweep.complete);
        assert_eq!(shop.sign_ins(), sign_ins);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_never_locks_the_user_out() {
    let shop = Shop::open(ADMIN).await;
    let wrong = Auth::Admin { username: "anna".to_owned(), password: "wrong".into() };
    let reader = shop.reader(wrong);
    for _ in 0..30 {
        let fault = reader.websites().await.unwrap_err();
        assert!(fault.to_string().contains("is never locked"), "{fault}");
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    assert!(shop.sign_ins() <= 3, "{} in half an hour", shop.sign_ins());
    assert!(sweep(&shop.reader(admin())).await.unwrap().sweep.complete);
}
