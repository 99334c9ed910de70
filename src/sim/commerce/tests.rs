//! Each row of the table of what a real server answered, by name.

use jiff::Timestamp;

use super::Commerce;
use super::request::Head;
use crate::clock::Clock;
use crate::sim::world::World;

const TOKEN: &str = "test-token";

fn commerce(products: &str) -> std::sync::Arc<Commerce> {
    let text = format!(
        "[commerce]\nintegration_bearer_token = \"{TOKEN}\"\n\
         [[commerce.stock]]\nid = 1\nname = \"Default Stock\"\n[[commerce.stock]]\nid = 2\nname = \"EU Stock\"\n\
         [[commerce.website]]\ncode = \"base\"\nid = 1\nstock_id = 1\n\
         [[commerce.website]]\ncode = \"eu\"\nid = 2\nstock_id = 2\n\
         [[commerce.source]]\ncode = \"default\"\nstocks = [1]\n\
         [[commerce.source]]\ncode = \"eu1\"\nstocks = [2]\n\
         [[commerce.source]]\ncode = \"eu3\"\nstocks = [2]\nenabled = false\n{products}"
    );
    let world = World::parse(&text, std::path::Path::new("test.toml")).unwrap();
    Commerce::new(&world.commerce, Clock::starting_at(Timestamp::UNIX_EPOCH))
}

fn get(commerce: &Commerce, path_and_query: &str) -> (u16, String) {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let head = Head {
        method: "GET".to_owned(),
        path: format!("/rest/V1/{path}"),
        query: query.to_owned(),
        authorization: Some(format!("Bearer {TOKEN}")),
        ..Head::default()
    };
    let reply = commerce.respond(&head, b"").reply;
    (reply.status.as_u16(), String::from_utf8(reply.body).unwrap())
}

/// The five answers about one SKU: quantity, salable, export row, dump row, in the order of the recorded table.
fn answers(commerce: &Commerce, sku: &str, stock: u32, website: &str) -> [String; 4] {
    let row = |body: &str| {
        let marker = format!("\"sku\":\"{sku}\"");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let rows = body.get("items").unwrap_or(&body).as_array().unwrap().clone();
        let row = rows.iter().find(|row| row.to_string().contains(&marker));
        row.map_or_else(|| "absent".to_owned(), |row| format!("{} {}", row["qty"], row["is_salable"]))
    };
    let export = get(commerce, &format!("inventory/export-stock-salable-qty/website/{website}?searchCriteria="));
    let dump = get(commerce, &format!("inventory/dump-stock-index-data/website/{website}"));
    [
        get(commerce, &format!("inventory/get-product-salable-quantity/{sku}/{stock}")).1,
        get(commerce, &format!("inventory/is-product-salable/{sku}/{stock}")).1,
        row(&export.1),
        row(&dump.1),
    ]
}

