use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::plan::model::{file, link, local, path, triple};
use crate::plan::{PlanContext, Totals, Triple, plan};

fn questions(triples: Vec<Triple>) -> Vec<Question> {
    let resolutions = Resolutions::default();
    let context = PlanContext {
        unknown: &[],
        resolutions: &resolutions,
        totals: Totals::default(),
        suspicious_directories: &[],
        allow_mass_delete: false,
    };
    plan(triples, &context).steps.iter().filter_map(Question::of).collect()
}

/// The letters that are suggested, in order, for copies with these times.
fn suggested(l: Option<i64>, c: Option<i64>, r: Option<i64>) -> String {
    let entry = |name: &str, time: Option<i64>| time.map(|time| file(name, time));
    let (l, c, r) = (entry("l", l), entry("c", c), entry("r", r));
    let questions = questions(vec![triple("p", l.as_ref(), c.as_ref(), r.as_ref())]);
    questions[0].choices.iter().map(|offer| offer.choice.letter()).collect()
}

#[test]
fn the_likeliest_choice_is_suggested_first() {
    // State 5: the newest first; of equal times L, R, C.
    assert_eq!(suggested(Some(2), Some(1), Some(3)), "RLC");
    assert_eq!(suggested(Some(1), Some(3), Some(2)), "CRL");
    assert_eq!(suggested(Some(1), Some(1), Some(1)), "LRC");
    assert_eq!(suggested(Some(1), Some(2), Some(2)), "RCL");
    // State 9: R unless L is newer.
    assert_eq!(suggested(Some(1), None, Some(1)), "RL");
    assert_eq!(suggested(Some(2), None, Some(1)), "LR");
    // States 7 and 11: what keeps something before what deletes it.
    assert_eq!(suggested(None, Some(1), Some(1)), "RCL");
    assert_eq!(suggested(Some(1), Some(1), None), "LCR");
}

#[test]
fn links_have_no_time_and_are_suggested_last() {
    let (l, c, r) = (link("l"), file("c", 1), link("r"));
    let questions = questions(vec![triple("p", Some(&l), Some(&c), Some(&r))]);
    let letters: String = questions[0].choices.iter().map(|o| o.choice.letter()).collect();
    assert_eq!(letters, "CLR");
}

fn header() -> Header<'static> {
    Header {
        generated: "2026-11-20 10:00:00 UTC",
        user: "Alice <a@example.org>\n# File: x\nL",
        backup: false,
    }
}

fn three_conflicts() -> Vec<Question> {
    let (a, b, c) = (file("a", 3), file("b", 2), file("c", 1));
    questions(vec![
        triple("a b/ñ.csv", Some(&a), Some(&c), Some(&b)),
        triple("deleted", None, Some(&a), Some(&b)),
        triple("new\n# File: evil\nR", Some(&a), None, Some(&b)),
    ])
}

#[test]
fn a_file_is_written_as_people_know_it() {
    let written = write(&header(), &three_conflicts());
    assert_eq!(written.questions, 3);
    let marks = MadeFor::of(Some(&local(&file("a", 0))), Some(&file("b", 0)));
    let block = format!(
        "\n# File: a b/ñ.csv\n# Conflict: 111: all three copies differ\n\
         # Made for: L={} R={}\n_L  # Use Local version (upload)\n\
         _R  # Use Remote version (download)\n_C  # Use Cached version (restore)\n",
        marks.local, marks.remote
    );
    assert!(written.text.contains(&block), "{}", written.text);
    assert!(written.text.contains("# Generated: 2026-11-20 10:00:00 UTC\n"));
    assert!(written.text.contains("# Backup on conflict: disabled\n"));
    assert!(written.text.contains("# File: new\\n# File: evil\\nR\n"));
}

#[test]
fn a_file_that_nobody_edited_decides_nothing() {
    let questions = three_conflicts();
    let answers = read(&write(&header(), &questions).text).unwrap();
    assert!(answers.resolutions().is_empty());
    let undecided: Vec<_> = answers.undecided().collect();
    assert_eq!(undecided, questions.iter().map(|q| &q.path).collect::<Vec<_>>());
}

