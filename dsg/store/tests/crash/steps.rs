//! The proof that the count of steps is complete: `strace` sees the same calls, in the same order.
//! Were one call not counted, no test could cut the program off before it.

use std::path::Path;
use std::process::{Command, Stdio};

use testkit::mount::lacks;
use testkit::program::{Fault, Step, steps};

use super::scenario::{ALL, Scenario};
use super::world::{Ended, ended};

/// Calls that can change a file, a directory or what is durable of them. Those with a question mark
/// are not known to every strace.
const CALLS: &str = "open,openat,?openat2,creat,write,writev,pwrite64,pwritev,?pwritev2,rename,\
renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,\
chmod,fchmod,fchmodat,?fchmodat2,chown,fchown,lchown,fchownat,utime,utimes,utimensat,futimesat,\
truncate,ftruncate,fallocate,fsync,fdatasync,syncfs,sync,sync_file_range,ioctl,copy_file_range,\
sendfile,splice,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,mmap,\
?io_uring_setup";

/// A call as a kind and the last name in its path.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    kind: String,
    name: String,
}

fn name_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// As strace tells it; `None` for a call that changes nothing below `root`.
fn traced(line: &str, root: &str) -> Option<Seen> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let (call, rest) = line.split_once('(')?;
    let kind = match call {
        "open" | "openat" | "openat2" | "creat" => {
            let makes = rest.contains("O_CREAT") || rest.contains("O_TRUNC");
            if !makes && call != "creat" {
                return None;
            }
            "create"
        }
        "symlink" | "symlinkat" => "create",
        "write" | "pwrite64" => "write",
        "mkdir" | "mkdirat" => "create directory",
        "rename" | "renameat" | "renameat2" => "rename to",
        "link" | "linkat" => "link",
        "rmdir" => "remove directory",
        "unlinkat" if rest.contains("AT_REMOVEDIR") => "remove directory",
        "unlink" | "unlinkat" => "remove",
        "fchmod" => "set mode",
        "utimensat" => "set time of",
        "ftruncate" => "truncate",
        "fsync" => "sync",
        "syncfs" => "sync file system",
        "ioctl" if rest.contains("FICLONE") => "clone into",
        "ioctl" => return None,
        "mmap" if !(rest.contains("MAP_SHARED") && rest.contains("PROT_WRITE")) => return None,
        other => other,
    };
    let arguments = rest.rsplit_once(") = ").map_or(rest, |(arguments, _)| arguments);
    let by_descriptor = matches!(kind, "write" | "set mode" | "truncate" | "clone into")
        || kind.starts_with("sync")
        || (kind == "set time of" && arguments.contains(", NULL, "));
    let (place, name) = if by_descriptor {
        let path = arguments.split_once('<')?.1.split_once('>')?.0;
        (path, path)
    } else {
        // The directory and the name in it come last; a link's text comes before them.
        let place = arguments.rsplit_once('<')?.1.split_once('>')?.0;
        (place, arguments.split('"').skip(1).step_by(2).last()?)
    };
    place.starts_with(root).then(|| Seen { kind: kind.to_owned(), name: name_of(name) })
}

fn counted(step: &Step) -> Seen {
    let kind = if step.operation.starts_with("sync") && step.operation != "sync file system" {
        "sync"
    } else {
        &step.operation
    };
    Seen { kind: kind.to_owned(), name: name_of(&step.path) }
}

fn compare(scenario: &Scenario) -> usize {
    let prepared = scenario.prepare();
    let world = &prepared.world;
    // Both beside the world, so that they are not taken for a part of it.
    let beside = testkit::mount::folder().expect("a folder");
    let (log, trace) = (beside.path().join("log"), beside.path().join("trace"));
    let variables = [("DSG_FAULT_LOG", log.as_os_str())];
    let process =
        world.start_with(scenario.operation, scenario.actor, Fault::None, &variables, |command| {
            *command = under_strace(command, &trace);
        });
    assert_eq!(ended(process), Ended::Done, "{}", scenario.name);
    let root = world.root.to_string_lossy().into_owned();
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let traced: Vec<Seen> = text.lines().filter_map(|line| traced(line, &root)).collect();
    let counted: Vec<Seen> = steps(&log).expect("a log").iter().map(counted).collect();
    for (number, (traced, counted)) in traced.iter().zip(&counted).enumerate() {
        assert_eq!(traced, counted, "{}, step {}", scenario.name, number + 1);
    }
    assert_eq!(traced.len(), counted.len(), "{}", scenario.name);
    counted.len()
}

fn under_strace(command: &Command, trace: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-qq", "-s", "4096", "-e", "signal=none", "-e"]);
    strace.arg(format!("trace={CALLS}")).arg("-o").arg(trace).arg(command.get_program());
    strace.args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            strace.env(name, value);
        }
    }
    strace.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    strace
}

#[test]
fn strace_sees_no_step_that_is_not_counted() {
    if lacks(&["strace"]) {
        return;
    }
    let steps: usize = ALL.iter().map(compare).sum();
    println!("steps that strace confirms: {steps}");
}
