use std::path::Path;
use std::time::Duration;

use super::World;

fn parse(text: &str) -> Result<World, String> {
    World::parse(text, Path::new("w.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_sample_is_valid() {
    let world = World::sample().unwrap();
    assert!(world.commerce.product.len() >= 24);
}

#[test]
fn an_empty_file_is_a_new_installation() {
    let world = parse("").unwrap();
    assert_eq!(world.commerce.website[0].code, "base");
    assert_eq!(world.commerce.source[0].stocks, [1]);
    assert!(world.link.import_orders);
}

#[test]
fn a_quantity_may_be_a_number_or_a_table() {
    let text = "[[commerce.product]]\nsku = \"A\"\nsources = { default = { quantity = 2.5, in_stock = false } }\n\
        [[commerce.product]]\nsku = \"B\"\nsources = { default = -3 }\n[link]\nimport_delay = \"90s\"\n";
    let world = parse(text).unwrap();
    assert!(!world.commerce.product[0].sources["default"].in_stock);
    assert_eq!(world.commerce.product[1].sources["default"].quantity.truncated(), -3);
    assert_eq!(world.link.import_delay, Duration::from_secs(90));
}

#[test]
fn the_same_seed_gives_the_same_catalogue() {
    let skus = |seed: u32| {
        let text = format!("seed = {seed}\n[commerce.generate]\nproducts = 300\nprefix = \"P-\"\n");
        let world = parse(&text).unwrap();
        world.commerce.product.iter().map(|product| format!("{product:?}")).collect::<Vec<_>>()
    };
    assert_eq!(skus(1), skus(1));
    assert_ne!(skus(1), skus(2));
    assert_eq!(skus(1).len(), 300);
}

#[test]
fn a_wrong_file_says_where_and_what() {
    for (text, expected) in [
        ("colour = 1", "unknown field `colour`"),
        ("[commerce]\nversion = \"2.3\"", "unknown variant `2.3`"),
        ("[commerce]\nlatency = -1.0", "commerce.latency: must be 0 or more"),
        ("[commerce]\nmaximum_page_size = 0", "commerce.maximum_page_size: must be 1 or more"),
        ("[commerce]\nindex_lag = \"a while\"", "not a duration"),
        (
            "[commerce]\nims = { client_id = \"c\", client_secret = \"s\", org_id = \"o\", tenant_id = \"rest\" }",
            "commerce.ims.tenant_id: must be letters, digits and dashes",
        ),
        ("[commerce.system]\nbackorders = 3", "commerce.system.backorders: must be 0, 1 or 2"),
        ("[[commerce.product]]\nsku = \"A\"\nsources = { nope = 1 }", "product 1 (\"A\"): unknown source \"nope\""),
        ("[[commerce.product]]\nsku = \"A\"\nwebsites = [\"x\"]", "unknown website \"x\""),
        ("[[commerce.product]]\nsku = \"A\"\nreserved = { 9 = 1 }", "no stock has the id \"9\""),
        ("[[commerce.product]]\nsku = \"A\"\ntype = \"box\"", "unknown type \"box\""),
        ("[[commerce.product]]\nsku = \" A\"", "no blanks around it"),
        ("[[commerce.product]]\nsku = \"A\"\n[[commerce.product]]\nsku = \"a\"", "the same SKU as product 1 (\"A\")"),
        ("[[commerce.product]]\nsku = \"O\"\n[[commerce.product]]\nsku = \"Ö\"", "the same SKU as product 1 (\"O\")"),
        ("[[commerce.product]]\nsku = \"A\"\nsources = { default = 1e9 }", "out of range"),
        ("[[commerce.product]]\nsku = \"A\"\nsources = { default = { quantity = 1, x = 1 } }", "unknown field `x`"),
        ("[[commerce.website]]\ncode = \"b\"\nid = 1\nstock_id = 4", "no stock has the id 4"),
        ("[[commerce.source]]\ncode = \"s\"\nstocks = [3]", "no stock has the id 3"),
        ("[link]\nimport_delay = \"soon\"", "not a duration"),
        (
            "[commerce.oauth]\nconsumer_key = \"k\"\nconsumer_secret = \"s\"\naccess_token = \"t\"\n\
             access_token_secret = \"u\"",
            "commerce.oauth.consumer_key: must have 32 characters",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(expected) && error.contains("w.toml"), "{text}\n{error}");
    }
}
