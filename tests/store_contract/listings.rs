//! Which listings there are, where they are shown, and what Amazon shows of them.

use stocksync::model::{AccountName, Channel, MarketplaceId, SellerSku};
use stocksync::store::{Moved, Observation};

use crate::bench::{Bench, DE, FR, acme, at, known, on_every_store, seen, skus};

on_every_store![
    a_discovered_listing_is_not_live_before_it_was_seen,
    listings_come_in_the_order_of_their_bytes_page_by_page,
    named_listings_come_in_order_of_one_account_or_of_all,
    a_discovery_adds_its_marketplace_and_takes_it_from_what_it_no_longer_names,
    a_discovery_says_how_many_it_knew_and_how_many_of_these_went,
    what_no_marketplace_shows_any_more_is_not_live,
    an_empty_discovery_takes_every_listing_from_the_marketplace,
    a_discovery_of_one_account_leaves_the_others_alone,
    discoveries_are_remembered_by_marketplace,
    a_found_listing_is_shown_where_it_was_found,
    an_older_look_never_replaces_a_newer_one,
    what_amazon_does_not_show_is_not_live_and_keeps_its_quantity,
    a_look_without_a_quantity_is_no_news_of_it,
    every_channel_comes_back_as_it_was_seen,
    presence_tells_of_the_other_accounts,
    the_readings_of_a_belief_are_kept,
    what_was_never_discovered_is_not_kept,
];

async fn discover(bench: &Bench, account: &str, marketplace: &str, names: &[&str], minutes: i64) {
    let names = names.iter().copied().map(SellerSku::from).collect();
    bench.store.save_discovery(&account.into(), &marketplace.into(), names, at(minutes)).await.unwrap();
}

async fn page(bench: &Bench, after: Option<&str>, limit: u32) -> Vec<String> {
    let after = after.map(SellerSku::from);
    let listings = bench.store.listings_after(&acme(), after.as_ref(), limit).await.unwrap();
    listings.into_iter().map(|listing| listing.seller_sku.to_string()).collect()
}

fn ids<const N: usize>(ids: [&str; N]) -> Vec<MarketplaceId> {
    ids.map(MarketplaceId::from).to_vec()
}

async fn a_discovered_listing_is_not_live_before_it_was_seen(bench: Bench) {
    discover(&bench, "acme", DE, &["MUG"], 0).await;
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.live, listing.channel), (false, Channel::Unknown));
    assert_eq!((listing.belief.believed(), listing.refusal), (None, None));
    bench.store.save_observations(&acme(), vec![seen("MUG", 7)], at(1)).await.unwrap();
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.live, listing.channel), (true, Channel::Merchant));
    assert_eq!(listing.belief.observed, Some(known(7, at(1))));
}

async fn listings_come_in_the_order_of_their_bytes_page_by_page(bench: Bench) {
    let names = ["a", "B", "b", "A ", "A", "ä", "a-1", "a 1", "ß", "A\u{301}", "0", "日本", "😀"];
    discover(&bench, "acme", DE, &names, 0).await;
    let mut expected = names.map(str::to_owned).to_vec();
    expected.sort_unstable();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let some = page(&bench, after.as_deref(), 5).await;
        assert!(some.len() <= 5, "{some:?}");
        let Some(last) = some.last() else { break };
        after = Some(last.clone());
        listed.extend(some);
    }
    assert_eq!(listed, expected);
    assert_eq!(page(&bench, None, 100).await, expected);
}

async fn named_listings_come_in_order_of_one_account_or_of_all(bench: Bench) {
    discover(&bench, "acme", DE, &["A", "B", "a"], 0).await;
    discover(&bench, "other", DE, &["A", "B"], 0).await;
    let named = async |account: Option<&str>, names: &[SellerSku]| -> Vec<String> {
        let account = account.map(AccountName::from);
        let listings = bench.store.listings_named(account.as_ref(), names).await.unwrap();
        listings.iter().map(|listing| format!("{} {}", listing.account, listing.seller_sku)).collect()
    };
    let some = skus(["B", "A", "unknown", "A"]);
    assert_eq!(named(Some("acme"), &some).await, ["acme A", "acme B"]);
    assert_eq!(named(None, &some).await, ["acme A", "acme B", "other A", "other B"]);
    assert_eq!(named(Some("nobody"), &some).await, [""; 0]);
    assert_eq!(named(None, &[]).await, [""; 0]);
}

