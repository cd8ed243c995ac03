//! Rules for Rust files: sizes, and words that have a better replacement.

use super::source::Source;
use super::{Problem, Tree};

/// The longest file, in lines; aim at 400.
pub const FILE_LINES_MAX: usize = 500;
/// The longest function outside tests, in lines; aim at what a screen holds.
pub const FUNCTION_LINES_MAX: usize = 90;

/// Words that may not stand in code, and where they may all the same.
struct Ban {
    words: &'static [&'static str],
    instead: &'static str,
    /// Whether tests may use them.
    tests_may: bool,
    /// The files that are the exception, or outside which the rule does not apply.
    excused: fn(path: &str) -> bool,
}

const BANS: &[Ban] = &[
    Ban {
        words: &["todo!", "unimplemented!", "dbg!"],
        instead: "finish it or leave it out",
        tests_may: false,
        excused: |_| false,
    },
    Ban {
        words: &["unsafe"],
        instead: "find a safe function in the standard library or in rustix",
        tests_may: false,
        excused: |_| false,
    },
    Ban {
        words: &["println!", "eprintln!", "print!", "eprint!"],
        instead: "report through the `Monitor` or the log; only `dsg/cli/src/ui` and `sysndd/app/src/ui` print",
        tests_may: true,
        excused: |path| {
            within(path, "dsg/cli/src/ui")
                || within(path, "sysndd/app/src/ui")
                || path.ends_with("/build.rs")
        },
    },
    Ban {
        words: &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"],
        instead: "take a `Clock` as an argument",
        tests_may: true,
        excused: |path| path == "foundation/runtime/src/clock.rs",
    },
    Ban {
        words: &["rustix"],
        instead: "system calls are in `dsg/store/src/system`, so that tests can count them; a server asks its machine in `foundation/runtime/src/machine`",
        tests_may: true,
        excused: |path| {
            within(path, "dsg/store/src/system")
                || within(path, "foundation/runtime/src/machine")
                || within(path, "foundation/durable/src/filesystem")
                || within(path, "foundation/durable/src/migration/fault")
        },
    },
    Ban {
        words: &["std::fs", "std::net", "std::env", "std::process", "std::thread"],
        instead: "core decides and does no I/O: take it as an argument",
        tests_may: true,
        excused: |path| !path.contains("/core/src/"),
    },
];

/// Files that are too long.
#[must_use]
pub fn long_files(tree: &Tree) -> Vec<Problem> {
    let long = tree.ending(".rs").filter_map(|(path, text)| {
        let lines = text.lines().count();
        (lines > FILE_LINES_MAX).then(|| {
            Problem::new(
                path,
                0,
                format!("{lines} lines; split it, {FILE_LINES_MAX} are the limit"),
            )
        })
    });
    long.collect()
}

/// Functions that are too long, tests aside.
#[must_use]
pub fn long_functions(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".rs").filter(|(path, _)| !is_test(path)) {
        let source = Source::new(text);
        for function in source.functions() {
            if function.lines > FUNCTION_LINES_MAX && !source.in_test(function.place) {
                let what = format!(
                    "`{}` has {} lines; split it, {FUNCTION_LINES_MAX} are the limit",
                    function.name, function.lines
                );
                problems.push(Problem::new(path, source.line(function.place), what));
            }
        }
    }
    problems
}

/// Words that have a better replacement.
#[must_use]
pub fn banned_words(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".rs") {
        let source = Source::new(text);
        for ban in BANS.iter().filter(|ban| !(ban.excused)(path)) {
            for word in ban.words {
                let places = source
                    .places(word)
                    .filter(|&place| !(ban.tests_may && (is_test(path) || source.in_test(place))));
                problems.extend(places.map(|place| {
                    let what = format!("`{word}`: {}", ban.instead);
                    Problem::new(path, source.line(place), what)
                }));
            }
        }
    }
    problems
}

/// Names of the place where this was written, in any text: they mean nothing anywhere else.
#[must_use]
pub fn foreign_places(tree: &Tree) -> Vec<Problem> {
    let absolute = concat!("/wo", "rk/");
    let mut problems = Vec::new();
    for (path, text) in tree.texts() {
        for (number, line) in text.lines().enumerate() {
            let starts_there = line.match_indices(absolute).any(|(at, _)| {
                // The same word further down a path is another place.
                !line[..at].ends_with(|c: char| c.is_alphanumeric() || "~._-}$".contains(c))
            });
            if starts_there {
                problems.push(Problem::new(path, number + 1, "names a place of one machine"));
            }
        }
    }
    problems
}

