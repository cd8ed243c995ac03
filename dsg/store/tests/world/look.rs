//! Looking at directories without asking dsg: what the tests believe.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Everything below a directory, by path, directories with a slash at their end.
fn walk(root: &Path, with: &dyn Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut stack = vec![(String::new(), root.to_owned())];
    while let Some((above, folder)) = stack.pop() {
        for entry in fs::read_dir(&folder).expect("lists") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let below = format!("{above}{name}");
            if !with(&name) {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                found.push((format!("{below}/"), path.clone()));
                stack.push((format!("{below}/"), path));
            } else {
                found.push((below, path));
            }
        }
    }
    found.sort();
    found
}

/// The files and links below a directory, but for what is dsg's own.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let found = walk(root, &|name| !name.starts_with(".dsg"));
    found.into_iter().map(|(path, _)| path).filter(|path| !path.ends_with('/')).collect()
}

/// What is at each path below a directory, but for what is dsg's own: the text of a link with an
/// arrow before it, the bytes of a file.
pub(crate) fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let found = walk(root, &|name| !name.starts_with(".dsg"));
    found.into_iter().map(|(path, at)| (path, bytes(&at))).collect()
}

fn bytes(at: &Path) -> Vec<u8> {
    let kind = fs::symlink_metadata(at).expect("is there").file_type();
    if kind.is_symlink() {
        format!("-> {}", fs::read_link(at).expect("a link").display()).into_bytes()
    } else if kind.is_file() {
        // What may not be read is told apart from what is empty.
        fs::read(at).unwrap_or_else(|error| error.kind().to_string().into_bytes())
    } else {
        Vec::new()
    }
}

/// One line for each thing below a directory, its own included, with all that a change would move:
/// inode, mode, size, times of contents and inode.
pub(crate) fn listing(root: &Path) -> Vec<String> {
    let mut found = walk(root, &|_| true);
    found.push(("./".to_owned(), root.to_owned()));
    let line = |(path, at): (String, PathBuf)| {
        let is = fs::symlink_metadata(at).expect("is there");
        format!(
            "{path} {} {:o} {} {}.{:09} {}.{:09}",
            is.ino(),
            is.mode(),
            is.size(),
            is.mtime(),
            is.mtime_nsec(),
            is.ctime(),
            is.ctime_nsec()
        )
    };
    found.into_iter().map(line).collect()
}

/// Every thing below a directory and its own, with its permission bits.
pub(crate) fn modes(root: &Path) -> Vec<(String, u32)> {
    let mut found = walk(root, &|_| true);
    found.push(("./".to_owned(), root.to_owned()));
    let links_left_out = found.into_iter().filter(|(_, at)| !at.is_symlink());
    links_left_out.map(|(path, at)| (path, super::mode(&at))).collect()
}

/// The bytes of all that is in the trash of a project, by where it was.
pub(crate) fn trash(project: &Path) -> Vec<Vec<u8>> {
    let trash = project.join(".dsg/trash");
    if !trash.exists() {
        return Vec::new();
    }
    let found = walk(&trash, &|name| name != "list");
    found.into_iter().filter(|(path, _)| !path.ends_with('/')).map(|(_, at)| bytes(&at)).collect()
}

/// Whether some file in the trash has these bytes.
pub(crate) fn is_in_trash(project: &Path, text: &str) -> bool {
    trash(project).iter().any(|bytes| bytes == text.as_bytes())
}

/// The names in a directory, sorted.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("lists");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// Copies a directory with times and modes, as an administrator restores a backup.
pub(crate) fn copy(from: &Path, to: &Path) {
    let is = fs::symlink_metadata(from).expect("is there");
    if is.is_symlink() {
        let target = fs::read_link(from).expect("a link");
        std::os::unix::fs::symlink(target, to).expect("links");
        return;
    }
    if is.is_dir() {
        fs::create_dir(to).expect("creates");
        for name in names(from) {
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).expect("copies");
    }
    super::chmod(to, is.mode() & 0o7777);
    let times = fs::FileTimes::new().set_modified(is.modified().expect("a time"));
    fs::File::open(to).and_then(|file| file.set_times(times)).expect("sets the time");
}
