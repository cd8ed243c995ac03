//! What stands in `deploy/` fits together and fits the program. That it works is the business of
//! `scripts/test-scaling`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every word of a text that starts with `start` and goes on with capitals, digits and `_`.
fn words(text: &str, start: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(start) {
        let word = text[at + start.len()..]
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_');
        found.insert(word.collect());
    }
    found
}

#[test]
fn the_image_from_source_ends_as_the_image_from_a_program_does() {
    let last = |file: &str| {
        let text = text(file);
        text[text.find("\nFROM scratch\n").expect("a last stage")..].to_owned()
    };
    let from_source = last("deploy/Dockerfile.source")
        .replace("--from=build /image/root/ ", "root/ ")
        .replace("--from=build --chown=${UID}:${GID} /image/data/", "--chown=${UID}:${GID} data/");
    assert_eq!(from_source, last("deploy/Dockerfile"));
}

#[test]
fn every_setting_of_the_compose_file_is_in_the_example() {
    let settings = words(&text("deploy/compose.yml"), "${SYSNDD_");
    assert!(settings.len() > 10, "{settings:?}");
    let example = words(&text("deploy/.env.example"), "#SYSNDD_");
    assert_eq!(settings, example);
}

#[test]
fn the_compose_file_has_nothing_that_one_of_the_two_versions_of_compose_refuses() {
    for line in text("deploy/compose.yml").lines() {
        let key = line.trim_start();
        let refused = ["container_name:", "start_interval:", "version:", "deploy:"];
        assert!(!refused.iter().any(|word| key.starts_with(word)), "{line}");
        assert!(!line.starts_with("name:"), "{line}");
    }
}

#[test]
fn every_alert_says_where_to_read_on_and_that_place_exists() {
    let operations = text("docs/operations.md");
    let headings: BTreeSet<String> = operations
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| line.trim_matches(['#', ' ']).to_lowercase().replace(' ', "-"))
        .collect();
    let alerts = text("deploy/monitoring/alerts.yml");
    let (mut names, mut places) = (0, 0);
    for line in alerts.lines().map(str::trim) {
        if line.starts_with("- alert:") {
            names += 1;
        }
        if let Some(place) = line.strip_prefix("runbook: docs/operations.md#") {
            places += 1;
            assert!(headings.contains(place), "docs/operations.md has no heading for {place}");
        }
    }
    assert!(names > 0);
    assert_eq!(names, places);
}

#[test]
fn every_number_that_an_alert_reads_is_one_that_the_program_has() {
    let sources =
        ["foundation/runtime/src/metrics.rs", "sysndd/app/src/server/numbers.rs"].map(text);
    let alerts = text("deploy/monitoring/alerts.yml");
    let names: BTreeSet<&str> = alerts
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == ':'))
        .filter(|word| word.starts_with("sysndd_") || word.starts_with("http_server_"))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let registered = name.trim_end_matches("_count").trim_end_matches("_bucket");
        let quoted = format!("\"{registered}\"");
        assert!(sources.iter().any(|source| source.contains(&quoted)), "{name}");
    }
}

#[test]
fn the_alerts_ring_when_they_should_and_only_then() {
    if testkit::mount::lacks(&["promtool"]) {
        return;
    }
    let output = Command::new("promtool")
        .args(["test", "rules", "deploy/monitoring/alerts.test.yml"])
        .current_dir(root())
        .output()
        .expect("promtool");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
}