/// Whether a file holds nothing but tests or what tests use.
fn is_test(path: &str) -> bool {
    path.starts_with("testkit/")
        || path.ends_with("/tests.rs")
        // The old tool's vectors: compiled for tests only, in several modules of the core.
        || path.ends_with("/vectors.rs")
        || ["/tests/", "/benches/"].iter().any(|directory| path.contains(directory))
}

/// Whether a file is the module `module` or lies in it.
fn within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str, text: &str) -> Vec<usize> {
        banned_words(&Tree::of(&[(path, text)])).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn a_file_may_have_500_lines_and_not_one_more() {
        let fits = "//\n".repeat(FILE_LINES_MAX);
        let long = "//\n".repeat(FILE_LINES_MAX + 1);
        let tree = Tree::of(&[("a.rs", &fits), ("b.rs", &long), ("c.md", &long)]);
        let problems = long_files(&tree);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("b.rs: 501 lines"));
    }

    #[test]
    fn a_long_function_is_named_unless_it_is_a_test() {
        let body = "    step();\n".repeat(FUNCTION_LINES_MAX - 1);
        let long = format!("/// Doc.\nfn much() {{\n{body}}}\n");
        let fits =
            format!("fn enough() {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES_MAX - 2));
        let test = format!("#[cfg(test)]\nmod tests {{\n#[test]\n{long}}}\n");
        let tree = Tree::of(&[
            ("dsg/core/src/a.rs", &long),
            ("dsg/core/src/b.rs", &fits),
            ("dsg/core/src/c.rs", &test),
            ("dsg/core/tests/d.rs", &long),
        ]);
        let problems = long_functions(&tree);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().starts_with("dsg/core/src/a.rs:2: `much` has 91 lines"));
    }

    #[test]
    fn what_is_not_finished_is_found_even_in_tests() {
        let text =
            "fn f() { todo!() }\n#[cfg(test)]\nmod tests { fn g() { dbg!(1); unimplemented!{} } }";
        assert_eq!(words("dsg/core/src/a.rs", text), [1, 3, 3]);
        assert_eq!(words("dsg/core/src/a.rs", "// todo!()\nconst X: &str = \"dbg!\";"), [0; 0]);
    }

    #[test]
    fn only_the_ui_prints() {
        let text = "fn f() { println!(); }\nfn g() { anstream::eprintln!(); }";
        assert_eq!(words("dsg/store/src/sync.rs", text), [1, 2]);
        assert_eq!(words("dsg/cli/src/uiless.rs", text), [1, 2]);
        for excused in [
            "dsg/cli/src/ui.rs",
            "dsg/cli/src/ui/table.rs",
            "dsg/cli/build.rs",
            "testkit/src/x.rs",
            "dsg/cli/tests/cli.rs",
        ] {
            assert_eq!(words(excused, text), [0; 0], "{excused}");
        }
    }

    #[test]
    fn only_the_clock_asks_for_the_time() {
        let text = "let a = Instant::now();\nlet b = std::time::SystemTime::now();\nlet c = jiff::Timestamp::now();";
        assert_eq!(words("dsg/store/src/scan.rs", text).len(), 3);
        assert_eq!(words("foundation/runtime/src/clock.rs", text), [0; 0]);
        assert_eq!(words("dsg/store/src/scan/tests.rs", text), [0; 0]);
    }

    #[test]
    fn system_calls_are_in_one_module() {
        let text = "use rustix::fs;\nfn f() { rustix::fs::sync(); }";
        assert_eq!(words("dsg/store/src/project.rs", text), [1, 2]);
        assert_eq!(words("dsg/store/src/system/rename.rs", text), [0; 0]);
        assert_eq!(words("dsg/store/src/system_other.rs", text), [1, 2]);
    }

    #[test]
    fn core_does_no_input_or_output() {
        let text = "use std::fs;\nfn f() { std::env::var(\"HOME\"); }";
        assert_eq!(words("dsg/core/src/config.rs", text), [1, 2]);
        assert_eq!(words("dsg/store/src/config.rs", text), [0; 0]);
    }

    #[test]
    fn the_compiler_is_always_asked_to_check() {
        let text = "#![forbid(unsafe_code)]\nfn f() { unsafe { g() } }";
        assert_eq!(words("dsg/core/src/a.rs", text), [2]);
        assert_eq!(words("testkit/tests/a.rs", text), [2]);
    }

    #[test]
    fn a_place_of_one_machine_is_found_in_any_text() {
        let there = concat!("cd /wo", "rk/main");
        let elsewhere = concat!("cd ~/wo", "rk/main; ls data/wo", "rk/x; ls $HOME/wo", "rk/");
        let tree = Tree::of(&[("scripts/x", there), ("README.md", elsewhere)]);
        let problems = foreign_places(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path, "scripts/x");
    }
}
