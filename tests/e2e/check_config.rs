//! `check-config --online`: what is signed in to, what is asked, and what it says about what is missing.

use stocksync::sim::amazon::{Fault, FaultKind, Operation, TokenAction};
use stocksync::sim::commerce;

use crate::bench::{Account, Bench, Ran, SELLER, Store, Texts};

/// Everything that a shop may grant and that is asked for.
const RESOURCES: [&str; 6] = [
    "Magento_Backend::store",
    "Magento_InventoryApi::stock",
    "Magento_Catalog::products",
    "Magento_Catalog::catalog_inventory",
    "Magento_Sales::actions_view",
    "Magento_Catalog::attributes_attributes",
];

fn texts() -> Texts {
    Texts::new("A 12")
        .account(Account::one("{ sku = 'A', quantity = 1 }"))
        .account(Account::two("{ sku = 'A', quantity = 1 }"))
        .store(Store::live("de", "DE").rules("seller_sku = \"attribute:amazon_sku\""))
        .store(Store::live("fr", "FR").of("two"))
        .with(|texts| {
            texts.commerce = "[[commerce.product]]\nsku = \"B\"\nattributes = { amazon_sku = \"B-1\" }".into();
        })
}

fn check(bench: &Bench) -> Ran {
    let ran = bench.run("check-config --online");
    let online = ran.out.lines().skip_while(|line| !line.contains("PERMISSION"));
    for line in online {
        assert!(line.chars().count() <= 100, "{line}");
    }
    assert_eq!((bench.written(), bench.patches()), (0, 0));
    ran
}

/// The row of the table with this permission, from its first line on, and what follows it.
fn row<'a>(ran: &'a Ran, name: &str, permission: &str) -> &'a str {
    let starts = |line: &&str| line.trim_start().starts_with(name) && line.contains(permission);
    ran.out.lines().find(starts).unwrap_or_else(|| panic!("no row {name} {permission} in\n{}", ran.out))
}

fn hints(ran: &Ran) -> String {
    let (_, online) = ran.out.split_once("PERMISSION").unwrap();
    let words: Vec<&str> = online.split_whitespace().collect();
    words.join(" ")
}

#[test]
fn all_is_well_with_everything_granted() {
    let bench = Bench::with(texts());
    let ran = check(&bench).ended_with(0);
    for (name, permission) in RESOURCES.iter().map(|resource| ("shop", *resource)).chain([
        ("shop", "Magento_Backend::admin"),
        ("shop", "website base"),
        ("one", "Login with Amazon"),
        ("one", "getMarketplaceParticipations"),
        ("two", "searchListingsItems"),
        ("two", "getReports"),
    ]) {
        assert!(row(&ran, name, permission).ends_with(" ok"), "{}", ran.out);
    }
    assert!(ran.out.contains("multi-source with export"), "{}", ran.out);
    assert!(ran.out.contains("everything that is needed is there") && !ran.out.contains("hint:"), "{}", ran.out);
    assert_eq!(bench.pair.amazon.stats().calls(Operation::CreateReport), 0);
}

#[test]
fn each_missing_resource_is_named_with_what_to_do_and_hides_no_other() {
    for missing in RESOURCES {
        let granted: Vec<&str> = RESOURCES.into_iter().filter(|resource| *resource != missing).collect();
        let bench =
            Bench::with(texts().with(|texts| texts.commerce = format!("resources = {granted:?}\n{}", texts.commerce)));
        let optional = matches!(missing, "Magento_Sales::actions_view" | "Magento_Catalog::attributes_attributes");
        let ran = check(&bench).ended_with(i32::from(!optional));
        let verdict = if optional { "(optional) missing" } else { "missing" };
        assert!(hints(&ran).contains(missing), "{}", ran.out);
        assert!(
            hints(&ran).contains(verdict) && hints(&ran).contains(&format!("hint: grant {missing}")),
            "{}",
            ran.out
        );
        for other in granted {
            let state = row(&ran, "shop", other);
            assert!(state.ends_with(" ok") || state.contains("not asked"), "{missing}: {}", ran.out);
        }
        assert!(row(&ran, "one", "getReports").ends_with(" ok"), "{}", ran.out);
    }
}