struct Case {
    name: &'static str,
    product: &'static str,
    stock: u32,
    expected: [&'static str; 4],
}

const fn case(name: &'static str, product: &'static str, stock: u32, expected: [&'static str; 4]) -> Case {
    Case { name, product, stock, expected }
}

const CASES: [Case; 27] = [
    case("q 100, r 4", "sources = { default = 100 }\nreserved = { 1 = 4 }", 1, ["96", "true", "96 true", "100 true"]),
    case("unmanaged q 0", "manage_stock = false\nsources = { default = 0 }", 1, ["0", "true", "0 true", "0 true"]),
    case("unmanaged q 25", "manage_stock = false\nsources = { default = 25 }", 1, ["25", "true", "0 true", "0 true"]),
    case(
        "unmanaged r 4",
        "manage_stock = false\nsources = { default = 0 }\nreserved = { 1 = 4 }",
        1,
        ["-4", "true", "0 true", "0 true"],
    ),
    case(
        "unmanaged, asked for a custom stock it is not on",
        "manage_stock = false\nsources = { default = 5 }",
        2,
        ["0", "false", "0 true", "absent"],
    ),
    case(
        "unmanaged, asked for the default stock it is not on",
        "manage_stock = false\nwebsites = [\"eu\"]\nsources = { eu1 = 5 }",
        1,
        ["0", "true", "0 true", "absent"],
    ),
    case(
        "no backorders, q 2, r 5",
        "sources = { default = 2 }\nreserved = { 1 = 5 }",
        1,
        ["-3", "false", "-3 false", "2 true"],
    ),
    case(
        "infinite backorders, q 1, r 4",
        "backorders = 1\nsources = { default = 1 }\nreserved = { 1 = 4 }",
        1,
        ["-3", "true", "-3 true", "1 true"],
    ),
    case("min_qty 5, q 5", "min_qty = 5\nsources = { default = 5 }", 1, ["0", "false", "0 false", "5 true"]),
    case("min_qty 5, q 6", "min_qty = 5\nsources = { default = 6 }", 1, ["1", "true", "1 true", "6 true"]),
    case("min_qty 5, q 12", "min_qty = 5\nsources = { default = 12 }", 1, ["7", "true", "7 true", "12 true"]),
    case(
        "backorders on, min_qty +5, q 3",
        "backorders = 1\nmin_qty = 5\nsources = { default = 3 }",
        1,
        ["3", "true", "3 true", "3 true"],
    ),
    case(
        "backorders off, min_qty -5, q -2",
        "min_qty = -5\nsources = { default = -2 }",
        1,
        ["0", "false", "0 false", "0 true"],
    ),
    case(
        "backorders on, min_qty -4, q 5",
        "backorders = 2\nmin_qty = -4\nsources = { default = 5 }",
        1,
        ["9", "true", "9 true", "5 true"],
    ),
    case(
        "backorders on, min_qty -3, q -3",
        "backorders = 2\nmin_qty = -3\nsources = { default = -3 }",
        1,
        ["3", "false", "3 false", "0 true"],
    ),
    case(
        "backorders on, min_qty -10, q -10",
        "backorders = 1\nmin_qty = -10\nsources = { default = -10 }",
        1,
        ["10", "false", "10 false", "0 true"],
    ),
    case(
        "backorders on, min_qty -10, q -4, on a custom stock",
        "backorders = 1\nmin_qty = -10\nwebsites = [\"eu\"]\nsources = { eu1 = -4 }",
        2,
        ["6", "true", "6 true", "-4 true"],
    ),
    case(
        "decimals on",
        "is_qty_decimal = true\nsources = { default = 12.3456 }",
        1,
        ["12.3456", "true", "12.3456 true", "12.3456 true"],
    ),
    case("decimals off", "sources = { default = 12.5 }", 1, ["12.5", "true", "12.5 true", "12.5 true"]),
    case(
        "the largest quantity",
        "sources = { default = 99999999.9999 }",
        1,
        ["99999999.9999", "true", "99999999.9999 true", "99999999.9999 true"],
    ),
    case("in no website", "websites = []\nsources = { default = 10 }", 1, ["10", "true", "10 true", "absent"]),
    case("disabled on stock 1", "enabled = false\nsources = { default = 10 }", 1, ["10", "true", "10 true", "absent"]),
    case(
        "disabled on another stock",
        "enabled = false\nwebsites = [\"eu\"]\nsources = { eu1 = 5 }",
        2,
        ["5", "true", "5 true", "5 true"],
    ),
    case(
        "source on the stock, product not in the website",
        "sources = { eu1 = 5 }",
        2,
        ["5", "true", "5 true", "absent"],
    ),
    case("no source item", "", 1, ["0", "false", "absent", "0 false"]),
    case(
        "only a disabled source",
        "websites = [\"eu\"]\nsources = { eu3 = 9 }",
        2,
        ["0", "false", "0 false", "absent"],
    ),
    case(
        "the old flag lags behind a source in stock",
        "legacy_in_stock = false\nsources = { default = 50 }",
        1,
        ["0", "true", "0 true", "50 false"],
    ),
];

#[test]
fn the_quantity_routes_answer_as_the_real_server_did() {
    for Case { name, product, stock, expected } in CASES {
        let commerce = commerce(&format!("[[commerce.product]]\nsku = \"P\"\n{product}\n"));
        let website = if stock == 1 { "base" } else { "eu" };
        assert_eq!(answers(&commerce, "P", stock, website), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn an_order_for_the_last_unit_lowers_the_index_too() {
    let commerce = commerce("[[commerce.product]]\nsku = \"P\"\nsources = { default = 10 }\n");
    commerce.order("P", 1, 10).unwrap();
    assert_eq!(answers(&commerce, "P", 1, "base"), ["0", "false", "0 false", "10 false"].map(str::to_owned));
    commerce.cancel("P", 1, 4).unwrap();
    assert_eq!(answers(&commerce, "P", 1, "base"), ["4", "true", "4 true", "10 true"].map(str::to_owned));
}

#[test]
fn a_shipment_moves_the_unit_from_reservation_to_source() {
    let commerce = commerce("[[commerce.product]]\nsku = \"P\"\nsources = { default = 20 }\n");
    commerce.order("P", 1, 7).unwrap();
    commerce.ship("P", 1, 3).unwrap();
    assert_eq!(answers(&commerce, "P", 1, "base"), ["13", "true", "13 true", "17 true"].map(str::to_owned));
}

#[test]
fn a_shipment_takes_from_the_sources_in_order_and_never_below_zero() {
    let commerce = commerce(
        "[[commerce.source]]\ncode = \"eu2\"\nstocks = [2]\n\
         [[commerce.product]]\nsku = \"P\"\nwebsites = [\"eu\"]\nsources = { eu1 = 5, eu2 = 7, eu3 = 50 }\n",
    );
    commerce.order("P", 2, 14).unwrap();
    assert!(commerce.ship("P", 2, 13).is_err(), "a disabled source ships nothing");
    commerce.ship("P", 2, 8).unwrap();
    let items = get(&commerce, "inventory/source-items?searchCriteria=&fields=items[quantity]").1;
    assert_eq!(items, r#"{"items":[{"quantity":0},{"quantity":4},{"quantity":50}]}"#);
    assert_eq!(commerce.salable("P", 2).unwrap().0, crate::sim::Quantity::ZERO);
}

#[test]
fn a_composite_is_salable_by_its_children() {
    let children = "[[commerce.product]]\nsku = \"A\"\nsources = { default = 4 }\n\
        [[commerce.product]]\nsku = \"B\"\nsources = { default = 0 }\n";
    for (kind, wanted, salable) in [
        ("configurable", "A = 1, B = 1", true),
        ("configurable", "B = 1", false),
        ("grouped", "A = 1, B = 1", true),
        ("bundle", "A = 4", true),
        ("bundle", "A = 5", false),
        ("bundle", "A = 1, B = 1", false),
        ("bundle", "", false),
    ] {
        let commerce = commerce(&format!(
            "{children}[[commerce.product]]\nsku = \"C\"\ntype = \"{kind}\"\nchildren = {{ {wanted} }}\n"
        ));
        let quantity = "Can't check requested quantity for products without Source Items support.";
        let [number, is_salable, export, _] = answers(&commerce, "C", 1, "base");
        let expected = (format!("{{\"message\":\"{quantity}\"}}"), salable.to_string(), format!("0 {salable}"));
        assert_eq!((number, is_salable, export), expected, "{kind} of {wanted}");
    }
}

#[test]
fn an_unknown_sku_breaks_one_release_and_not_the_other() {
    for (version, status) in [("2.4.7", 500), ("2.4.8", 404)] {
        let text = format!("[commerce]\nversion = \"{version}\"\nintegration_bearer_token = \"{TOKEN}\"\n");
        let world = World::parse(&text, "test.toml".as_ref()).unwrap();
        let commerce = Commerce::new(&world.commerce, Clock::starting_at(Timestamp::UNIX_EPOCH));
        assert_eq!(get(&commerce, "inventory/get-product-salable-quantity/NOPE/1").0, status, "{version}");
        assert_eq!(get(&commerce, "inventory/is-product-salable/NOPE/1"), (200, "false".to_owned()));
    }
}

#[test]
fn a_negative_source_is_cut_to_zero_by_the_next_full_reindex() {
    let commerce =
        commerce("[[commerce.product]]\nsku = \"P\"\nbackorders = 1\nmin_qty = -10\nsources = { default = 1 }\n");
    commerce.set_quantity("P", "default", crate::sim::Quantity::whole(-3)).unwrap();
    assert_eq!(get(&commerce, "inventory/get-product-salable-quantity/P/1").1, "7");
    commerce.reindex();
    assert_eq!(get(&commerce, "inventory/get-product-salable-quantity/P/1").1, "10");
}

#[test]
fn system_settings_move_every_product_that_uses_them() {
    let commerce = commerce(
        "[[commerce.product]]\nsku = \"P\"\nsources = { default = 8 }\n\
         [[commerce.product]]\nsku = \"Q\"\nmin_qty = 0\nsources = { default = 8 }\n",
    );
    let min_qty = crate::sim::Quantity::whole(3);
    commerce.set_system(crate::sim::world::SystemWorld { min_qty, ..Default::default() }).unwrap();
    assert_eq!(get(&commerce, "inventory/get-product-salable-quantity/P/1").1, "5");
    assert_eq!(get(&commerce, "inventory/get-product-salable-quantity/Q/1").1, "8");
}
