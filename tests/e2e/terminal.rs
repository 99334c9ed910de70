//! What people see in a pipe, and how commands end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::bench::{Account, Bench, Process, Store, Texts};

/// The commands that need a configuration.
const COMMANDS: [&str; 6] = ["run", "resync", "plan", "explain A", "status", "check-config"];

fn bench() -> Bench {
    let long = "A-SKU-AS-LONG-AS-AMAZON-ALLOWS-40-CHARS!";
    Bench::with(
        Texts::new(&format!("A 12\n{long} 5\nC 3"))
            .account(Account::one(&format!(
                "{{ sku = 'A', quantity = 1 }}, {{ sku = '{long}', quantity = 9 }}, \
                 {{ sku = 'C', channel = 'AMAZON_EU' }}, {{ sku = 'ÄÖÜ-€', quantity = 1 }}, \
                 {{ sku = 'INVALID', quantity = 1 }}"
            )))
            .store(Store::live("a-store-with-a-rather-long-name-de", "DE").rules("maximum_listed_quantity = 4"))
            .store(Store::live("a-store-with-a-rather-long-name-fr", "FR").created("2022-02-02T00:00:00Z")),
    )
}

#[track_caller]
fn assert_plain(line: &str, text: &str) {
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{line} draws:\n{text:?}");
}

#[test]
fn a_pipe_gets_no_colours_no_bars_and_tables_of_100_columns() {
    let bench = bench();
    for line in ["plan", "resync", "plan", "status", "explain A", "check-config"] {
        let ran = bench.run(line).ended_with(0);
        assert_plain(line, &ran.all());
        // Sentences may be longer, and so may a file's line; a table may not.
        let tables = ran.out.lines().filter(|text| text.starts_with(' ') && !line.starts_with("explain"));
        let wide: Vec<&str> = tables.filter(|text| text.chars().count() > 100).collect();
        assert_eq!(wide, [""; 0], "{line}");
    }
    let help = bench.run("help").ended_with(0).out;
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn help_and_version_end_with_0_and_need_no_configuration() {
    let bench = bench();
    std::fs::remove_file(bench.config()).unwrap();
    for line in ["--help", "--version", "help", "help run", "run --help", "simulate --help", "explain --help"] {
        let ran = bench.run(line).ended_with(0);
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{line}: {}", ran.all());
    }
    assert_eq!(bench.run("--version").out.trim(), concat!("stocksync ", env!("CARGO_PKG_VERSION")));
    let nothing = Process::start(Vec::<String>::new(), &[], bench.folder()).end();
    assert!(nothing.code == 2 && nothing.err.contains("Usage:"), "{}", nothing.all());
}

#[test]
fn a_missing_or_bad_configuration_ends_every_command_with_78_and_a_clear_message() {
    let bench = bench();
    let good = std::fs::read_to_string(bench.config()).unwrap();
    for (text, said) in [
        (None, "cannot be read"),
        (Some(String::new()), "there is no [[store]]"),
        (Some(good.replace("country = \"DE\"", "country = \"XX\"")), "XX"),
        (Some(good.replace("commerce = \"shop\"", "commerce = \"shoe\"")), "shoe"),
        (Some("\u{0}\u{1}binary".to_owned()), "stocksync.toml:1"),
    ] {
        match text {
            Some(text) => std::fs::write(bench.config(), text).unwrap(),
            None => std::fs::remove_file(bench.config()).unwrap(),
        }
        for line in COMMANDS {
            let ran = bench.run(line);
            assert_eq!(ran.code, 78, "{line}: {}", ran.all());
            assert!(ran.err.contains(said) && ran.err.contains("stocksync.toml"), "{line}: {}", ran.err);
            assert!(!ran.err.contains("panicked") && ran.out.is_empty(), "{line}: {}", ran.all());
        }
    }
    let ran = bench.run("simulate --world nowhere.toml").ended_with(78);
    assert!(ran.err.contains("nowhere.toml"), "{}", ran.err);
}

#[test]
fn check_config_prints_the_next_three_fire_times_of_the_shipped_example() {
    let bench = bench();
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/stocksync.toml")).unwrap();
    std::fs::write(bench.config(), example).unwrap();
    let secrets = ["shop-consumer-key", "shop-consumer-secret", "shop-access-token", "shop-access-token-secret"];
    for name in secrets.iter().chain(&["acme-eu-client-secret", "acme-eu-refresh-token"]) {
        std::fs::write(bench.path(name), format!("hush-{name}\n")).unwrap();
    }
    let folder = bench.folder().to_str().unwrap();
    let ran = bench.start_with("check-config", &[("CREDENTIALS_DIRECTORY", folder)]).end().ended_with(0);
    let times = ran.out.lines().filter(|line| line.trim_end().ends_with(":00 +00:00")).count();
    assert_eq!(times, 3, "{}", ran.out);
    assert!(!ran.all().contains("hush-"), "{}", ran.all());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = bench();
    for line in ["check-config", "plan", "plan --format json", "status", "help", "demo --cycles 1"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stocksync"))
            .arg("--config")
            .arg(bench.config())
            .args(line.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(!first.is_empty() && !err.contains("panicked"), "{line}: {err}");
        assert_eq!(output.status.code(), Some(0), "{line}: {err}");
    }
}

#[test]
fn the_demo_in_a_pipe_ends_by_itself_with_0_and_shows_the_whole_job() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = [("TMPDIR", folder.path().to_str().unwrap())];
    let short = Process::start(["demo", "--cycles", "2"], &temporary, folder.path());
    let whole = Process::start(["demo"], &temporary, folder.path()).end().ended_with(0);
    assert_plain("demo", &whole.all());
    for part in ["cycle 4:", "fulfilled_by_amazon", "listing_unknown", "Amazon sells", "Amazon throttled"] {
        assert!(whole.out.contains(part), "{part} is missing in\n{}", whole.out);
    }
    assert!(whole.err.is_empty(), "{}", whole.err);
    let short = short.end().ended_with(0);
    assert!(short.out.contains("cycle 2:") && !short.out.contains("cycle 3:"), "{}", short.out);
    let stopped = Process::start(["demo"], &temporary, folder.path());
    crate::bench::eventually("the demo", || stopped.out().contains("cycle 1:"));
    stopped.signal("TERM");
    stopped.end().ended_with(0);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("stocksync-demo")), "{left:?}");
}
