//! People at the command line: each with a home of their own, on one machine with one place for
//! repositories. The program sees nothing of the environment that the tests run in.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// The name of the project that people of a [`World`] share.
pub const PROJECT: &str = "SV";

/// A machine.
pub struct World {
    folder: Arc<TempDir>,
    root: PathBuf,
    program: PathBuf,
}

impl World {
    /// An empty one, with the directory `repositories`. `program` is what people run.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let root = folder.path().canonicalize().expect("is there");
        fs::create_dir(root.join("repositories")).expect("made");
        Self { folder, root, program: program.into() }
    }

    /// One where alice has started [`PROJECT`] with `files`, and bob has cloned it.
    #[must_use]
    pub fn started(program: impl Into<PathBuf>, files: &[(&str, &str)]) -> (Self, Person, Person) {
        let world = Self::new(program);
        let (alice, bob) = (world.person("alice"), world.person("bob"));
        for (path, text) in files {
            alice.write(path, text);
        }
        alice.run(&["init", "--repository-path", world.repositories()]).succeeded();
        bob.run(&["-C", "..", "clone", world.repository()]).succeeded();
        (world, alice, bob)
    }

    /// Somebody with a home, a `dsg.yml`, and an empty directory [`PROJECT`].
    #[must_use]
    pub fn person(&self, name: &str) -> Person {
        let person = self.stranger(name);
        let own = person.home.join("config");
        fs::create_dir_all(&own).expect("made");
        let upper: String = name[..1].to_uppercase() + &name[1..];
        let text = format!("user_name: {upper}\nuser_id: {name}@example.org\n");
        fs::write(own.join("dsg.yml"), text).expect("written");
        person
    }

    /// As [`person`](Self::person), but nobody has said who that is.
    #[must_use]
    pub fn stranger(&self, name: &str) -> Person {
        let home = self.root.join(name);
        let project = home.join(PROJECT);
        fs::create_dir_all(&project).expect("made");
        Person {
            _folder: Arc::clone(&self.folder),
            program: self.program.clone(),
            root: self.root.clone(),
            home,
            project,
        }
    }

    /// The directory that holds the repositories.
    #[must_use]
    pub fn repositories(&self) -> &str {
        self.text("repositories")
    }

    /// The repository of [`PROJECT`].
    #[must_use]
    pub fn repository(&self) -> &str {
        self.text("repositories/SV")
    }

    /// A path of this machine.
    #[must_use]
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn text(&self, below: &str) -> &'static str {
        let path = self.root.join(below).into_os_string().into_string().expect("UTF-8");
        // A few dozen bytes per test: worth arguments that are plain texts.
        Box::leak(path.into_boxed_str())
    }
}

/// Somebody who works in a project.
#[derive(Clone)]
pub struct Person {
    /// The world goes with the last who is in it.
    _folder: Arc<TempDir>,
    program: PathBuf,
    root: PathBuf,
    home: PathBuf,
    project: PathBuf,
}

impl Person {
    /// The same person in another directory.
    #[must_use]
    pub fn at(&self, project: impl Into<PathBuf>) -> Self {
        Self { project: project.into(), ..self.clone() }
    }

    /// Where they work.
    #[must_use]
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// Their home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Writes a file of the project, with the directories above it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.project.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// What a file of the project holds.
    #[must_use]
    pub fn read(&self, path: &str) -> String {
        let read = fs::read_to_string(self.project.join(path));
        read.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Whether the project has it.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.project.join(path).symlink_metadata().is_ok()
    }

    /// Removes a file of the project.
    pub fn remove(&self, path: &str) {
        fs::remove_file(self.project.join(path)).expect("removed");
    }

    /// Replaces a part of a text file that must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{from:?} is not in\n{text}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// Runs the program without input.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, "", &[])
    }

    /// Runs the program with input and variables.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn run_with(&self, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Outcome {
        let mut child = self
            .command(arguments, variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A program that does not read its input closes it; that is its right.
        let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("the program ends");
        Outcome {
            command: arguments.join(" "),
            root: self.root.clone(),
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The program, ready to be started: in the project, with nothing around it but a home.
    pub fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        self.ready(Command::new(&self.program), arguments, variables)
    }

    /// As [`command`](Self::command), for a test that stops the program: see [`program::heeding`].
    pub fn command_to_stop(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        self.ready(program::heeding(&self.program), arguments, variables)
    }

    fn ready(
        &self,
        mut command: Command,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Command {
        command
            .args(arguments.iter().map(OsStr::new))
            .current_dir(&self.project)
            .env_clear()
            .env("HOME", &self.home)
            .env("DSG_CONFIG_HOME", self.home.join("config"))
            .env("PATH", "/usr/bin:/bin")
            .env("COLUMNS", "100")
            .envs(variables.iter().copied());
        command
    }
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    root: PathBuf,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Outcome {
    /// Fails unless it ended with 0.
    pub fn succeeded(self) -> Self {
        self.ended(0)
    }

    /// Fails unless it ended with this code.
    ///
    /// # Panics
    /// Then, with all that it printed.
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "dsg {}\n--- stdout\n{}\n--- stderr\n{}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails unless both texts together hold `part`.
    ///
    /// # Panics
    /// Then, with all that it printed.
    pub fn says(self, part: &str) -> Self {
        let all = format!("{}\n--- stderr\n{}", self.stdout, self.stderr);
        assert!(all.contains(part), "dsg {}: {part:?} is not in\n{all}", self.command);
        self
    }

    /// Fails if one of the texts holds `part`.
    ///
    /// # Panics
    /// Then, with all that it printed.
    pub fn says_nothing_of(self, part: &str) -> Self {
        let all = format!("{}\n--- stderr\n{}", self.stdout, self.stderr);
        assert!(!all.contains(part), "dsg {}: {part:?} is in\n{all}", self.command);
        self
    }

    /// The result as JSON: stdout must be exactly one value, with a schema.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("dsg {}: {error}\n{}", self.command, self.stdout));
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default();
        assert!(schema.starts_with("dsg.") && schema.ends_with("/1"), "{value:#}");
        value
    }

    /// What was printed, with what differs from run to run replaced: the directory of the world, how
    /// long something took, dates.
    #[must_use]
    pub fn normalized(&self) -> String {
        let text = self.stdout.replace(&*self.root.to_string_lossy(), "/WORLD");
        let lines: Vec<String> = text.lines().map(normalized_line).collect();
        lines.join("\n")
    }
}

/// A line without the time that something took (`; 0.1 s` at its end).
fn normalized_line(line: &str) -> String {
    let is_time = |end: &str| {
        end.strip_suffix(" s")
            .is_some_and(|number| number.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    match line.rsplit_once("; ") {
        Some((start, end)) if is_time(end) => format!("{start}; TIME"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_sees_only_its_own_world() {
        let world = World::new("/usr/bin/env");
        let outcome = world.person("alice").run(&[]).succeeded();
        let names: Vec<_> =
            outcome.stdout.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        let mut names: Vec<_> = names.into_iter().filter(|name| *name != "_").collect();
        names.sort_unstable();
        assert_eq!(names, ["COLUMNS", "DSG_CONFIG_HOME", "HOME", "PATH"]);
        assert!(outcome.normalized().contains("HOME=/WORLD/alice"));
    }

    #[test]
    fn times_are_replaced() {
        assert_eq!(
            normalized_line("s1 is made: 2 uploaded; 0.4 s"),
            "s1 is made: 2 uploaded; TIME"
        );
        assert_eq!(normalized_line("a; b s"), "a; b s");
    }
}
