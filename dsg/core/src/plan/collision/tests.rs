use std::convert::Infallible;

use super::*;
use crate::conflict::Resolutions;
use crate::entry::Entry;
use crate::plan::model::{file, triple};
use crate::plan::{PlanContext, Totals, Triple, plan};

/// The paths of C, with a note of what each side did: `=` nothing, `-L` deleted it, `-R` too;
/// and the paths that a side newly has: `+L`, `+R`, `+LR` for the same on both.
fn find(changes: &[(&str, &str)]) -> (Vec<Collision>, Vec<String>) {
    let a: Entry = file("a", 1);
    let a = Some(&a);
    let triples: Vec<Triple> = changes
        .iter()
        .filter_map(|(path, note)| match *note {
            "=" => None,
            "-L" => Some(triple(path, None, a, a)),
            "-R" => Some(triple(path, a, a, None)),
            "+L" => Some(triple(path, a, None, None)),
            "+R" => Some(triple(path, None, None, a)),
            "+LR" => Some(triple(path, a, None, a)),
            _ => panic!("no such note: {note}"),
        })
        .collect();
    let resolutions = Resolutions::default();
    let context = PlanContext {
        unknown: &[],
        resolutions: &resolutions,
        totals: Totals::default(),
        suspicious_directories: &[],
        allow_mass_delete: false,
    };
    let mut asked = Vec::new();
    let siblings = |directory: &str| -> Result<Vec<String>, Infallible> {
        asked.push(directory.to_owned());
        let cached = changes.iter().filter(|(_, note)| !note.starts_with('+'));
        let mut names: Vec<_> = cached
            .filter_map(|(path, _)| match directory {
                "" => Some(*path),
                directory => path.strip_prefix(directory)?.strip_prefix('/'),
            })
            .filter_map(|rest| rest.split('/').next().map(str::to_owned))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    };
    let found = collisions(&plan(triples, &context), siblings).unwrap();
    (found, asked)
}

fn collision(directory: &str, names: [&str; 2], brought_by: Side) -> Collision {
    let names = names.map(str::to_owned).to_vec();
    Collision { directory: directory.to_owned(), names, brought_by }
}

#[test]
fn a_new_name_that_differs_in_case_only_is_found() {
    let (found, asked) = find(&[("in/Data.csv", "="), ("in/data.csv", "+L"), ("in/x", "+R")]);
    assert_eq!(found, [collision("in", ["Data.csv", "data.csv"], Side::Local)]);
    assert_eq!(asked, ["in"]);
    let (found, _) = find(&[("Straße", "="), ("STRAßE", "+R")]);
    assert_eq!(found, [collision("", ["STRAßE", "Straße"], Side::Remote)]);
}

#[test]
fn a_rename_in_one_plan_collides_with_nothing() {
    assert_eq!(find(&[("Data.csv", "-L"), ("data.csv", "+L")]).0, []);
    assert_eq!(find(&[("Data.csv", "-R"), ("data.csv", "+R")]).0, []);
    let (found, asked) =
        find(&[("Input/a/x", "-L"), ("Input/b", "-L"), ("input/a/x", "+L"), ("input/b", "+L")]);
    assert_eq!(found, []);
    assert_eq!(asked, ["input/a", "input", "", "Input", "Input/a"]);
}

#[test]
fn a_directory_stays_while_anything_stays_in_it() {
    let input = collision("", ["Input", "input"], Side::Local);
    for rest in [("Input/b", "="), ("Input/b/c", "="), ("Input/new", "+LR"), ("Input/new", "+R")] {
        let (found, _) = find(&[("Input/a", "-L"), ("input/a", "+L"), rest]);
        assert_eq!(found, std::slice::from_ref(&input), "{rest:?}");
    }
}

#[test]
fn two_sides_that_bring_the_same_directory_in_two_spellings_collide_once() {
    let (found, _) = find(&[("deep/In/a/1", "+R"), ("deep/in/a/1", "+L"), ("deep/x", "=")]);
    assert_eq!(found, [collision("deep", ["In", "in"], Side::Local)]);
}

#[test]
fn a_collision_that_was_there_before_stops_nobody() {
    assert_eq!(find(&[("a/x", "="), ("A/x", "="), ("a/y", "+L")]).0, []);
    assert_eq!(find(&[("a", "-L"), ("A", "="), ("a/y", "+L")]).0, []);
    let (found, asked) = find(&[("a", "+LR"), ("A", "+LR")]);
    assert!(found.is_empty() && asked.is_empty());
}

#[test]
fn an_error_of_the_reader_is_passed_on() {
    let a = file("a", 1);
    let resolutions = Resolutions::default();
    let context = PlanContext {
        unknown: &[],
        resolutions: &resolutions,
        totals: Totals::default(),
        suspicious_directories: &[],
        allow_mass_delete: false,
    };
    let plan = plan([triple("a", Some(&a), None, None)], &context);
    assert_eq!(collisions(&plan, |_| Err("unreadable")), Err("unreadable"));
}
