//! World files: what is made of them, and what is refused.

use jiff::Timestamp;
use stocksync::clock::Clock;
use stocksync::sim::amazon::{Amazon, AmazonWorld};

use crate::harness::{ACCOUNT, SELLER};

#[derive(serde::Deserialize)]
struct WorldFile {
    amazon: AmazonWorld,
}

#[tokio::test(start_paused = true)]
async fn a_world_is_a_section_of_a_larger_file() {
    let text = r#"
        [amazon]
        speed = 20
        apply_delay = { min = "1s", max = "2s 500ms" }
        lose_percent = 5
        rates = { createReport = 0.01 }

        [[amazon.account]]
        seller_id = "A1SELLER"
        client_id = "client"
        client_secret = "secret"
        refresh_token = "refresh"
        region = "eu"
        marketplaces = ["UK", "DE"]
        generate = { listings = 3, sku = "X{008}-z", quantity = 4 }

        [[amazon.account.listing]]
        sku = "FBA"
        channel = "AMAZON_EU"
        marketplaces = ["GB"]

        [[amazon.buyer]]
        every = "3s"
    "#;
    let world: WorldFile = toml::from_str(text).unwrap();
    let amazon = Amazon::new(world.amazon, 1, Clock::starting_at(Timestamp::UNIX_EPOCH));
    let generated = ["X008-z", "X009-z", "X010-z"].map(|sku| amazon.listing(SELLER, sku).unwrap().quantity);
    assert_eq!(generated, [Some(4); 3]);
    let fba = amazon.listing(SELLER, "FBA").unwrap();
    assert_eq!((fba.quantity, fba.marketplaces), (None, vec!["UK"]));
}

#[test]
fn a_wrong_world_says_what_is_wrong() {
    let account = |from: &str, to: &str| ACCOUNT.replace(from, to);
    for (text, message) in [
        ("sped = 1".to_owned(), "unknown field `sped`"),
        ("speed = 0".to_owned(), "a speed is above 0"),
        ("apply_delay = \"soon\"".to_owned(), "`soon` is no duration"),
        ("apply_delay = { min = \"2s\", max = \"1s\" }".to_owned(), "min is longer than max"),
        ("rates = { createReports = 1 }".to_owned(), "unknown variant `createReports`"),
        ("[report]\nheader = \"klingon\"".to_owned(), "unknown variant `klingon`"),
        (account("\"eu\"", "\"mars\""), "region `mars` is none of"),
        (account("\"eu\"", "\"na\""), "marketplace `DE` is not in region `na`"),
        (account("\"DE\"", "\"XX\""), "`XX` is no country"),
        (account("client_id", "client"), "unknown field `client`"),
        (format!("{ACCOUNT}foreign_share = 1.0"), "foreign_share is at least 0"),
        (format!("{ACCOUNT}generate = {{ listings = 1, sku = \"X\" }}"), "`X` names no number"),
        (format!("{ACCOUNT}[[account.listing]]\nsku = \"A\"\nmarketplaces = [\"IT\"]"), "`A` is in `IT`"),
        ("[[buyer]]\nquantity = 1".to_owned(), "missing field `every`"),
        ("feed_apply_delay = 1".to_owned(), "a duration like"),
        ("[[fault]]\nkind = \"earthquake\"".to_owned(), "unknown variant `earthquake`"),
        ("[[fault]]\nkind = \"stuck\"\ntimes = 1".to_owned(), "unknown field `times`"),
    ] {
        let error = toml::from_str::<AmazonWorld>(&text).expect_err(&text).to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}
