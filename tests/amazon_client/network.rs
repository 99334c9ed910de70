//! Answers that never come, or not whole: tried again within limits, and told apart from a refusal.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use stocksync::amazon::is_account_wide;
use stocksync::clock::Clock;
use stocksync::http::Fault;
use stocksync::sim::amazon::{Fault as Trouble, FaultKind, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::bench::Bench;
use crate::stub::{Stub, client, de, html, json, reply, skus};

/// How often a patch is tried, and a read.
const PATCHES: u32 = 3;
const READS: u32 = 5;

/// What a server below HTTP does with whoever asked it something.
#[derive(Clone, Copy, Debug)]
enum Serve {
    /// Then it hangs up.
    Bytes(&'static str),
    Reset,
    Silence,
    /// A byte every ten seconds.
    Drip,
}

async fn serve(how: Serve, mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 8192]).await;
    match how {
        Serve::Bytes(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Serve::Reset => stream.set_zero_linger().unwrap(),
        Serve::Silence => tokio::time::sleep(Duration::from_hours(1)).await,
        Serve::Drip => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n").await;
            while stream.write_all(b"{").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        }
    }
}

/// Patches by way of such a server, which must come to nothing, and says how long that took.
async fn patch(how: Serve) -> Duration {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let connections = AtomicU32::new(0);
    let serving = async {
        let mut tasks = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.fetch_add(1, Ordering::SeqCst);
            tasks.spawn(serve(how, stream));
        }
    };
    let sign_in = Stub::obliging().await;
    let client = client(&base_url, &sign_in.base_url);
    let started = Clock::system().instant();
    let (marketplace, seller_sku) = (de(), "A".into());
    let fault = tokio::select! {
        outcome = client.patch(&marketplace, &seller_sku, 1) => outcome.unwrap_err(),
        () = serving => unreachable!(),
    };
    assert!(matches!(fault, Fault::Exhausted { attempts: PATCHES, .. }), "{how:?}: {fault:?}");
    assert!(!is_account_wide(&fault, &seller_sku), "{how:?}");
    assert!(!fault.to_string().contains("marketplaceIds"), "{how:?}: {fault}");
    assert_eq!((connections.load(Ordering::SeqCst), sign_in.count("token")), (PATCHES, 1), "{how:?}");
    Clock::system().instant() - started
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_whole_is_none() {
    for how in [
        Serve::Bytes(""),
        Serve::Reset,
        Serve::Bytes("HTTP/1.1 200 OK\r\nconte"),
        Serve::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"status\":\"ACCEPTED\""),
        Serve::Bytes("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\n{\"sku\":\"A\""),
        Serve::Bytes("SSH-2.0-OpenSSH_9.6\r\n"),
    ] {
        // Pauses of half a second and one, each up to doubled.
        assert!(patch(how).await < Duration::from_secs(4), "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_without_an_answer_is_over_in_a_minute_and_a_half() {
    for how in [Serve::Silence, Serve::Drip] {
        let took = patch(how).await;
        assert!((Duration::from_secs(90)..Duration::from_secs(95)).contains(&took), "{how:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_when_to_come_back_is_believed_for_a_minute() {
    for (told, longest) in [
        ("86400", 121),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 121),
        ("0", 2),
        ("soon", 4),
        ("-1", 4),
        ("1e9", 4),
        ("99999999999999999999999", 4),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 4),
    ] {
        let stub = Stub::start(move |asked| {
            (asked.operation == "patchListingsItem").then(|| reply(503, &[("retry-after", told)], ""))
        })
        .await;
        let started = Clock::system().instant();
        let fault = stub.client().patch(&de(), &"A".into(), 1).await.unwrap_err();
        let took = Clock::system().instant() - started;
        assert!(matches!(fault, Fault::Exhausted { attempts: PATCHES, .. }), "{fault}");
        assert!(took < Duration::from_secs(longest), "{told}: {took:?}");
        assert!(longest < 100 || took >= Duration::from_mins(2), "{told}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_more_often_than_patches() {
    let stub = Stub::start(|asked| (asked.operation != "token").then(|| html(502))).await;
    let client = stub.client();
    let look = client.look(&de(), &skus(&["A"])).await.unwrap_err();
    assert!(matches!(look, Fault::Exhausted { attempts: READS, .. }), "{look}");
    let patch = client.patch(&de(), &"A".into(), 1).await.unwrap_err();
    assert!(matches!(patch, Fault::Exhausted { attempts: PATCHES, .. }), "{patch}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_one_attempt_is_not_noticed() {
    let stub = Stub::start(|asked| match (asked.operation, asked.nth) {
        ("patchListingsItem", 1) => Some(html(503)),
        ("patchListingsItem", 2) => Some(json(429, r#"{"errors":[{"code":"QuotaExceeded","message":"slowly"}]}"#)),
        _ => None,
    })
    .await;
    stub.client().patch(&de(), &"A".into(), 1).await.unwrap();
    let bodies: Vec<String> = stub.asked("patchListingsItem").into_iter().map(|asked| asked.body).collect();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[tokio::test(start_paused = true)]
async fn a_patch_whose_answer_was_lost_is_sent_again_and_done_once() {
    for kind in [FaultKind::AcceptThenDrop, FaultKind::CutBody] {
        let bench = Bench::start("").await;
        let operation = Some(Operation::PatchListingsItem);
        bench.amazon.fault(Trouble { count: Some(1), operation, ..Trouble::new(kind) });
        bench.client.patch(&de(), &"SKU-00001".into(), 7).await.unwrap();
        assert_eq!(bench.amazon.stats().calls(Operation::PatchListingsItem), 2);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(bench.amazon.listing("A1SELLER", "SKU-00001").unwrap().quantity, Some(7));
    }
}