#[test]
fn a_file_edited_as_it_says_itself_decides() {
    let questions = three_conflicts();
    let text = write(&header(), &questions).text;
    // The first is edited by taking one underscore away, the second by leaving one line only.
    let edited = text.replacen("\n_R  #", "\nR  #", 1);
    let (before, after) = edited.split_once("# File: deleted").unwrap();
    let after = after.replacen("\n_R  # Use Remote version (download)", "", 1);
    let after = after.replacen("\n_C  #", "\nC  #", 1);
    for text in [format!("{before}# File: deleted{after}"), {
        format!("\u{feff}{before}# File: deleted{after}").replace('\n', "\r\n")
    }] {
        let answers = read(&text).unwrap();
        let choices: Vec<_> = answers.0.iter().map(|answer| answer.choice).collect();
        assert_eq!(choices, [Some(Choice::Remote), Some(Choice::Cached), None]);
        let resolutions = answers.resolutions();
        assert_eq!(resolutions.len(), 2);
        for question in &questions[..2] {
            assert_eq!(resolutions.get(&question.path).unwrap().made_for, question.made_for);
        }
        assert_eq!(answers.unmarked().count(), 0);
    }
}

#[test]
fn a_line_that_can_be_meant_in_two_ways_is_an_error_with_its_number() {
    for (text, expected) in [
        ("# File: a\nR\nL\n", "line 3: a second choice for `a`"),
        ("# File: a\nR\nR\n", "line 3: a second choice for `a`"),
        ("# File: a\n\n#File: a\n", "line 3: `a` was named before"),
        ("L # x\n", "line 1: `L # x` stands before the first line `# File: …`"),
        ("# Made for: L=- R=-\n", "line 1: `# Made for: L=- R=-` stands before the first line"),
        ("# File: a\nLR\n", "line 2: `LR` is neither a comment nor one of L, R, C"),
        ("# File: a\n_Lx\n", "line 2: `_Lx` is neither"),
        ("# File: a\n__L\n", "line 2: `__L` is neither"),
        ("# File: \nL\n", "line 1: `` is no path"),
        ("# File: ../a\nL\n", "line 1: `../a` is no path"),
        ("# File: a\\b\nL\n", "line 1: `a\\\\b` has a backslash"),
        ("# File: a\n# Made for: L=1 R=-\n", "line 2: `# Made for: L=1 R=-` was changed"),
        ("# File: a\n# Made for: L=- R=-\n# Made for: L=- R=-\n", "line 3: "),
        ("# nothing\n", "the file of conflicts has no line"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
    let long = format!("# File: a\n{}\n", "x".repeat(100_000));
    assert!(read(&long).unwrap_err().to_string().len() < 300);
    assert_eq!(read(&"#".repeat(FILE_BYTES_MAX + 1)), Err(Unreadable::TooLarge));
}

#[test]
fn a_choice_whose_marks_are_gone_is_known_but_not_used() {
    let answers = read("# File: a\nR\n").unwrap();
    assert_eq!(answers.unmarked().collect::<Vec<_>>(), [&path("a")]);
    assert!(answers.resolutions().is_empty());
}

#[test]
fn more_questions_than_fit_are_asked_later() {
    let mut question = three_conflicts().remove(0);
    let name = "\u{202e}".repeat(80);
    let questions: Vec<_> = (0..1600)
        .map(|number| {
            let text = format!("{number}/{}", [name.as_str(); 8].join("/"));
            question.path = path(&text);
            question.clone()
        })
        .collect();
    let written = write(&header(), &questions);
    assert!(written.text.len() <= FILE_BYTES_MAX);
    assert!(written.questions > 100 && written.questions < questions.len());
    let left = questions.len() - written.questions;
    assert!(written.text.contains(&format!("# {left} more conflicts")));
    assert_eq!(read(&written.text).unwrap().0.len(), written.questions);
}

#[test]
fn a_mark_tells_copies_apart_and_comes_back_from_text() {
    let executable = Identity::File { hash: crate::hash::ContentHash::of(b"a"), executable: true };
    let identities = [file("a", 0).identity(), file("b", 0).identity(), link("a").identity()];
    let marks: std::collections::HashSet<_> =
        identities.iter().chain([&executable]).map(|identity| Mark::of(Some(identity))).collect();
    assert_eq!(marks.len(), 4);
    for mark in marks.into_iter().chain([Mark::Absent, Mark::Unread]) {
        assert_eq!(mark.to_string().parse(), Ok(mark));
    }
    for bad in ["", "--", "0123456789abcde", "0123456789ABCDEF", "+123456789abcdef", "é"] {
        assert_eq!(bad.parse::<Mark>(), Err(NotAMark), "{bad}");
    }
    assert_eq!(Mark::of(Some(&file("a", 1).identity())), Mark::of(Some(&file("a", 9).identity())));
}

#[test]
fn resolutions_come_back_from_json_and_a_path_stands_there_once() {
    let mut resolutions = Resolutions::default();
    for (name, choice) in [("b", Choice::Local), ("a", Choice::Cached), ("b", Choice::Remote)] {
        let made_for = MadeFor::of(Some(&local(&file("a", 1))), None);
        resolutions.insert(Resolution { path: path(name), choice, made_for }).unwrap();
    }
    assert_eq!(resolutions.get(&path("b")).unwrap().choice, Choice::Remote);
    let text = serde_json::to_string(&resolutions).unwrap();
    assert_eq!(serde_json::from_str::<Resolutions>(&text).unwrap(), resolutions);
    let twice = text.replace("\"path\":\"b\"", "\"path\":\"a\"");
    assert!(serde_json::from_str::<Resolutions>(&twice).is_err());
    assert_eq!(resolutions.remove(&path("a")).unwrap().choice, Choice::Cached);
    assert_eq!((resolutions.len(), resolutions.is_empty()), (1, false));
}

/// Answers that differ from those of the Python tool, and why.
const OTHER_ANSWERS: [(&str, &str); 5] = [
    ("# File: a.csv\n_L\n", "an underscore means: not decided; it was there to protect"),
    ("# File: a.csv\n_R  # Use Remote version (download)\n", "as above"),
    ("# File: a.csv\nR  # comment\n", "what the instructions ask for has to be understood"),
    ("# File: a.csv\n_R\n_L\n", "a block that nobody edited is undecided, not wrong"),
    ("# File: a b/ñ.csv  \n  C  \n# File: c\n_C # x\n", "the second file is not decided"),
];

#[test]
fn the_answers_are_those_of_the_python_tool_but_for_a_list() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/legacy-dsg/vectors");
    let file = Path::new(folder).join("conflicts-parse-vectors.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("skipped: no shared data");
        return;
    };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut others = 0;
    for case in &cases {
        // A file that is not there at all is the business of who opens it.
        let Some(text) = case["text"].as_str() else {
            continue;
        };
        let ours = read(text).map(|answers| {
            let decided = answers.0.iter().filter_map(|answer| {
                let letter = answer.choice?.letter().to_string();
                Some((answer.path.as_str().to_owned(), Value::from(letter)))
            });
            Value::Object(decided.collect())
        });
        let theirs = case.get("result");
        let other = OTHER_ANSWERS.iter().any(|(text, _)| case["text"] == *text);
        assert_eq!(ours.as_ref().ok() != theirs, other, "{case}: {ours:?}");
        others += usize::from(other);
    }
    assert_eq!(others, OTHER_ANSWERS.len());
}

fn any_path() -> impl Strategy<Value = RepoPath> {
    let wild = any::<String>().prop_map(|text| text.replace('\0', "x"));
    let nasty = "[ a\\\\nr\\n\\r\\t#_LRC:\u{85}\u{2028}\u{feff}\u{301}/-]{1,12}";
    prop_oneof![wild, nasty].prop_filter_map("a path", |text| RepoPath::from_spelling(&text).ok())
}

fn any_mark() -> impl Strategy<Value = Mark> {
    prop_oneof![Just(Mark::Absent), Just(Mark::Unread), any::<[u8; 8]>().prop_map(Mark::Digest)]
}

proptest! {
    #[test]
    fn what_is_written_is_read_for_every_path(
        paths in prop::collection::btree_set(any_path(), 1..5),
        local in any_mark(),
        remote in any_mark(),
        picked in prop::collection::vec(prop::option::of(0..3_usize), 5),
        windows in any::<bool>(),
    ) {
        let made_for = MadeFor { local, remote };
        let offers = Choice::ALL.map(|choice| Offer { choice, meaning: "Use it" });
        let questions: Vec<_> = paths
            .iter()
            .map(|path| Question {
                path: path.clone(),
                reason: format!("a clash with `{path}`"),
                choices: offers.to_vec(),
                made_for,
            })
            .collect();
        let mut text = String::new();
        for (question, picked) in questions.iter().zip(&picked) {
            let written = write(&header(), std::slice::from_ref(question)).text;
            text.push_str(&match picked.map(|index| Choice::ALL[index].letter()) {
                Some(letter) => written.replace(&format!("\n_{letter} "), &format!("\n{letter} ")),
                None => written,
            });
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let answers = read(&text).unwrap();
        prop_assert_eq!(answers.0.len(), questions.len());
        for ((answer, question), picked) in answers.0.iter().zip(&questions).zip(&picked) {
            prop_assert_eq!(&answer.path, &question.path);
            prop_assert_eq!(answer.choice, picked.map(|index| Choice::ALL[index]));
            prop_assert_eq!(answer.made_for, Some(made_for));
        }
    }

    #[test]
    fn reading_is_total(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn reading_nearly_right_text_is_total(text in "([_#LRC:= \\\\-]|File: |Made for: |a|\\n){0,40}") {
        if let Ok(answers) = read(&text) {
            let decided = answers.0.len() - answers.undecided().count();
            prop_assert_eq!(answers.resolutions().len() + answers.unmarked().count(), decided);
        }
    }
}
