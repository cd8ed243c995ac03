//! Plans for small listings, and that a second run finds nothing.

use super::*;
use proptest::prelude::*;

fn listing(paths: &[&str]) -> Vec<DiskName> {
    let disk_name = |line: &&str| {
        let (path, target) = line.split_once(" -> ").map_or((*line, None), |(p, t)| (p, Some(t)));
        let (path, takes_part) = path.strip_prefix('!').map_or((path, true), |p| (p, false));
        let (directory, name) = split(path);
        DiskName {
            directory: directory.to_owned(),
            name: name.to_owned(),
            link_target: target.map(str::to_owned),
            takes_part,
        }
    };
    paths.iter().map(disk_name).collect()
}

fn renames(plan: &NormalizePlan) -> Vec<(&str, &str)> {
    plan.renames.iter().map(|r| (r.from.as_str(), r.to.as_str())).collect()
}

#[test]
fn what_can_t_be_fixed_is_left_as_it_is_and_said() {
    let plan = plan(&listing(&["input/ ", "input/~.x", "input/y"]));
    assert!(plan.renames.is_empty());
    let paths: Vec<_> = plan.unfixable.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["input/ ", "input/~.x"]);
}

#[test]
fn children_are_renamed_before_their_directories() {
    // The directory `in|put` is not listed itself.
    let plan = plan(&listing(&["in|put/b /con", "in|put/b ", "z~"]));
    assert_eq!(
        renames(&plan),
        [
            ("in|put/b /con", "in|put/b /con_renamed"),
            ("in|put/b ", "in|put/b"),
            ("in|put", "in_put"),
            ("z~", "z")
        ]
    );
}

#[test]
fn links_follow_what_is_renamed_and_keep_the_form_of_their_text() {
    let plan = plan(&listing(&[
        "in~/a*.csv",
        "in~/l -> ./a*.csv",
        "out/l~ -> .././in~//a*.csv",
        "out/m -> ../out/../in~/",
        "out/same -> ../in/a",
        "out/escapes -> ../../in~",
        "out/absolute -> /in~",
    ]));
    let relinks: Vec<_> = plan
        .relinks
        .iter()
        .map(|r| (r.path_before.as_str(), r.path.as_str(), r.new_target.as_str()))
        .collect();
    assert_eq!(
        relinks,
        [
            ("in~/l", "in/l", "./a_.csv"),
            ("out/l~", "out/l", ".././in//a_.csv"),
            ("out/m", "out/m", "../out/../in/"),
        ]
    );
}

#[test]
fn all_collisions_are_listed_and_none_of_them_is_renamed() {
    let plan = plan(&listing(&[
        "é.csv",
        "e\u{301}.csv",
        "d/a?",
        "d/a*",
        "d/a_",
        "d/x~",
        "e/B.csv~",
        "e/b.csv",
        "f/y~",
        "!f/y",
        "!g/s",
        "!g/S",
        "g/ok",
    ]));
    let collisions: Vec<_> = plan.collisions.iter().map(|c| c.names.join(" ")).collect();
    assert_eq!(collisions, ["e\u{301}.csv é.csv", "a* a? a_", "B.csv~ b.csv", "y y~"]);
    assert_eq!(renames(&plan), [("d/x~", "d/x")]);
}

#[test]
fn names_that_take_no_part_are_left_alone() {
    assert!(plan(&listing(&["!a~", "!b|", "input/c.csv"])).is_empty());
}

proptest! {
    #[test]
    fn a_second_run_finds_no_rename(
        paths in prop::collection::vec("[ab~ *]{1,3}(/[aB~ \\?]{1,3}){0,2}", 1..8)
    ) {
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let first = plan(&listing(&paths));
        prop_assume!(first.collisions.is_empty());
        let mut disk: Vec<_> = paths.iter().map(|&p| p.to_owned()).collect();
        for rename in &first.renames {
            let below = format!("{}/", rename.from);
            for path in &mut disk {
                if *path == rename.from {
                    path.clone_from(&rename.to);
                } else if let Some(rest) = path.strip_prefix(&below) {
                    *path = format!("{}/{rest}", rename.to);
                }
            }
        }
        let disk: Vec<_> = disk.iter().map(String::as_str).collect();
        let second = plan(&listing(&disk));
        prop_assert!(second.renames.is_empty() && second.collisions.is_empty());
        prop_assert_eq!(second.unfixable.len(), first.unfixable.len());
    }
}
