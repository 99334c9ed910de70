//! `simulate` in one process and the service in another, as the usage text tells a newcomer to do.

use std::path::Path;

use serde_json::{Value, json};

use crate::bench::{Bench, Process, eventually};

struct Simulation {
    process: Process,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

impl Simulation {
    fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = ["simulate", "--commerce-port", "0", "--amazon-port", "0"];
        let process = Process::start(ports.iter().chain(args), &[], folder.path());
        eventually("the simulators", || process.out().contains("Amazon: "));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { process, folder, runtime, http }
    }

    fn url(&self, start: &str) -> String {
        let out = self.process.out();
        let line = out.lines().find(|line| line.starts_with(start)).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    }

    #[expect(clippy::disallowed_methods, reason = "somebody's curl, not the client under test")]
    fn send(&self, request: reqwest::RequestBuilder) -> Value {
        self.runtime.block_on(async { request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap() })
    }

    fn quantity(&self, sku: &str) -> Value {
        let url = format!("{}/_control/amazon/listing?sku={sku}", self.url("Amazon"));
        self.send(self.http.get(url))["quantity"].clone()
    }

    fn stock(&self, sku: &str, quantity: u32) {
        let url = format!("{}/_control/commerce/product", self.url("shop"));
        self.send(self.http.post(url).json(&json!({ "sku": sku, "sources": { "default": quantity } })));
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn a_quantity_changed_through_the_control_route_is_live_one_tick_later() {
    let simulation = Simulation::start(&["--write-config", "shop/stocksync.toml"]);
    eventually("the configuration", || simulation.process.out().contains("try: stocksync --config"));
    let service = Process::start(["--config", "shop/stocksync.toml", "run"], &[], simulation.folder());
    eventually("the first cycle", || simulation.quantity("MUG-WHITE") == 34);
    simulation.stock("MUG-WHITE", 7);
    eventually("the next tick", || simulation.quantity("MUG-WHITE") == 7);
    let resync = Process::start(["--config", "shop/stocksync.toml", "resync"], &[], simulation.folder()).end();
    assert!(resync.ended_with(0).out.contains("0 sent and accepted"));
    service.signal("TERM");
    service.end().ended_with(0);
    simulation.process.signal("INT");
    simulation.process.end().ended_with(0);
}

/// `docs/simulator.md` has one world, and a table of routes with a body or a query each.
#[test]
#[expect(clippy::disallowed_methods, reason = "somebody's curl, not the client under test")]
fn every_example_of_the_simulators_documentation_works() {
    let text = include_str!("../../docs/simulator.md");
    let (_, rest) = text.split_once("```toml\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.toml");
    std::fs::write(&world, rest.split("```").next().unwrap()).unwrap();
    let simulation = Simulation::start(&["--world", world.to_str().unwrap()]);
    let mut tried = 0;
    for row in text.lines().filter(|line| line.contains(" /_control/") && line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let (method, path) = cells[1].split_once(' ').unwrap();
        let server = simulation.url(if path.contains("/amazon/") { "Amazon" } else { "shop" });
        let (query, body) = if cells[2].starts_with('?') { (cells[2], "") } else { ("", cells[2]) };
        let request = simulation.http.request(method.parse().unwrap(), format!("{server}{path}{query}"));
        let request = request.header("content-type", "application/json").body(body);
        let answer = simulation.runtime.block_on(async { request.send().await.unwrap() });
        assert!(answer.status().is_success(), "{row}: {}", answer.status());
        tried += 1;
    }
    assert!(tried > 30, "only {tried} routes were found");
}

#[test]
fn a_world_file_is_served_and_a_port_in_use_is_named() {
    let bench = Bench::new("A 12", "{ sku = 'A', quantity = 1 }");
    std::fs::write(bench.path("world.toml"), "seed = 1\n[[commerce.product]]\nsku = 'X'\nsources = { default = 3 }\n")
        .unwrap();
    let world = bench.path("world.toml");
    let simulation = Simulation::start(&["--world", world.to_str().unwrap()]);
    simulation.stock("X", 4);
    let usage = simulation.process.out();
    assert!(usage.contains(r#"-d '{"sku": "X", "sources": {"default": 7}}'"#), "{usage}");
    let port = bench.pair.amazon_address.port().to_string();
    let args = ["simulate", "--commerce-port", "0", "--amazon-port", &port];
    let ran = Process::start(args, &[], bench.folder()).end().ended_with(1);
    assert!(ran.err.contains(&port), "{}", ran.err);
    std::fs::write(bench.path("world.toml"), "sead = 1").unwrap();
    let ran = Process::start(["simulate", "--world", "world.toml"], &[], bench.folder()).end().ended_with(78);
    assert!(ran.err.contains("sead"), "{}", ran.err);
}