#[test]
fn a_website_and_an_attribute_that_are_not_there_are_the_configurations_fault() {
    let bench = Bench::with(texts());
    let good = std::fs::read_to_string(bench.config()).unwrap();
    for (from, to, said) in [
        ("website = \"base\"", "website = \"Base\"", "the shop has no website \"Base\" (store de), it has base"),
        ("attribute:amazon_sku", "attribute:asin", "the shop has no product attribute \"asin\""),
        (
            "country = \"FR\"",
            "country = \"ES\"",
            "store fr is for ES, where the account does not sell; it sells in DE, FR, IT",
        ),
    ] {
        std::fs::write(bench.config(), good.replacen(from, to, 1)).unwrap();
        let ran = check(&bench).ended_with(78);
        assert!(hints(&ran).contains(said) && hints(&ran).contains("hint: "), "{}", ran.out);
        assert!(row(&ran, "shop", "Magento_Catalog::products").ends_with(" ok"), "{}", ran.out);
    }
}

#[test]
fn a_sign_in_that_is_refused_says_what_to_do_and_the_others_are_asked() {
    let bench = Bench::with(texts());
    let good = std::fs::read_to_string(bench.config()).unwrap();
    for (from, to, hint) in [
        ("consumersecret/+", "wrongsecret/+", "hint: `consumer_secret` or `access_token_secret` is wrong"),
        ("\"accesstoken0123456789abcdefghijk\"", "\"short\"", "hint: `access_token` is cut"),
        (
            "\"consumerkey012345678901234567890\"",
            "\"consumerkey012345678901234567891\"",
            "hint: `consumer_key` is of no",
        ),
    ] {
        std::fs::write(bench.config(), good.replacen(from, to, 1)).unwrap();
        let ran = check(&bench).ended_with(1);
        assert!(hints(&ran).contains(hint), "{}", ran.out);
        assert!(row(&ran, "shop", "Magento_Catalog::products").ends_with("not asked"), "{}", ran.out);
        assert!(row(&ran, "two", "getReports").ends_with(" ok"), "{}", ran.out);
    }
    std::fs::write(bench.config(), good).unwrap();
    for (action, hint) in [
        (TokenAction::Revoke, "hint: authorize the application again in Seller Central"),
        (TokenAction::Restore, "everything that is needed is there"),
    ] {
        bench.pair.amazon.token(SELLER, action);
        let ran = check(&bench).ended_with(i32::from(hint.starts_with("hint")));
        assert!(hints(&ran).contains(hint), "{}", ran.out);
        assert!(row(&ran, "shop", "Magento_Catalog::products").ends_with(" ok"), "{}", ran.out);
        assert!(row(&ran, "two", "getReports").ends_with(" ok"), "{}", ran.out);
    }
}

#[test]
fn a_client_secret_that_ended_is_told_from_a_grant_that_was_taken_back() {
    let bench = Bench::with(texts());
    for seller in [SELLER, "A1TWO"] {
        bench.pair.amazon.token(seller, TokenAction::ExpireSecret);
    }
    let ran = check(&bench).ended_with(1);
    assert!(hints(&ran).contains("hint: set `client_id` and `client_secret`"), "{}", ran.out);
}

#[test]
fn a_bearer_token_that_commerce_does_not_take_is_explained() {
    let bench = Bench::with(texts().with(|texts| texts.auth = "{ method = \"bearer\", token = \"x\" }".to_owned()));
    let ran = check(&bench).ended_with(1);
    assert!(hints(&ran).contains("hint: use method = \"oauth1\""), "{}", ran.out);
}

#[test]
fn what_the_cloud_service_refuses_is_explained_in_its_own_words() {
    let texts = Texts::new("A 12").account(Account::one("{ sku = 'A', quantity = 1 }")).store(Store::live("de", "DE"));
    let bench = Bench::with(texts.with(|texts| {
        texts.commerce =
            "[commerce.ims]\nclient_id = \"id\"\nclient_secret = \"secret\"\norg_id = \"A@AdobeOrg\"".into();
    }));
    let shop = bench.pair.commerce_url();
    let config = std::fs::read_to_string(bench.config()).unwrap();
    let (start, rest) = config.split_once("auth = {").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    for (tenant, secret, org, code, said) in [
        ("tenant", "secret", "A", 0, "cloud service ok"),
        ("tenant", "wrong", "A", 1, "hint: check `client_id` and `client_secret`"),
        ("tenant", "secret", "B", 1, "hint: see that `org_id` is the organization"),
        ("other", "secret", "A", 78, "hint: set `base_url` to the instance's REST endpoint, its tenant id included"),
    ] {
        let auth = format!(
            "auth = {{ method = \"ims\", client_id = \"id\", client_secret = \"{secret}\", org_id = \"{org}@AdobeOrg\", \
             token_url = \"{shop}/ims/token/v3\" }}"
        );
        let start = start.replace(&shop, &format!("{shop}/{tenant}"));
        std::fs::write(bench.config(), format!("{start}{auth}\n{end}")).unwrap();
        let ran = check(&bench).ended_with(code);
        assert!(hints(&ran).contains(said), "{}", ran.out);
    }
}

