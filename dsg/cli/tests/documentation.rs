//! What the documents show is true: the commands of the user guide and of the README's session are run
//! and print what stands there, and each example of a configuration means what it says.
//!
//! In a block that begins with ```` ```console ````, a line `$ COMMAND` is typed, and the lines below are all
//! that it prints: `…` in a line stands for anything, a line that is nothing but `…` for any lines.
//! Where nothing is shown, anything may be printed. The command ends with 0 unless a line
//! `# exits N` says otherwise. A comment `<!-- $ COMMAND -->` is run too and shown to nobody: it is what a
//! page takes for granted, or what people do with an editor. `be NAME` in it goes on as another
//! person, who is known to dsg and stands in their `my-project` if they have one. A page has one
//! shell, so that `cd` lasts. `/srv/dsg` and `/home` stand for folders of the test.
//!
//! What needs a server, root or a terminal stands in a block ```` ```text ````, which is not run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::cli::World;

const DSG: &str = env!("CARGO_BIN_EXE_dsg");

/// What a shell knows before the first command of a page. The first person is alice, who has not said
/// yet who she is.
const PRELUDE: &str = r#"
be() {
    local own=${HOME%/*}/$1/.config/dsg
    HOME=${HOME%/*}/$1
    mkdir -p "$own"
    [ -e "$own/dsg.yml" ] ||
        printf 'user_name: %s\nuser_id: %s@example.org\n' "$1" "$1" > "$own/dsg.yml"
    cd "$HOME/my-project" 2> /dev/null || cd "$HOME"
}
"#;

/// A command of a page with what the page says of it.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    /// The line of the page, from 1.
    line: usize,
    command: String,
    /// What it prints; nothing where that does not matter.
    output: Vec<String>,
    exit: String,
}

impl Shown {
    fn new(line: usize, command: &str) -> Self {
        let (command, exit) = (command.to_owned(), "0".to_owned());
        Self { line, command, output: Vec::new(), exit }
    }
}

/// The commands of a page, in their order.
fn commands(page: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        let hidden = line.strip_prefix("<!-- $ ").and_then(|rest| rest.strip_suffix(" -->"));
        match (inside, line) {
            (_, "```console") => inside = true,
            (true, "```") => inside = false,
            (false, _) => commands.extend(hidden.map(|command| Shown::new(index + 1, command))),
            (true, _) => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push(Shown::new(index + 1, command)),
                (None, Some(last)) => match line.strip_prefix("# exits ") {
                    Some(code) => code.clone_into(&mut last.exit),
                    None => last.output.push(line.to_owned()),
                },
                (None, None) => panic!("line {}: {line:?} belongs to no command", index + 1),
            },
        }
    }
    commands
}

/// Whether the lines are what a page shows of them.
fn shows(shown: &[String], real: &[&str]) -> bool {
    match shown.split_first() {
        None => real.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=real.len()).any(|skipped| shows(rest, &real[skipped..]))
        }
        Some((line, rest)) => real.split_first().is_some_and(|(first, more)| {
            fits(line.trim_end(), first.trim_end()) && shows(rest, more)
        }),
    }
}

/// Whether a line is what a page shows of it.
fn fits(shown: &str, real: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = real.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// The folder of the checkout.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a page in a world of its own; what is wrong with it.
fn problems(page: &str) -> Vec<String> {
    let text = fs::read_to_string(checkout().join(page)).expect(page);
    let commands = commands(&text);
    assert!(!commands.is_empty(), "{page} shows no command");
    let world = World::new("/bin/bash");
    let repositories = world.repositories();
    let homes = repositories.strip_suffix("repositories").expect("below the world");
    let place = |text: &str| text.replace("/srv/dsg", repositories).replace("/home/", homes);
    let shown = |text: &str| text.replace(repositories, "/srv/dsg").replace(homes, "/home/");
    let folder = world.path("ran");
    fs::create_dir(&folder).expect("made");
    let at = |number: usize, end: &str| folder.join(format!("{number}.{end}"));
    let mut script = PRELUDE.to_owned();
    for (number, one) in commands.iter().enumerate() {
        script += &format!(
            "{{\n{}\n}} > {} 2>&1 < /dev/null\necho $? > {}\n",
            place(&one.command),
            at(number, "output").display(),
            at(number, "exit").display(),
        );
    }
    fs::write(folder.join("script"), script).expect("written");
    let alice = world.stranger("alice");
    fs::remove_dir(alice.project()).expect("nobody needs it");
    let bin = Path::new(DSG).parent().expect("a folder").display();
    let path = format!("{bin}:/usr/bin:/bin");
    let script = folder.join("script").display().to_string();
    let outcome = alice.at(alice.home()).run_with(
        &["--noprofile", "--norc", &script],
        "",
        &[("PATH", &path), ("DSG_CONFIG_HOME", "")],
    );
    let read =
        |path: PathBuf| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut problems = Vec::new();
    for (number, one) in commands.iter().enumerate() {
        let output = shown(&read(at(number, "output")).unwrap_or_default());
        let exit = read(at(number, "exit")).unwrap_or_else(|_| outcome.stderr.clone());
        let lines: Vec<&str> = output.lines().collect();
        let as_shown = one.output.is_empty() || shows(&one.output, &lines);
        if !as_shown || exit.trim() != one.exit {
            problems.push(format!(
                "{page}, line {}: {}\n--- shown, exits {}\n{}\n--- printed, exits {}\n{output}",
                one.line,
                one.command,
                one.exit,
                one.output.join("\n"),
                exit.trim(),
            ));
        }
    }
    problems
}

fn check(page: &str) {
    let problems = problems(page);
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n\n"));
}

#[test]
fn the_session_of_the_readme_works() {
    check("README.md");
}

#[test]
fn the_first_day_works() {
    check("docs/user-guide/first-day.md");
}

#[test]
fn joining_a_project_works() {
    check("docs/user-guide/join-a-project.md");
}

#[test]
fn daily_work_works() {
    check("docs/user-guide/daily-work.md");
}

#[test]
fn conflicts_are_settled_as_shown() {
    check("docs/user-guide/conflicts.md");
}

#[test]
fn old_versions_come_back_as_shown() {
    check("docs/user-guide/old-versions.md");
}

#[test]
fn large_files_travel_as_shown() {
    check("docs/user-guide/large-files.md");
}

#[test]
fn names_are_put_right_as_shown() {
    check("docs/user-guide/names-and-accents.md");
}

/// A page that nobody runs would go stale.
#[test]
fn every_page_of_the_guide_is_run_and_listed() {
    let guide = checkout().join("docs/user-guide");
    let index = fs::read_to_string(guide.join("README.md")).expect("an index");
    let tests = include_str!("documentation.rs");
    for page in fs::read_dir(guide).expect("lists") {
        let name = page.expect("an entry").file_name().into_string().expect("UTF-8");
        if name != "README.md" {
            assert!(index.contains(&format!("]({name})")), "{name} is not in the index");
            assert!(
                tests.contains(&format!("check(\"docs/user-guide/{name}\")")),
                "{name} is not run"
            );
        }
    }
}

#[test]
fn a_page_is_read_as_its_rules_say() {
    let page = "# Title\n<!-- $ be bob -->\n<!-- other -->\n```console\n$ a\nprinted\n# exits 3\n$ b # why\n```\n\
                ```text\n$ not run\n```\n";
    let expected = [
        Shown::new(2, "be bob"),
        Shown { output: vec!["printed".to_owned()], exit: "3".to_owned(), ..Shown::new(5, "a") },
        Shown::new(8, "b # why"),
    ];
    assert_eq!(commands(page), expected);
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    let fits_all = [("a", "a"), ("a…", "abc"), ("…c", "abc"), ("a…b…c", "a1b2c"), ("…", "")];
    assert!(fits_all.iter().all(|(shown, real)| fits(shown, real)));
    let fits_none = [("a", "ab"), ("b", "ab"), ("a…c", "ab"), ("a…b…c", "a1c"), ("ab…ba", "aba")];
    assert!(fits_none.iter().all(|(shown, real)| !fits(shown, real)));
    let lines = |text: &[&str]| text.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
    assert!(shows(&lines(&["a", "…", "d"]), &["a", "b", "c", "d"]));
    assert!(shows(&lines(&["a", "…"]), &["a"]));
    assert!(!shows(&lines(&["a", "d"]), &["a", "b", "d"]));
    assert!(!shows(&lines(&["a"]), &["a", "b"]));
}

/// The files of a folder of `examples/`, by name, with their texts.
fn examples(folder: &str) -> Vec<(String, String)> {
    let folder = checkout().join("examples").join(folder);
    let mut examples: Vec<_> = fs::read_dir(folder)
        .expect("lists")
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, fs::read_to_string(entry.path()).expect("reads"))
        })
        .collect();
    examples.sort();
    examples
}

/// What `dsg` makes of a configuration: its values by key, and what it says about the file.
fn meaning(text: &str) -> (Vec<(Value, Value)>, Vec<Value>) {
    let alice = World::new(DSG).person("alice");
    alice.write(".dsgconfig.yml", text);
    let shown = alice.run(&["config", "show", "--json"]).succeeded().json();
    let values = shown["project"].as_array().expect("a list");
    let values = values.iter().map(|one| (one["key"].clone(), one["value"].clone())).collect();
    let valid = alice.run(&["config", "validate", "--no-repository", "--json"]).succeeded().json();
    (values, valid["notices"].as_array().expect("a list").clone())
}

#[test]
fn every_example_is_a_configuration_in_the_form_of_today() {
    for (name, text) in examples("repositories") {
        let (values, notices) = meaning(&text);
        assert_eq!(notices, [Value::Null; 0], "{name}");
        let kind = values.iter().find(|(key, _)| key == "repository.type");
        let kind = kind.and_then(|(_, value)| value.as_str()).expect("a type");
        assert!(name.starts_with(kind), "{name} is of type {kind}");
        let host = values.iter().find(|(key, _)| key == "repository.host");
        let is_far = host.is_some_and(|(_, value)| value != "localhost");
        assert_eq!(is_far, name.ends_with("-over-ssh.yml"), "{name}");
    }
}

#[test]
fn every_older_example_means_what_the_one_beside_it_says() {
    let all = examples("legacy");
    let find = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, text)| text);
    let mut pairs = 0;
    for (name, before) in &all {
        let Some(stem) = name.strip_suffix("-before.yml") else {
            let stem = name.strip_suffix("-after.yml").expect("one of a pair");
            assert!(find(&format!("{stem}-before.yml")).is_some(), "{name} has nothing beside it");
            continue;
        };
        let after = find(&format!("{stem}-after.yml")).expect("the form of today beside it");
        let (old_values, old_notices) = meaning(before);
        let (new_values, new_notices) = meaning(after);
        assert_eq!(old_values, new_values, "{name}");
        assert!(new_notices.is_empty(), "{name}: {new_notices:?}");
        let replacement = old_notices.iter().find_map(|notice| notice["replacement"].as_str());
        let replacement = replacement.expect("a text to replace it with");
        assert!(after.ends_with(replacement), "{name}: dsg offers\n{replacement}");
        pairs += 1;
    }
    assert!(pairs >= 5, "{pairs}");
}

#[test]
fn every_example_is_listed() {
    let index = fs::read_to_string(checkout().join("examples/README.md")).expect("an index");
    for folder in ["repositories", "legacy"] {
        for (name, _) in examples(folder) {
            assert!(
                index.contains(&format!("]({folder}/{name})")),
                "{folder}/{name} is not listed"
            );
        }
    }
}

/// What stands for something else in the headings of the page, or is put together by the program.
const STAND_INS: [&str; 15] = [
    "…",
    "NAME",
    "PATH",
    "DATASET",
    "sN",
    ".dsgconfig.yml",
    ".dsg",
    "conflicts.txt",
    "dsg",
    "zfs snapshot",
    "zfs destroy",
    "ssh ",
    "could not ",
    "NFS",
    "SMB",
];

/// The words of a heading that the program is said to say: its code spans, cut at what stands for
/// something else.
fn said_in(heading: &str) -> Vec<String> {
    let mark = if heading.contains("``") { "``" } else { "`" };
    let mut words: Vec<String> =
        heading.split(mark).skip(1).step_by(2).map(str::to_owned).collect();
    for stand_in in STAND_INS {
        words = words.iter().flat_map(|words| words.split(stand_in).map(str::to_owned)).collect();
    }
    words.into_iter().map(|words| words.trim().to_owned()).filter(|words| words.len() > 2).collect()
}

/// All source of the program, one text.
fn source(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            source(&path, text);
        } else {
            text.push_str(&fs::read_to_string(&path).expect("reads"));
        }
    }
}

/// A person looks for the words that they see, so a heading must have the words that dsg says.
#[test]
fn every_error_that_troubleshooting_names_is_one_that_dsg_tells() {
    let mut program = String::new();
    for part in ["core", "store", "cli"] {
        source(&checkout().join("dsg").join(part).join("src"), &mut program);
    }
    let page = fs::read_to_string(checkout().join("docs/troubleshooting.md")).expect("a page");
    let headings: Vec<&str> = page.lines().filter(|line| line.starts_with("### ")).collect();
    assert!(headings.len() > 50, "{}", headings.len());
    for heading in headings {
        for words in said_in(heading) {
            assert!(program.contains(&words), "{heading}: nobody says {words:?}");
        }
        for code in heading.split([' ', '(', ')', ',']) {
            assert!(!code.starts_with("DSG-") || program.contains(code), "{heading}: no {code}");
        }
    }
}

/// Wrong usage explains itself; everything else may need more words than an error has room for.
#[test]
fn every_error_but_wrong_usage_is_in_troubleshooting() {
    let read = |page: &str| fs::read_to_string(checkout().join(page)).expect(page);
    let (errors, page) = (read("docs/errors.md"), read("docs/troubleshooting.md"));
    let codes = errors.lines().filter_map(|row| row.strip_prefix("| DSG-")?.split(' ').next());
    let missing: Vec<&str> = codes
        .filter(|code| !code.starts_with('U') && !page.contains(&format!("DSG-{code}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
