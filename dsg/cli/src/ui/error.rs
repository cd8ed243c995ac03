//! How an error is shown: what happened, why, about which paths, what to do next.

use dsg_store::error::{Class, Error};
use foundation_runtime::Exit;
use serde_json::json;

use super::{Tone, Ui, safe, write_to_stderr};

/// The most paths that are listed below an error.
const PATHS_SHOWN: usize = 20;

/// The exit code of a class of errors.
pub(crate) fn exit_of(class: Class) -> Exit {
    match class {
        Class::Usage => Exit::Usage,
        Class::Conflict => Exit::Conflict,
        Class::Refused => Exit::Refused,
        Class::Configuration => Exit::Configuration,
        Class::Repository => Exit::Repository,
        Class::Integrity => Exit::Integrity,
        Class::Machine => Exit::Machine,
        Class::Interrupted => Exit::Interrupted,
    }
}

/// Help and version, or what is wrong with the command line, in the words of its parser.
pub(crate) fn show_usage(error: &clap::Error) -> Exit {
    // Who closed the stream does not want to read it.
    let _ = error.print();
    if error.exit_code() == 0 { Exit::Success } else { Exit::Usage }
}

impl Ui {
    /// Shows an error and returns its exit code.
    pub(crate) fn fail(&self, error: &Error) -> Exit {
        let exit = exit_of(error.code.class());
        if self.is_json() {
            self.json(&json!({
                "schema": "dsg.error/1",
                "code": error.code.as_str(),
                "what": error.what,
                "why": error.why,
                "next": error.next,
                "paths": error.paths,
                "retry_helps": error.code.retry_helps(),
                "exit": exit.code(),
            }));
        } else {
            self.show(error);
        }
        self.finish(exit)
    }

    /// Shows an error to people, without ending the command; nothing with `--json`.
    pub(crate) fn show(&self, error: &Error) {
        if !self.is_json() {
            write_to_stderr(format_args!("{}", self.error_text(error)));
        }
    }

    fn error_text(&self, error: &Error) -> String {
        let mark = self.talk(Tone::Bad, format_args!("error[{}]:", error.code.as_str()));
        let mut text = format!("{mark} {}\n", indented(&error.what, "  "));
        if let Some(why) = &error.why {
            text.push_str(&format!("  why: {}\n", indented(why, "       ")));
        }
        for path in error.paths.iter().take(PATHS_SHOWN) {
            text.push_str(&format!("    {}\n", safe(path)));
        }
        if error.paths.len() > PATHS_SHOWN {
            text.push_str(&format!("    and {} more\n", error.paths.len() - PATHS_SHOWN));
        }
        if let Some(next) = &error.next {
            text.push_str(&format!("  next: {}\n", indented(next, "        ")));
        }
        text
    }
}

/// Each line made safe, all but the first behind `indentation`.
fn indented(text: &str, indentation: &str) -> String {
    text.lines().map(safe).collect::<Vec<_>>().join(&format!("\n{indentation}"))
}

#[cfg(test)]
mod tests {
    use super::super::UiOptions;
    use super::*;
    use dsg_store::error::Code;

    #[test]
    fn an_error_says_what_why_where_and_what_next() {
        let ui =
            Ui::new(&UiOptions { color: super::super::ColorWhen::Never, ..UiOptions::default() });
        let error = Error::new(Code::Conflict, "two lines\nof text")
            .because("a \u{1b}[31mred\u{1b}[0m reason")
            .about((0..22).map(|number| format!("p{number}")))
            .next("choose");
        let text = ui.error_text(&error);
        assert!(text.starts_with("error[DSG-K01]: two lines\n  of text\n  why: a "), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.contains("    p19\n    and 2 more\n  next: choose\n"), "{text}");
    }

    #[test]
    fn each_class_has_an_exit_code_of_its_own() {
        let mut exits: Vec<_> = Code::ALL.iter().map(|code| exit_of(code.class())).collect();
        exits.sort_unstable();
        exits.dedup();
        assert_eq!(exits.len(), 8);
        assert!(!exits.contains(&Exit::Success) && !exits.contains(&Exit::Unexpected));
    }
}
