//! A world and its configuration, put together line by line. What is left out is the plainest that works.

use std::fmt::Write as _;
use std::path::Path;

use stocksync::config::Config;
use stocksync::sim::Pair;
use stocksync::sim::world::World;

/// The shop has the websites `base`, `eu` and `outlet`, each with a stock and a source of its own.
const WEBSITES: [(&str, u32, &str); 3] = [("base", 1, "default"), ("eu", 2, "leipzig"), ("outlet", 3, "bremen")];

/// How the program signs in to the shop, and what the shop has of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SignIn {
    #[default]
    Bearer,
    Signed,
    /// The shop is of the cloud service.
    Cloud,
}

const KEYS: [(&str, &str); 4] = [
    ("consumer_key", "consumer00000000000000000000key1"),
    ("consumer_secret", "consumer-secret"),
    ("access_token", "access0000000000000000000token01"),
    ("access_token_secret", "access-secret"),
];

#[derive(Clone, Default)]
pub(crate) struct Scene {
    sign_in: SignIn,
    amazon: String,
    commerce: String,
    link: String,
    push: String,
    guarded: bool,
    shop: String,
    products: Vec<String>,
    accounts: Vec<Account>,
    stores: Vec<Store>,
    files: Vec<(String, String)>,
}

#[derive(Clone)]
struct Account {
    name: String,
    rest: String,
    world: String,
    listings: Vec<String>,
}

/// A store of `acme` in Germany that sells the website `base`, live, every five minutes.
#[derive(Clone)]
pub(crate) struct Store {
    name: String,
    account: String,
    country: &'static str,
    website: &'static str,
    created: String,
    schedule: String,
    mode: &'static str,
    rest: String,
}

pub(crate) fn store(name: &str) -> Store {
    Store {
        name: name.to_owned(),
        account: "acme".to_owned(),
        country: "DE",
        website: "base",
        created: "2019-03-01".to_owned(),
        schedule: "0 */5 * * * *".to_owned(),
        mode: "live",
        rest: String::new(),
    }
}

impl Store {
    pub(crate) fn of(mut self, account: &str) -> Self {
        account.clone_into(&mut self.account);
        self
    }

    pub(crate) fn country(mut self, country: &'static str) -> Self {
        self.country = country;
        self
    }

    pub(crate) fn website(mut self, website: &'static str) -> Self {
        self.website = website;
        self
    }

    pub(crate) fn created(mut self, day: &str) -> Self {
        day.clone_into(&mut self.created);
        self
    }

    pub(crate) fn schedule(mut self, expression: &str) -> Self {
        expression.clone_into(&mut self.schedule);
        self
    }

    pub(crate) fn observing(mut self) -> Self {
        self.mode = "observe";
        self
    }

    /// Further keys, one or several lines.
    pub(crate) fn with(mut self, line: &str) -> Self {
        writeln!(self.rest, "{line}").unwrap();
        self
    }
}

impl Scene {
    /// No account, no store, nothing to sell.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// One account, `acme`, with one store in Germany.
    pub(crate) fn new() -> Self {
        Self::with_store("")
    }

    /// The same with these keys of the store.
    pub(crate) fn with_store(keys: &str) -> Self {
        Self::empty().account("acme").store(store("acme-de").with(keys))
    }

    pub(crate) fn account(mut self, name: &str) -> Self {
        let (rest, world) = (String::new(), String::new());
        self.accounts.push(Account { name: name.to_owned(), rest, world, listings: Vec::new() });
        self
    }

    /// Keys of the last account's configuration.
    pub(crate) fn account_key(mut self, line: &str) -> Self {
        writeln!(self.accounts.last_mut().unwrap().rest, "{line}").unwrap();
        self
    }

    /// Keys of the last account on the simulated Amazon.
    pub(crate) fn account_world(mut self, line: &str) -> Self {
        writeln!(self.accounts.last_mut().unwrap().world, "{line}").unwrap();
        self
    }

    pub(crate) fn store(mut self, store: Store) -> Self {
        self.stores.push(store);
        self
    }

    /// A managed product with this much in the source of `base`.
    pub(crate) fn product(self, sku: &str, quantity: i64) -> Self {
        self.product_with(sku, &format!("sources = {{ default = {quantity} }}"))
    }

    pub(crate) fn product_with(mut self, sku: &str, keys: &str) -> Self {
        self.products.push(format!("{{ sku = {}, {keys} }}", quoted(sku)));
        self
    }

    /// A merchant-fulfilled listing of the last account, in Germany.
    pub(crate) fn listing(self, sku: &str, quantity: u64) -> Self {
        self.listing_with(sku, &format!("quantity = {quantity}, marketplaces = [\"DE\"]"))
    }

    pub(crate) fn listing_with(mut self, sku: &str, keys: &str) -> Self {
        let listing = format!("{{ sku = {}, {keys} }}", quoted(sku));
        self.accounts.last_mut().unwrap().listings.push(listing);
        self
    }

    /// The same product and listing, so many times: `P-00001` and on.
    pub(crate) fn many(mut self, count: u32, in_stock: i64, listed: u64) -> Self {
        for number in 1..=count {
            let sku = format!("P-{number:05}");
            self = self.product(&sku, in_stock).listing(&sku, listed);
        }
        self
    }

    /// Keys of the world's `[amazon]`.
    pub(crate) fn amazon(mut self, line: &str) -> Self {
        writeln!(self.amazon, "{line}").unwrap();
        self
    }

    /// Keys of the world's `[commerce]`.
    pub(crate) fn commerce(mut self, line: &str) -> Self {
        writeln!(self.commerce, "{line}").unwrap();
        self
    }