#[test]
fn an_amazon_that_forbids_names_the_role() {
    let bench = Bench::with(texts());
    let forbid = |kind, operation| {
        bench.pair.amazon.clear_faults();
        let fault = Fault { operation: Some(operation), seller_id: Some(SELLER.to_owned()), ..Fault::new(kind) };
        bench.pair.amazon.fault(fault);
        check(&bench)
    };
    let ran = forbid(FaultKind::RoleMissing, Operation::SearchListingsItems).ended_with(1);
    assert!(hints(&ran).contains("hint: give the application the role"), "{}", ran.out);
    assert!(
        hints(&ran).contains("Seller Central > Apps and Services > Develop Apps, authorize it again"),
        "{}",
        ran.out
    );
    assert_eq!(hints(&ran).matches("give the application the role").count(), 1, "said once: {}", ran.out);
    // What has to change is in the configuration.
    let ran = forbid(FaultKind::RegionMismatch, Operation::GetReports).ended_with(78);
    assert!(
        hints(&ran).contains("hint: the account is of another region than configured: set its `region`"),
        "{}",
        ran.out
    );
    forbid(FaultKind::RoleMissing, Operation::GetMarketplaceParticipations).ended_with(0);
}

#[test]
fn suspended_listings_are_a_warning_and_no_problem() {
    let two = Account::two("{ sku = 'A', quantity = 1 }").suspended();
    let texts = Texts::new("A 12").account(Account::one("{ sku = 'A', quantity = 1 }")).account(two);
    let bench = Bench::with(texts.store(Store::live("de", "DE")).store(Store::live("fr", "FR").of("two")));
    let ran = check(&bench).ended_with(0);
    assert!(row(&ran, "two", "marketplace FR").ends_with(" warning"), "{}", ran.out);
    assert!(hints(&ran).contains("suspended listings of the account in FR"), "{}", ran.out);
    assert!(hints(&ran).contains("hint: see Seller Central") && !ran.out.contains("marketplace IT"), "{}", ran.out);
    assert!(ran.out.contains("everything that is needed is there"), "{}", ran.out);
}

#[test]
fn a_shop_that_is_down_is_no_missing_permission() {
    let bench = Bench::with(texts());
    for (kind, code) in
        [(commerce::FaultKind::Html503, 1), (commerce::FaultKind::Html200, 1), (commerce::FaultKind::Redirect, 78)]
    {
        bench.pair.commerce.clear_faults();
        bench.pair.commerce.set_fault(commerce::Fault::every(kind));
        let ran = check(&bench).ended_with(code);
        assert!(!hints(&ran).contains("missing"), "{}", ran.out);
        assert!(row(&ran, "one", "getReports").ends_with(" ok"), "{}", ran.out);
    }
    let config =
        std::fs::read_to_string(bench.config()).unwrap().replace(&bench.pair.commerce_url(), "http://127.0.0.1:1");
    std::fs::write(bench.config(), config).unwrap();
    let ran = check(&bench).ended_with(1);
    assert!(hints(&ran).contains("hint: see that this machine reaches `base_url`"), "{}", ran.out);
}

#[test]
fn an_edition_without_some_routes_is_not_asked_for_them() {
    for (edition, said, unasked) in
        [("without_export", "multi-source without export", false), ("single_stock", "sign-in: single stock", true)]
    {
        let bench =
            Bench::with(texts().with(|texts| texts.commerce = format!("edition = \"{edition}\"\n{}", texts.commerce)));
        let ran = check(&bench).ended_with(0);
        assert!(hints(&ran).contains(said), "{}", ran.out);
        assert_eq!(ran.out.contains("not asked: this edition has no such route"), unasked, "{}", ran.out);
    }
}

#[test]
fn without_the_export_the_right_to_ask_for_single_quantities_is_proved() {
    for granted in [true, false] {
        let others = RESOURCES.into_iter().chain(["Magento_Backend::admin"]);
        let resources: Vec<&str> = others.chain(granted.then_some("Magento_InventorySalesApi::stock")).collect();
        let bench = Bench::with(texts().with(|texts| {
            texts.commerce = format!("edition = \"without_export\"\nresources = {resources:?}\n{}", texts.commerce);
        }));
        let ran = check(&bench).ended_with(i32::from(!granted));
        let state = row(&ran, "shop", "Magento_InventorySalesApi::stock");
        assert!(state.ends_with(if granted { " ok" } else { " missing" }), "{}", ran.out);
        assert_eq!(hints(&ran).contains("hint: grant Magento_InventorySalesApi::stock"), !granted, "{}", ran.out);
    }
}