async fn a_discovery_adds_its_marketplace_and_takes_it_from_what_it_no_longer_names(bench: Bench) {
    discover(&bench, "acme", DE, &["BOTH", "GERMAN", "LEAVES"], 0).await;
    discover(&bench, "acme", FR, &["BOTH", "FRENCH", "LEAVES"], 1).await;
    assert_eq!(bench.shown("BOTH").await, ids([FR, DE]), "sorted");
    assert_eq!((bench.shown("GERMAN").await, bench.shown("FRENCH").await), (ids([DE]), ids([FR])));
    discover(&bench, "acme", DE, &["BOTH", "NEW"], 2).await;
    assert_eq!((bench.shown("BOTH").await, bench.shown("LEAVES").await), (ids([FR, DE]), ids([FR])));
    assert_eq!((bench.shown("GERMAN").await, bench.shown("NEW").await), (ids([]), ids([DE])));
    assert_eq!(bench.shown("FRENCH").await, ids([FR]));
}

async fn a_discovery_says_how_many_it_knew_and_how_many_of_these_went(bench: Bench) {
    for (marketplace, names, before, gone) in [
        (DE, &["A", "B", "C"][..], 0, 0),
        (DE, &["C", "D", "D"], 3, 2),
        (FR, &["A", "E"], 0, 0),
        (DE, &["C", "D", "E"], 2, 0),
        (DE, &[], 3, 3),
        (DE, &[], 0, 0),
    ] {
        let moved = bench
            .store
            .save_discovery(&acme(), &marketplace.into(), names.iter().copied().map(SellerSku::from).collect(), at(1))
            .await
            .unwrap();
        assert_eq!(moved, Moved { before, gone }, "{marketplace} {names:?}");
    }
}

async fn what_no_marketplace_shows_any_more_is_not_live(bench: Bench) {
    bench.selling(&[("ONE", 5), ("TWO", 5)]).await;
    discover(&bench, "acme", FR, &["TWO"], 1).await;
    discover(&bench, "acme", DE, &[], 2).await;
    assert!(!bench.listing("ONE").await.live && bench.listing("TWO").await.live);
    discover(&bench, "acme", DE, &["ONE"], 3).await;
    assert!(!bench.listing("ONE").await.live, "it has to be seen again");
    assert_eq!(bench.listing("ONE").await.belief.observed, Some(known(5, at(0))), "what was known is not lost");
}

async fn an_empty_discovery_takes_every_listing_from_the_marketplace(bench: Bench) {
    bench.selling(&[("A", 1), ("B", 2)]).await;
    discover(&bench, "acme", DE, &[], 1).await;
    assert_eq!(page(&bench, None, 10).await, ["A", "B"]);
    assert_eq!((bench.shown("A").await, bench.shown("B").await), (ids([]), ids([])));
}

async fn a_discovery_of_one_account_leaves_the_others_alone(bench: Bench) {
    discover(&bench, "acme", DE, &["MUG"], 0).await;
    discover(&bench, "other", DE, &["CUP"], 1).await;
    assert_eq!(bench.shown("MUG").await, ids([DE]));
    assert_eq!(page(&bench, None, 10).await, ["MUG"]);
}

async fn discoveries_are_remembered_by_marketplace(bench: Bench) {
    assert!(bench.store.discovered(&acme()).await.unwrap().is_empty());
    discover(&bench, "acme", DE, &["MUG"], 0).await;
    discover(&bench, "acme", FR, &["MUG"], 1).await;
    discover(&bench, "acme", DE, &["MUG"], 2).await;
    let discovered = bench.store.discovered(&acme()).await.unwrap();
    assert_eq!(discovered.into_iter().collect::<Vec<_>>(), [(FR.into(), at(1)), (DE.into(), at(2))]);
}

async fn a_found_listing_is_shown_where_it_was_found(bench: Bench) {
    discover(&bench, "acme", DE, &["OLD"], 0).await;
    let found = vec![("NEW".into(), ids([FR, DE])), ("OLD".into(), ids([FR]))];
    bench.store.add_presence(&acme(), found).await.unwrap();
    assert_eq!((bench.shown("NEW").await, bench.shown("OLD").await), (ids([FR, DE]), ids([FR])));
    assert!(!bench.listing("NEW").await.live);
    assert!(!bench.store.discovered(&acme()).await.unwrap().contains_key(FR), "a search is no discovery");
}

