//! The configuration from outside: what is right is read as meant, what is wrong is explained.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde::Deserialize;
use stocksync::config::{CommerceAuth, Config, ConfigErrors, LogFormat, REFERENCE, SkuMapping, StateUrl};
use stocksync::model::{Mode, RuleSettings};
use tempfile::TempDir;

const BASE: &str = include_str!("config/base.toml");
const BROKEN: [&str; 2] = [include_str!("config/broken-shape.toml"), include_str!("config/broken-meaning.toml")];
/// Every secret of the fixtures contains this.
const SECRET: &str = "hunter2";

/// A folder with what the fixtures refer to.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        folder.write("empty", "");
        folder.write("bad.csv", "# seller_sku, sku, units\nno row\n");
        folder.write("good.csv", "A-1,a,1\n");
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("written");
    }

    fn load(&self, text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        self.write("stocksync.toml", text);
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(&self.path("stocksync.toml"), env)
    }

    fn good(&self, text: &str, env: &[(&str, &str)]) -> Config {
        self.load(text, env).unwrap_or_else(|errors| panic!("{errors}"))
    }
}

fn edited(replace: &str, with: &str) -> String {
    assert!(BASE.contains(replace), "{replace:?} is not in the base");
    BASE.replacen(replace, with, 1)
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    text: Option<String>,
    replace: Option<String>,
    with: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    expect: Vec<String>,
}

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[test]
fn every_broken_configuration_is_explained() {
    let tables = BROKEN.map(|text| toml::from_str::<Cases>(text).expect("a table of cases").case);
    let cases = tables.concat();
    assert!(cases.len() >= 50, "only {} cases", cases.len());
    let folder = Folder::new();
    let mut failures = Vec::new();
    for case in &cases {
        let text = match (&case.text, &case.replace, &case.with) {
            (Some(text), None, None) => text.clone(),
            (None, Some(replace), Some(with)) => edited(replace, with),
            _ => BASE.to_owned(),
        };
        let env: Vec<_> = case.env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let message = match folder.load(&text, &env) {
            Ok(_) => "accepted".to_owned(),
            Err(errors) => errors.to_string(),
        };
        eprintln!("-- {}\n{message}", case.name);
        let missing: Vec<_> = case.expect.iter().filter(|fragment| !message.contains(*fragment)).collect();
        if !missing.is_empty() || message.contains(SECRET) {
            failures.push(format!("{}: missing {missing:#?} in\n{message}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn one_look_finds_every_problem() {
    let text = edited("page_size = 300", "page_size = 0\ncolour = 'red'")
        .replace("country = \"DE\"", "country = 'XX'")
        .replace("region = \"na\"", "region = 'moon'");
    let env = [("STOCKSYNC__GUARDS__MAX_ZEROED_COUNT", "-1"), ("STOCKSYNC__LOG__FILTR", "info")];
    let errors = Folder::new().load(&text, &env).expect_err("broken");
    let message = errors.to_string();
    for key in ["commerce[0].page_size", "commerce[0].colour", "store[0].country", "account[1].region"] {
        assert!(message.contains(key), "{key} in\n{message}");
    }
    assert!(message.contains("STOCKSYNC__GUARDS__MAX_ZEROED_COUNT") && message.contains("STOCKSYNC__LOG__FILTR"));
    assert_eq!(errors.findings().len(), 6, "no problem is told twice:\n{message}");
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic(at in 0..BASE.len(), length in 0usize..40, with in "[\\[\\]{}=\"'.,\n #a-z0-9€-]{0,12}") {
        let end = (at + length).min(BASE.len());
        let text = format!("{}{with}{}", &BASE[..at], &BASE[end..]);
        let _ = Config::parse(&text, Path::new("stocksync.toml"), []);
    }
}

#[test]
fn a_missing_file_is_named() {
    let errors = Config::load(&Folder::new().path("nowhere.toml"), []).expect_err("no file");
    assert!(errors.to_string().contains("nowhere.toml: the configuration cannot be read: No such file"), "{errors}");
}

#[test]
fn what_is_not_written_has_its_default() {
    let config = Folder::new().good(&BASE.replace("url = \"sqlite:state.db\"", ""), &[]);
    assert_eq!(config.state, StateUrl::Sqlite(PathBuf::from("/var/lib/stocksync/state.db")));
    assert_eq!((config.log.format, config.log.filter.as_str()), (LogFormat::Pretty, "info"));
    assert_eq!(config.control_socket, PathBuf::from("/run/stocksync/control.sock"));
    assert_eq!(config.http_listen, None);
    assert_eq!((config.guards.limits.max_zeroed_percent, config.guards.limits.max_zeroed_count), (20, 500));
    assert_eq!((config.guards.limits.max_units_drop_percent, config.guards.min_source_ratio_thousandths), (50, 800));
    let push = &config.push;
    assert_eq!([push.verify_after, push.feed_expected_time], [10, 15].map(Duration::from_mins));
    assert_eq!(
        [push.verify_every, push.verify_static_every, push.feed_stuck_after],
        [24, 1, 2].map(Duration::from_hours)
    );
    assert_eq!(config.journal_keep, Duration::from_hours(400 * 24));
    let commerce = &config.commerces[0];
    assert_eq!((commerce.page_size, commerce.concurrency, commerce.max_load_thousandths), (300, 2, 200));
    assert_eq!(commerce.full_sweep_every, Duration::from_hours(6));
    let [eu, us] = &config.accounts[..] else { panic!("two accounts") };
    assert_eq!(eu.endpoint, "https://sellingpartnerapi-eu.amazon.com");
    assert_eq!(us.endpoint, "https://sellingpartnerapi-na.amazon.com");
    assert_eq!(
        (us.token_url.as_str(), us.discover_every),
        ("https://api.amazon.com/auth/o2/token", Duration::from_hours(6))
    );
    let store = &config.stores[0];
    assert_eq!(store.rules, RuleSettings::default());
    assert_eq!((store.mode, store.allow_increase, store.marketplace.id), (Mode::Observe, true, "A1PA6795UKMFR9"));
    assert_eq!((store.schedule.expression(), store.schedule.zone_name()), ("0 */5 * * * *", "Europe/Berlin"));
    assert!(matches!(store.seller_sku, SkuMapping::Identity));
    assert_eq!(config.warnings, []);
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = [
        ("STOCKSYNC__GUARDS__MAX_ZEROED_PERCENT", "35"),
        ("STOCKSYNC__GUARDS__MIN_SOURCE_RATIO", "0.55"),
        ("STOCKSYNC__STATE__URL", "sqlite:/tmp/other.db"),
        ("STOCKSYNC__HTTP__LISTEN", "[::1]:9000"),
        ("STOCKSYNC__LOG__FORMAT", "json"),
        ("STOCKSYNC_CONFIG", "not ours"),
        ("STOCKSYNC_TEST_POSTGRES_URL", "not ours"),
        ("OTHER__GUARDS__MAX_ZEROED_COUNT", "not ours"),
    ];
    let config = Folder::new().good(BASE, &env);
    assert_eq!((config.guards.limits.max_zeroed_percent, config.guards.min_source_ratio_thousandths), (35, 550));
    assert_eq!(config.state, StateUrl::Sqlite(PathBuf::from("/tmp/other.db")));
    assert_eq!(config.http_listen, "[::1]:9000".parse().ok());
    assert_eq!(config.log.format, LogFormat::Json);
    let effective = config.effective();
    assert!(effective.contains("STOCKSYNC__GUARDS__MAX_ZEROED_PERCENT"), "{effective}");
}

#[test]
fn secrets_come_from_the_file_from_files_and_from_variables() {
    let folder = Folder::new();
    folder.write("token", "hunter2-file\n");
    folder.write("access", "0123\n");
    let credentials = folder.path("credentials");
    fs::create_dir(&credentials).expect("a folder");
    fs::write(credentials.join("refresh"), "hunter2-systemd").expect("written");
    let text = BASE
        .replace("\"hunter2-consumer-secret\"", "{ file = \"token\" }")
        .replace("\"hunter2-access-token\"", "{ file = \"access\" }")
        .replace("\"hunter2-client-secret\"", "{ env = \"AMAZON_SECRET\" }")
        .replace("\"hunter2-refresh-token\"", "{ file = \"${CREDENTIALS_DIRECTORY}/refresh\" }");
    let credentials = credentials.to_str().expect("plain text");
    let config = folder.good(&text, &[("AMAZON_SECRET", "00123"), ("CREDENTIALS_DIRECTORY", credentials)]);
    let CommerceAuth::OAuth1 { consumer_key, consumer_secret, access_token, .. } = &config.commerces[0].auth else {
        panic!("{:?}", config.commerces[0].auth)
    };
    assert_eq!((consumer_key.as_str(), consumer_secret.expose_secret()), ("hunter2-consumer-key", "hunter2-file"));
    assert_eq!(access_token.expose_secret(), "0123");
    let account = &config.accounts[0];
    assert_eq!(account.client_secret.expose_secret(), "00123");
    assert_eq!(account.refresh_token.expose_secret(), "hunter2-systemd");
    let effective = config.effective();
    assert!(!effective.contains(SECRET) && !effective.contains("0123"), "{effective}");
    for origin in ["variable AMAZON_SECRET", "/token\n", "/credentials/refresh\n", "written in the file, line"] {
        assert!(effective.contains(origin), "{origin:?} in\n{effective}");
    }
}

#[test]
fn other_ways_to_sign_in_are_read() {
    let tail = BASE.find("[[account]]").expect("an account");
    let head = "[[commerce]]\nname = \"shop\"\nbase_url = \"https://shop.example.com/\"\nauth = ";
    for (auth, shown) in [
        ("{ method = \"bearer\", token = \"hunter2\" }", "Bearer"),
        ("{ method = \"admin\", username = \"sync\", password = \"hunter2\" }", "Admin"),
        (
            "{ method = \"ims\", client_id = \"c\", client_secret = \"hunter2\", org_id = \"o@AdobeOrg\", \
             token_url = \"https://ims-na1.adobelogin.com/ims/token/v3\" }",
            "Ims",
        ),
    ] {
        let config = Folder::new().good(&format!("{head}{auth}\n{}", &BASE[tail..]), &[]);
        let commerce = &config.commerces[0];
        assert_eq!(
            (format!("{:?}", commerce.auth).as_str(), commerce.base_url.as_str()),
            (shown, "https://shop.example.com")
        );
    }
}

#[test]
fn line_ends_and_marks_of_other_editors_do_not_matter() {
    let text = format!("\u{feff}{}", BASE.replace('\n', "\r\n"));
    let config = Folder::new().good(&text, &[]);
    assert_eq!(settings(&config), settings(&Folder::new().good(BASE, &[])));
}

#[test]
fn mappings_are_read_beside_the_file() {
    let folder = Folder::new();
    for (written, expected) in [("map:good.csv", "Table"), ("attribute:amazon_sku", "Attribute(\"amazon_sku\")")] {
        let text = edited("website = \"base\"", &format!("website = \"base\"\nseller_sku = \"{written}\""));
        let mapping = format!("{:?}", folder.good(&text, &[]).stores[0].seller_sku);
        assert!(mapping.starts_with(expected), "{mapping}");
    }
}

#[test]
fn doubtful_settings_are_warned_about() {
    let threshold = "out_of_stock_threshold = 1";
    for (replace, with, expected) in [
        (threshold, "maximum_mode = \"fixed\"", "store[1].maximum_mode (store \"acme-us\"): \"fixed\" oversells"),
        (threshold, "out_of_stock_threshold = 20000", "20000 is above maximum_listed_quantity 10000"),
        (threshold, "out_of_stock_threshold = 101", "products without managed stock always list 0"),
        (threshold, "unmanaged_stock_quantity = 20000", "10000 will be listed"),
        ("page_size = 300", "page_size = 301", "301 is above 300"),
        ("https://shop.", "http://shop.", "secrets cross the network in the clear"),
        ("\"acme-us\"\ncountry = \"US\"", "\"acme-eu\"\ncountry = \"FR\"", "no [[store]] uses \"acme-us\""),
        (
            "\"acme-us\"\ncountry = \"US\"\ncreated_at = \"2020",
            "\"acme-eu\"\ncountry = \"DE\"\ncreated_at = \"2019",
            "the same as of store \"acme-de\" in this country",
        ),
        ("[guards]", "[push]\nfeed_stuck_after = \"15m\"\n[guards]", "ordinary feeds count as stuck"),
        ("[guards]", "[push]\nverify_static_every = \"2d\"\n[guards]", "longer than verify_every"),
    ] {
        let warnings: Vec<_> =
            Folder::new().good(&edited(replace, with), &[]).warnings.iter().map(ToString::to_string).collect();
        assert!(warnings.iter().any(|warning| warning.contains(expected)), "{expected:?} in {warnings:#?}");
    }
    let local = edited("https://shop.example.com", "http://127.0.0.1:8080");
    assert_eq!(Folder::new().good(&local, &[]).warnings, []);
}

#[test]
fn no_secret_is_shown() {
    let config = Folder::new().good(BASE, &[]);
    for shown in [config.effective(), format!("{config:?}"), format!("{:#?}", config.commerces)] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// The effective settings without their origins.
fn settings(config: &Config) -> Vec<String> {
    config.effective().lines().map(|line| line.split("  # ").next().unwrap_or(line).trim_end().to_owned()).collect()
}

fn reference_config(text: &str) -> Config {
    let folder = Folder::new();
    for name in ["shop-consumer-key", "shop-consumer-secret", "shop-access-token", "shop-access-token-secret"] {
        folder.write(name, SECRET);
    }
    folder.write("acme-eu-client-secret", SECRET);
    folder.write("acme-eu-refresh-token", SECRET);
    let credentials = folder.path("").display().to_string();
    folder.good(text, &[("CREDENTIALS_DIRECTORY", &credentials)])
}

#[test]
fn the_reference_is_valid_and_says_the_defaults() {
    let written = reference_config(REFERENCE);
    assert_eq!(written.warnings, []);
    let needed = ["name", "base_url", "auth.", "seller_id", "region", "client_id", "client_secret", "refresh_token"];
    let needed = needed.iter().chain(&["commerce", "website", "account", "country", "created_at", "["]);
    let needed: Vec<_> = needed.collect();
    let bare: Vec<_> = REFERENCE.lines().filter(|line| needed.iter().any(|start| line.starts_with(*start))).collect();
    assert_eq!(settings(&reference_config(&bare.join("\n"))), settings(&written));
}

#[test]
fn every_key_stands_in_the_reference() {
    let config = reference_config(REFERENCE);
    for setting in settings(&config).iter().filter(|line| line.contains(" = ")) {
        let key = setting.split(" = ").next().unwrap_or_default();
        assert!(REFERENCE.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
    }
    for key in ["token", "username", "password", "client_id", "client_secret", "org_id", "token_url"] {
        let written = |line: &str| line.starts_with("# auth = ") && line.contains(&format!(" {key} = "));
        assert!(REFERENCE.lines().any(written), "{key}");
    }
}

#[test]
fn the_effective_settings_are_a_configuration_again() {
    let config = Folder::new().good(BASE, &[("STOCKSYNC__HTTP__LISTEN", "127.0.0.1:1")]);
    let again = Folder::new().good(&config.effective(), &[]);
    assert_eq!(settings(&again), settings(&config));
}