    pub(crate) fn sign_in(mut self, sign_in: SignIn) -> Self {
        self.sign_in = sign_in;
        match sign_in {
            SignIn::Bearer => self,
            SignIn::Signed => {
                self.commerce(&format!("oauth = {{ {} }}", keys()))
            }
            SignIn::Cloud => self.commerce(
                "ims = { client_id = \"client\", client_secret = \"secret\", org_id = \"org@AdobeOrg\", tenant_id = \"T3nant\" }",
            ),
        }
    }

    /// Keys of the configuration's `[[commerce]]`.
    pub(crate) fn commerce_key(mut self, line: &str) -> Self {
        writeln!(self.shop, "{line}").unwrap();
        self
    }

    /// Keys of the configuration's `[push]`.
    pub(crate) fn push(mut self, line: &str) -> Self {
        writeln!(self.push, "{line}").unwrap();
        self
    }

    /// With the guards as they are documented. Other scenes move whole catalogues at once and mean it.
    pub(crate) fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    /// A shop that learns nothing of what Amazon sells.
    pub(crate) fn without_order_import(mut self) -> Self {
        "import_orders = false".clone_into(&mut self.link);
        self
    }

    /// A file beside the configuration, for a store's `map:`.
    pub(crate) fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    pub(super) fn world(&self) -> World {
        let mut text = format!("seed = 11\n[link]\n{}\n[commerce]\nintegration_bearer_token = \"token\"\n", self.link);
        writeln!(text, "{}\nproduct = [{}]", self.commerce, self.products.join(", ")).unwrap();
        for (code, id, source) in WEBSITES {
            writeln!(text, "[[commerce.website]]\ncode = \"{code}\"\nid = {id}\nstock_id = {id}").unwrap();
            writeln!(text, "[[commerce.stock]]\nid = {id}\nname = \"{code}\"").unwrap();
            writeln!(text, "[[commerce.source]]\ncode = \"{source}\"\nstocks = [{id}]").unwrap();
        }
        writeln!(text, "[amazon]\n{}", self.amazon).unwrap();
        for Account { name, world, listings, .. } in &self.accounts {
            writeln!(text, "[[amazon.account]]\nseller_id = \"{}\"\nclient_id = \"client\"", seller(name)).unwrap();
            writeln!(text, "client_secret = \"secret\"\nrefresh_token = \"Atzr|{name}\"\nregion = \"eu\"").unwrap();
            writeln!(text, "marketplaces = [\"DE\", \"FR\", \"IT\"]\n{world}\nlisting = [{}]", listings.join(", "))
                .unwrap();
        }
        World::parse(&text, Path::new("scene.toml")).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    pub(super) fn config(&self, folder: &Path, pair: &Pair) -> Config {
        for (name, content) in &self.files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        let text = self.config_text(folder, pair);
        let parsed = Config::parse(&text, &folder.join("stocksync.toml"), std::iter::empty());
        parsed.unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn access(&self, shop: &str) -> String {
        match self.sign_in {
            SignIn::Bearer => {
                format!("base_url = \"{shop}\"\nauth = {{ method = \"bearer\", token = \"token\" }}")
            }
            SignIn::Signed => {
                format!("base_url = \"{shop}\"\nauth = {{ method = \"oauth1\", {} }}", keys())
            }
            SignIn::Cloud => format!(
                "base_url = \"{shop}/T3nant\"\nauth = {{ method = \"ims\", client_id = \"client\", \
                 client_secret = \"secret\", org_id = \"org@AdobeOrg\", token_url = \"{shop}/ims/token/v3\" }}"
            ),
        }
    }

    fn config_text(&self, folder: &Path, pair: &Pair) -> String {
        let (folder, amazon) = (folder.display(), pair.amazon_url());
        let mut text = format!("[state]\nurl = \"sqlite:{folder}/state.db\"\n[push]\n{}\n", self.push);
        if !self.guarded {
            text.push_str(
                "[guards]\nmax_zeroed_percent = 100\nmax_zeroed_count = 100000000\nmax_units_drop_percent = 100\n",
            );
            text.push_str("min_source_ratio = 0.0\n");
        }
        writeln!(text, "[[commerce]]\nname = \"shop\"\n{}\n{}", self.access(&pair.commerce_url()), self.shop).unwrap();
        for Account { name, rest, .. } in &self.accounts {
            writeln!(text, "[[account]]\nname = \"{name}\"\nseller_id = \"{}\"\nregion = \"eu\"", seller(name))
                .unwrap();
            writeln!(text, "client_id = \"client\"\nclient_secret = \"secret\"\nrefresh_token = \"Atzr|{name}\"")
                .unwrap();
            writeln!(text, "endpoint = \"{amazon}\"\ntoken_url = \"{amazon}/auth/o2/token\"\n{rest}").unwrap();
        }
        for store in &self.stores {
            let Store { name, account, country, website, created, schedule, mode, rest } = store;
            writeln!(text, "[[store]]\nname = \"{name}\"\ncommerce = \"shop\"\nwebsite = \"{website}\"").unwrap();
            writeln!(text, "account = \"{account}\"\ncountry = \"{country}\"\nmode = \"{mode}\"").unwrap();
            writeln!(text, "created_at = \"{created}T00:00:00Z\"\nschedule = \"{schedule}\"\n{rest}").unwrap();
        }
        text
    }
}

/// Amazon's id of an account's seller.
pub(crate) fn seller(account: &str) -> String {
    format!("A1{}", account.to_uppercase())
}

/// The integration's four secrets, as both files write them.
fn keys() -> String {
    KEYS.map(|(key, value)| format!("{key} = \"{value}\"")).join(", ")
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
