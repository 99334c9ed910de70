//! Nothing secret is said at any level, by any command, in any format, nor kept in the state.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use stocksync::sim::amazon::TokenAction;
use stocksync::sim::commerce;

use crate::bench::{Account, Bench, SECRETS, SELLER, Store, Texts, eventually};

const PASSWORD: &str = "Admin&Pass+word/123";
const BEARER: &str = "bearer0123456789/abcdefghijk+xyz";

/// All that must not be seen, in every form in which it might be.
fn forms() -> Vec<String> {
    let mut secrets: Vec<String> =
        SECRETS.iter().chain(&[PASSWORD, BEARER]).map(|secret| (*secret).to_owned()).collect();
    secrets.push(format!("{}&{}", SECRETS[0], SECRETS[2]));
    let mut forms = Vec::new();
    for secret in secrets {
        let encoded = utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string();
        forms.push(STANDARD_NO_PAD.encode(&secret));
        forms.push(URL_SAFE_NO_PAD.encode(&secret));
        forms.push(serde_json::Value::from(secret.as_str()).to_string().trim_matches('"').to_owned());
        forms.push(encoded);
        forms.push(secret);
    }
    // Access tokens of Amazon and of Commerce's administrators, which nobody knows beforehand.
    forms.extend(["Atza|", "Atza%7C", "QXR6YX", "eyJ", "Bearer ey"].map(str::to_owned));
    forms
}

fn bench(auth: Option<&str>) -> Bench {
    Bench::with(
        Texts::new("A 12\nB 5").account(Account::one("{ sku = 'A', quantity = 1 }, { sku = 'B', quantity = 1 }")).store(Store::live("de", "DE")).with(
            |texts| {
                texts.commerce = format!(
                    "integration_bearer_token = \"{BEARER}\"\n[commerce.admin]\nusername = \"admin\"\npassword = \"{PASSWORD}\""
                );
                if let Some(auth) = auth {
                    auth.clone_into(&mut texts.auth);
                }
            },
        ),
    )
}

/// Everything that can be said, on good days and on bad ones.
fn say_everything(bench: &Bench, format: &str) -> String {
    let env = [("STOCKSYNC__LOG__FILTER", "trace"), ("STOCKSYNC__LOG__FORMAT", format), ("RUST_BACKTRACE", "full")];
    let mut said = String::new();
    let mut run = |line: &str| {
        let ran = bench.start_with(line, &env).end();
        assert!(!ran.all().contains("panicked"), "{line}: {}", ran.all());
        said.push_str(&ran.all());
    };
    for line in
        ["plan --format json", "resync", "check-config --online", "status", "explain A --format json", "explain B"]
    {
        run(line);
    }
    bench.pair.commerce.revoke_tokens();
    bench
        .pair
        .commerce
        .set_fault(commerce::Fault { count: Some(2), ..commerce::Fault::every(commerce::FaultKind::Html200) });
    bench.pair.amazon.token(SELLER, TokenAction::ExpireAll);
    run("resync --sku A");
    bench.pair.amazon.token(SELLER, TokenAction::ExpireSecret);
    run("resync --sku A");
    bench.pair.amazon.token(SELLER, TokenAction::Restore);
    let service = bench.start_with("run", &env);
    eventually("a cycle", || service.err().contains("cycle_planned"));
    run("resync --sku B");
    bench.pair.amazon.token(SELLER, TokenAction::Revoke);
    run("resync --sku B");
    service.signal("TERM");
    let ran = service.end().ended_with(0);
    said + &ran.all()
}

fn assert_nothing_secret(said: &str, where_: &str) {
    for form in forms() {
        let found = said.find(&form).map(|at| {
            let from = said[..at].rfind('\n').map_or(0, |line| line + 1);
            said[from..].lines().next().unwrap_or_default().to_owned()
        });
        assert_eq!(found, None, "{form} in {where_}");
    }
}

fn state(bench: &Bench) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(bench.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_string_lossy().starts_with("state.db") {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
    assert!(text.contains("SQLite format"));
    text
}

fn try_auth(auth: Option<&str>, format: &str) {
    let bench = bench(auth);
    let said = say_everything(&bench, format);
    assert!(said.contains("TRACE") && said.contains("searchListingsItems"), "the logs are not at trace");
    assert!(said.contains("0 sent and accepted") || said.contains("sent and accepted"), "nothing worked: {said}");
    assert_nothing_secret(&said, "the logs");
    assert_nothing_secret(&state(&bench), "the state");
}

#[test]
fn nothing_secret_is_said_with_an_integrations_four_secrets() {
    try_auth(None, "pretty");
}

#[test]
fn nothing_secret_is_said_in_json_with_an_admin_user() {
    try_auth(Some(&format!("{{ method = \"admin\", username = \"admin\", password = \"{PASSWORD}\" }}")), "json");
}

#[test]
fn nothing_secret_is_said_in_json_with_a_bearer_token() {
    try_auth(Some(&format!("{{ method = \"bearer\", token = \"{BEARER}\" }}")), "json");
}

#[test]
fn a_broken_configuration_does_not_quote_its_secrets() {
    let bench = bench(None);
    let good = std::fs::read_to_string(bench.config()).unwrap();
    for (from, to) in [
        ("consumer_secret = ", "consumer_secrett = "),
        ("client_secret = \"", "client_secret = 1 # \""),
        ("refresh_token = \"", "refresh_token = [\""),
        ("client_secret = \"", "client_secret = \"\u{1}"),
        ("client_secret = \"", "client_secret = {} \""),
        ("client_secret = ", "client_secret = { file = \"/nowhere\" }\nclient_secret = "),
        ("method = \"oauth1\"", "method = \"bearer\""),
    ] {
        std::fs::write(bench.config(), good.replace(from, to)).unwrap();
        for line in ["check-config", "run"] {
            let ran = bench.run(line).ended_with(78);
            assert_nothing_secret(&ran.all(), to);
        }
    }
}
