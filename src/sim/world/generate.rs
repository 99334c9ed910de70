//! A catalogue of any size from one seed.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::raw::{CommerceWorld, Generate, ProductWorld, SourceStock};
use crate::sim::Quantity;

/// Appends the products that `[commerce.generate]` asks for.
pub(super) fn generate(world: &mut CommerceWorld) {
    let Some(wanted) = world.generate.clone() else { return };
    let websites = wanted
        .websites
        .clone()
        .unwrap_or_else(|| world.website.first().map(|website| website.code.clone()).into_iter().collect());
    let sources = sources_of(world, &websites);
    let mut random = StdRng::seed_from_u64(world.seed);
    for number in 1..=wanted.products {
        world.product.push(product(&wanted, number, &websites, &sources, &mut random));
    }
}

/// The enabled sources behind the stocks of these websites.
fn sources_of(world: &CommerceWorld, websites: &[String]) -> Vec<String> {
    let stocks: Vec<u32> = world
        .website
        .iter()
        .filter(|website| websites.contains(&website.code))
        .map(|website| website.stock_id)
        .collect();
    world
        .source
        .iter()
        .filter(|source| source.enabled && source.stocks.iter().any(|stock| stocks.contains(stock)))
        .map(|source| source.code.clone())
        .collect()
}

fn product(
    wanted: &Generate,
    number: u32,
    websites: &[String],
    sources: &[String],
    random: &mut StdRng,
) -> ProductWorld {
    let mut product = ProductWorld {
        sku: format!("{}{number:06}", wanted.prefix),
        name: Some(format!("Generated product {number}")),
        type_id: "simple".to_owned(),
        enabled: true,
        websites: Some(websites.to_vec()),
        manage_stock: None,
        backorders: None,
        min_qty: None,
        is_qty_decimal: false,
        qty_increments: None,
        sources: BTreeMap::new(),
        reserved: BTreeMap::new(),
        attributes: BTreeMap::new(),
        children: BTreeMap::new(),
        without_stock_data: false,
        legacy_in_stock: None,
    };
    for source in sources {
        let quantity = Quantity::whole(random.random_range(1..=400));
        product.sources.insert(source.clone(), SourceStock { quantity, in_stock: true });
    }
    if !wanted.plain {
        make_odd(&mut product, random);
    }
    product
}

/// About one product in five of a real catalogue has something about it.
fn make_odd(product: &mut ProductWorld, random: &mut StdRng) {
    match random.random_range(0..100) {
        0..4 => product.sources.values_mut().for_each(|held| held.quantity = Quantity::ZERO),
        4..7 => product.manage_stock = Some(false),
        7..9 => product.min_qty = Some(Quantity::whole(random.random_range(1..=20))),
        9..11 => {
            product.backorders = Some(1);
            product.min_qty = Some(-Quantity::whole(random.random_range(1..=50)));
        }
        11..12 => product.backorders = Some(2),
        12..14 => product.enabled = false,
        14..15 => product.websites = Some(Vec::new()),
        15..16 => product.sources.values_mut().for_each(|held| held.in_stock = false),
        16..17 => "configurable".clone_into(&mut product.type_id),
        17..20 => {
            product.reserved.insert("1".to_owned(), Quantity::whole(random.random_range(1..=5)));
        }
        _ => {}
    }
    if product.type_id == "configurable" {
        product.sources.clear();
    }
}
