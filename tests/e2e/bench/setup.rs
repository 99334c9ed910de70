//! The texts of a world and of the configuration that goes with it.

use std::fmt::Write as _;
use std::path::Path;

/// Every secret that a bench's configuration names, with characters that each encoding changes.
pub(crate) const SECRETS: [&str; 6] = [
    "consumersecret/+0123456789abcdef",
    "accesstoken0123456789abcdefghijk",
    "accesssecret0123456789/+abcdefgh",
    "amzn1.oa2-cs.v1.client+secret/%0123456789",
    "Atzr|refresh+token/0123456789&one",
    "Atzr|refresh+token/0123456789&two",
];

/// For worlds that move all at once and mean it.
pub(crate) const UNGUARDED: &str =
    "[guards]\nmax_zeroed_percent = 100\nmax_zeroed_count = 100000\nmax_units_drop_percent = 100\n";

#[derive(Clone, Debug)]
pub(crate) struct World {
    /// TOML of the products.
    products: String,
    /// More of `[commerce]`, before its tables.
    pub(crate) commerce: String,
    pub(crate) apply_delay: &'static str,
    /// More of `[amazon]`.
    pub(crate) amazon: String,
    pub(crate) speed: f64,
    pub(crate) accounts: Vec<Account>,
    pub(crate) stores: Vec<Store>,
    /// More of `[push]`.
    pub(crate) push: String,
    /// The auth of the commerce in the configuration.
    pub(crate) auth: String,
    /// Whole sections of the configuration.
    pub(crate) sections: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: &'static str,
    pub(crate) seller: &'static str,
    refresh_token: &'static str,
    marketplaces: &'static str,
    /// TOML inside `listing = [ … ]`, or a `generate = …` line.
    listings: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Store {
    name: &'static str,
    account: &'static str,
    country: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) schedule: &'static str,
    pub(crate) created_at: &'static str,
    /// More lines.
    pub(crate) rules: String,
}

impl Account {
    pub(crate) fn one(listings: &str) -> Self {
        let refresh_token = SECRETS[4];
        let listings = listings.to_owned();
        Self { name: "one", seller: super::SELLER, refresh_token, marketplaces: r#"["DE", "FR", "IT"]"#, listings }
    }

    pub(crate) fn two(listings: &str) -> Self {
        Self { name: "two", seller: "A1TWO", refresh_token: SECRETS[5], ..Self::one(listings) }
    }

    /// In France some listings are suspended.
    pub(crate) fn suspended(mut self) -> Self {
        self.marketplaces = "[\"DE\", \"FR\", \"IT\"]\nsuspended = [\"FR\", \"IT\"]";
        self
    }

    fn world(&self) -> String {
        let Self { seller, refresh_token, marketplaces, .. } = self;
        let generated = self.listings.starts_with("generate");
        let listings = if generated { self.listings.clone() } else { format!("listing = [{}]", self.listings) };
        let secret = SECRETS[3];
        format!(
            "[[amazon.account]]\nseller_id = \"{seller}\"\nclient_id = \"amzn1.application-oa2-client.test\"\n\
             client_secret = \"{secret}\"\nrefresh_token = \"{refresh_token}\"\nregion = \"eu\"\n\
             marketplaces = {marketplaces}\n{listings}\n"
        )
    }

    fn config(&self, amazon: &str) -> String {
        let Self { name, seller, refresh_token, .. } = self;
        let secret = SECRETS[3];
        format!(
            "[[account]]\nname = \"{name}\"\nseller_id = \"{seller}\"\nregion = \"eu\"\n\
             client_id = \"amzn1.application-oa2-client.test\"\nclient_secret = \"{secret}\"\n\
             refresh_token = \"{refresh_token}\"\nendpoint = \"{amazon}\"\ntoken_url = \"{amazon}/auth/o2/token\"\n"
        )
    }
}

impl Store {
    pub(crate) fn live(name: &'static str, country: &'static str) -> Self {
        Self {
            name,
            account: "one",
            country,
            mode: "live",
            // Not while a test lasts: cycles come at the start and on request.
            schedule: "0 0 0 1 JAN *",
            created_at: "2020-01-01T00:00:00Z",
            rules: String::new(),
        }
    }