async fn an_older_look_never_replaces_a_newer_one(bench: Bench) {
    bench.selling(&[("MUG", 5)]).await;
    let gone = Observation { seller_sku: "MUG".into(), channel: None, quantity: None, drift: None };
    bench.store.save_observations(&acme(), vec![seen("MUG", 9)], at(-1)).await.unwrap();
    bench.store.save_observations(&acme(), vec![gone.clone()], at(-2)).await.unwrap();
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.live, listing.belief.observed), (true, Some(known(5, at(0)))));
    bench.store.save_observations(&acme(), vec![gone], at(1)).await.unwrap();
    assert!(!bench.listing("MUG").await.live);
}

async fn what_amazon_does_not_show_is_not_live_and_keeps_its_quantity(bench: Bench) {
    bench.selling(&[("MUG", 5)]).await;
    let gone = Observation { seller_sku: "MUG".into(), channel: None, quantity: None, drift: None };
    bench.store.save_observations(&acme(), vec![gone], at(1)).await.unwrap();
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.live, listing.channel), (false, Channel::Merchant));
    assert_eq!(listing.belief.observed, Some(known(5, at(0))));
    assert_eq!(listing.marketplaces, ids([DE]));
}

async fn a_look_without_a_quantity_is_no_news_of_it(bench: Bench) {
    bench.selling(&[("MUG", 5)]).await;
    let silent = Observation {
        seller_sku: "MUG".into(),
        channel: Some(Channel::Amazon("AMAZON_EU".into())),
        quantity: None,
        drift: None,
    };
    bench.store.save_observations(&acme(), vec![silent], at(1)).await.unwrap();
    let listing = bench.listing("MUG").await;
    assert_eq!((listing.live, listing.channel), (true, Channel::Amazon("AMAZON_EU".into())));
    assert_eq!(listing.belief.observed, Some(known(5, at(0))));
}

async fn every_channel_comes_back_as_it_was_seen(bench: Bench) {
    bench.selling(&[("MUG", 5)]).await;
    let channels =
        [Channel::Amazon("AMAZON_NA".into()), Channel::Other("StoreID1".into()), Channel::Unknown, Channel::Merchant];
    for (minutes, channel) in (1..).zip(channels) {
        let look =
            Observation { seller_sku: "MUG".into(), channel: Some(channel.clone()), quantity: None, drift: None };
        bench.store.save_observations(&acme(), vec![look], at(minutes)).await.unwrap();
        assert_eq!(bench.listing("MUG").await.channel, channel);
    }
}

async fn presence_tells_of_the_other_accounts(bench: Bench) {
    for (account, marketplace, names) in
        [("acme", DE, &["MUG", "CUP"][..]), ("beta", DE, &["MUG"]), ("beta", FR, &["MUG"]), ("gamma", FR, &["CUP"])]
    {
        discover(&bench, account, marketplace, names, 0).await;
    }
    let wanted: Vec<AccountName> = vec!["beta".into(), "gamma".into(), "nobody".into()];
    let presence = bench.store.presence(&wanted, &skus(["MUG", "CUP", "PAN"])).await.unwrap();
    let shown = |account: &str, marketplaces| (AccountName::from(account), marketplaces);
    let expected =
        [("CUP".into(), vec![shown("gamma", ids([FR]))]), ("MUG".into(), vec![shown("beta", ids([FR, DE]))])];
    assert_eq!(presence.into_iter().collect::<Vec<_>>(), expected);
}

async fn the_readings_of_a_belief_are_kept(bench: Bench) {
    bench.selling(&[("MUG", 5), ("CUP", 5)]).await;
    bench.store.save_basis(&acme(), vec![("MUG".into(), "5 + 80".into())]).await.unwrap();
    assert_eq!(bench.listing("MUG").await.belief.basis.as_deref(), Some("5 + 80"));
    assert_eq!(bench.listing("CUP").await.belief.basis, None);
}

async fn what_was_never_discovered_is_not_kept(bench: Bench) {
    bench.store.save_observations(&acme(), vec![seen("GHOST", 5)], at(0)).await.unwrap();
    bench.store.save_basis(&acme(), vec![("GHOST".into(), "5".into())]).await.unwrap();
    assert_eq!(page(&bench, None, 10).await, [""; 0]);
}
