//! The rules for source, applied to this repository; what each of them sees is tested beside it in
//! `testkit::tidy`.

use std::path::Path;
use std::sync::LazyLock;

use testkit::tidy::{Problem, Tree, code, layout, links};

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    Tree::read(root).expect("the repository's files")
});

fn check(rule: fn(&Tree) -> Vec<Problem>) {
    let problems: Vec<_> = rule(&TREE).iter().map(Problem::to_string).collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn the_repository_is_what_is_checked() {
    for path in ["Cargo.toml", "ARCHITECTURE.md", "testkit/tests/tidy.rs", "dsg/core/src/lib.rs"] {
        assert!(TREE.text(path).is_some(), "{path}");
    }
    assert!(TREE.crates().any(|directory| directory == "foundation/runtime"));
    assert!(!TREE.holds("target"));
}

#[test]
fn no_file_is_too_long() {
    check(code::long_files);
}

#[test]
fn no_function_is_too_long() {
    check(code::long_functions);
}

#[test]
fn no_banned_word_is_used() {
    check(code::banned_words);
}

#[test]
fn no_text_names_a_place_of_one_machine() {
    check(code::foreign_places);
}

#[test]
fn every_crate_has_a_front_page() {
    check(layout::crates_without_front_page);
}

#[test]
fn every_rust_file_is_compiled() {
    check(layout::files_never_compiled);
}

#[test]
fn the_changelog_has_a_place_for_the_next_entry() {
    check(layout::changelog_without_unreleased);
}

#[test]
fn every_link_leads_somewhere() {
    check(links::broken_links);
}