    pub(crate) fn of(mut self, account: &'static str) -> Self {
        self.account = account;
        self
    }

    /// A cycle in every second.
    pub(crate) fn every_second(mut self) -> Self {
        self.schedule = "* * * * * *";
        self
    }

    pub(crate) fn created(mut self, at: &'static str) -> Self {
        self.created_at = at;
        self
    }

    pub(crate) fn observing(mut self) -> Self {
        self.mode = "observe";
        self
    }

    pub(crate) fn rules(self, lines: &str) -> Self {
        Self { rules: lines.to_owned(), ..self }
    }

    fn config(&self) -> String {
        let Self { name, account, country, mode, schedule, created_at, rules } = self;
        format!(
            "[[store]]\nname = \"{name}\"\ncommerce = \"shop\"\nwebsite = \"base\"\naccount = \"{account}\"\n\
             country = \"{country}\"\ncreated_at = \"{created_at}\"\nschedule = \"{schedule}\"\nmode = \"{mode}\"\n\
             {rules}\n"
        )
    }
}

impl World {
    /// `products`: TOML tables of the shop, or `SKU quantity` in each line.
    pub(crate) fn new(products: &str) -> Self {
        let mut tables = String::new();
        for line in products.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(' ') {
                Some((sku, quantity)) if quantity.parse::<f64>().is_ok() => {
                    let sources = format!("sources = {{ default = {quantity} }}");
                    writeln!(tables, "[[commerce.product]]\nsku = \"{sku}\"\n{sources}").unwrap();
                }
                _ => writeln!(tables, "{line}").unwrap(),
            }
        }
        let [consumer_secret, access_token, access_token_secret, ..] = SECRETS;
        Self {
            products: tables,
            commerce: String::new(),
            apply_delay: "50ms",
            amazon: String::new(),
            speed: 100.0,
            accounts: Vec::new(),
            stores: Vec::new(),
            push: String::new(),
            auth: format!(
                "{{ method = \"oauth1\", consumer_key = \"consumerkey012345678901234567890\", consumer_secret = \"{consumer_secret}\", \
                 access_token = \"{access_token}\", access_token_secret = \"{access_token_secret}\" }}"
            ),
            sections: String::new(),
        }
    }

    /// So many plain products and listings `P-00001` and up, each with a quantity of its own.
    pub(crate) fn many(count: u64) -> Self {
        let line = |n: u64| format!("P-{n:05} {}", 10 + n);
        let products: Vec<String> = (1..=count).map(line).collect();
        let generate = format!("generate = {{ listings = {count}, sku = \"P-{{00001}}\", quantity = 5 }}");
        Self::new(&products.join("\n")).account(Account::one(&generate)).store(Store::live("de", "DE"))
    }

    pub(crate) fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    pub(crate) fn store(mut self, store: Store) -> Self {
        self.stores.push(store);
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn world(&self) -> String {
        let [consumer_secret, access_token, access_token_secret, ..] = SECRETS;
        let mut text = format!(
            "seed = 1\n[commerce]\nversion = \"2.4.8\"\n{}\n[commerce.oauth]\nconsumer_key = \"consumerkey012345678901234567890\"\n\
             consumer_secret = \"{consumer_secret}\"\naccess_token = \"{access_token}\"\n\
             access_token_secret = \"{access_token_secret}\"\n{}\n[amazon]\nspeed = {:?}\napply_delay = \"{}\"\n\
             report_delay = \"10ms\"\n{}\n",
            self.commerce, self.products, self.speed, self.apply_delay, self.amazon
        );
        text.extend(self.accounts.iter().map(Account::world));
        text
    }

    pub(crate) fn config(&self, folder: &Path, commerce: &str, amazon: &str) -> String {
        let folder = folder.display();
        let mut text = format!(
            "[state]\nurl = \"sqlite:{folder}/state.db\"\n[control]\nsocket = \"{folder}/control.sock\"\n\
             [push]\n{}\n{}\n[[commerce]]\nname = \"shop\"\nbase_url = \"{commerce}\"\nauth = {}\n",
            self.push, self.sections, self.auth
        );
        text.extend(self.accounts.iter().map(|account| account.config(amazon)));
        text.extend(self.stores.iter().map(Store::config));
        text
    }
}
