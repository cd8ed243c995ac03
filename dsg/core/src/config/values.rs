//! What single values must be. A value that could never do anything (a data directory with a
//! slash, an ignored path that starts at `/`) is refused instead of kept: the person who wrote it
//! believes that a file is shared, or that it is not.

use crate::path::{self, COMPONENT_BYTES_MAX, PATH_BYTES_MAX, RepoPath};

use super::error::{shown, steers_a_terminal};
use super::section::Refusal;

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, without its angle brackets), in bytes.
const USER_ID_BYTES_MAX: usize = 254;
/// The longest name of a person, in bytes.
const USER_NAME_BYTES_MAX: usize = 254;
/// The longest host name (RFC 1035, section 2.3.4), in bytes.
const HOST_BYTES_MAX: usize = 255;

type Checked = Result<String, Refusal>;

/// A project's name: the directory of its repository.
pub(super) fn project_name(text: &str) -> Checked {
    let advice = "a name is one directory name, such as `SV` or `kilometro-0`";
    printable_text(text, advice)?;
    if text.trim() != text {
        return Err(Refusal::new(format!("{} has spaces around it", shown(text)), "remove them"));
    }
    if text.contains('/') {
        return Err(Refusal::new(format!("{} is a path, not a name", shown(text)), advice));
    }
    if let Err(bad) = RepoPath::from_spelling(text) {
        return Err(Refusal::new(format!("{} can't name a directory: {bad}", shown(text)), advice));
    }
    if text.starts_with('.') {
        return Err(Refusal::new(
            format!("{} would be hidden", shown(text)),
            "remove the leading dot",
        ));
    }
    Ok(text.to_owned())
}

/// A host's name, as `ssh` would take it, without user and port.
pub(super) fn host(text: &str) -> Checked {
    let host = text.trim();
    let shown_host = shown(host);
    let advice = "write the host's name alone, such as `localhost` or `scott.example.org`";
    printable_text(host, advice)?;
    if host.len() > HOST_BYTES_MAX {
        return Err(Refusal::new("longer than a host's name can be", advice));
    }
    if host.starts_with('-') || host.contains(char::is_whitespace) || host.contains(['/', '\\']) {
        return Err(Refusal::new(format!("{shown_host} is no host's name"), advice));
    }
    let has_port = host.split_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if host.contains('@') || has_port {
        let reason = format!("{shown_host} holds a user or a port");
        return Err(Refusal::new(
            reason,
            "user and port belong in ~/.ssh/config; write the host's name alone",
        ));
    }
    Ok(host.to_owned())
}

/// The name of a ZFS pool, or of a dataset in it.
pub(super) fn pool(text: &str) -> Checked {
    let advice = "write the pool's name as `zpool list` shows it";
    printable_text(text, advice)?;
    if text.starts_with(['-', '/']) || text.contains(char::is_whitespace) {
        return Err(Refusal::new(format!("{} is no pool's name", shown(text)), advice));
    }
    Ok(text.to_owned())
}

/// An absolute path: without `..`, and tidied (one slash between components, none at the end).
pub(super) fn absolute_path(text: &str) -> Checked {
    let advice = "write the whole path from `/` on, such as `/var/repos/dsg`";
    printable_text(text, advice)?;
    if !text.starts_with('/') {
        return Err(Refusal::new(format!("{} is not an absolute path", shown(text)), advice));
    }
    let mut tidy = String::with_capacity(text.len());
    for component in text.split('/').filter(|component| !matches!(*component, "" | ".")) {
        if component == ".." {
            return Err(Refusal::new(format!("{} goes up with `..`", shown(text)), advice));
        }
        if component.len() > COMPONENT_BYTES_MAX {
            return Err(Refusal::new(
                "a part of the path is longer than a file system takes",
                advice,
            ));
        }
        tidy.push('/');
        tidy.push_str(component);
    }
    if tidy.len() > PATH_BYTES_MAX {
        return Err(Refusal::new("the path is longer than a file system takes", advice));
    }
    Ok(if tidy.is_empty() { "/".to_owned() } else { tidy })
}

/// A text of which only is asked that there is one.
pub(super) fn some_text(text: &str) -> Checked {
    printable_text(text, "write a value")?;
    Ok(text.to_owned())
}

/// A data directory: the name that a component of a path must have, or `*`.
pub(super) fn data_dir(text: &str) -> Checked {
    let advice = "list names of directories, such as `input`; they count at any depth, and `\"*\"` stands for all";
    if text.starts_with('.') && text.len() > 1 && text != ".." {
        let reason = format!("{} is hidden, and hidden directories are never shared", shown(text));
        return Err(Refusal::new(reason, "rename the directory, without the leading dot"));
    }
    component(text, advice)
}

/// An ignored name of a file.
pub(super) fn ignored_name(text: &str) -> Checked {
    component(text, "list names of files, such as `.DS_Store`; whole paths go to ignore.paths")
}

/// An ignored ending of file names, with its dot.
pub(super) fn ignored_suffix(text: &str) -> Checked {
    let bare = text.trim_start_matches(['*', '.']);
    let advice = match component(bare, "") {
        Ok(bare) => format!("write {}", shown(&format!(".{bare}"))),
        Err(_) => "write the ending with its dot, such as `.tmp`".to_owned(),
    };
    if !text.starts_with('.') || text.len() < 2 {
        return Err(Refusal::new(
            format!("{} is not a dot and what follows it", shown(text)),
            advice,
        ));
    }
    component(text, &advice)
}

/// An ignored path, relative to the project's root: `./x/` is `x`.
pub(super) fn ignored_path(text: &str) -> Checked {
    let advice = "write the path as seen from the project's root, such as `task1/input/secret.csv`";
    if text.starts_with('/') {
        return Err(Refusal::new(format!("{} is absolute", shown(text)), advice));
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    match RepoPath::from_spelling(&parts.join("/")) {
        Ok(path) => Ok(path.as_str().to_owned()),
        Err(bad) => {
            Err(Refusal::new(format!("{} is no path in the project: {bad}", shown(text)), advice))
        }
    }
}

/// The name of a person, as it stands in the history.
pub(super) fn user_name(text: &str) -> Checked {
    let name = text.trim();
    printable_text(name, "write your name, such as \"Carol Davis\"")?;
    if name.len() > USER_NAME_BYTES_MAX {
        return Err(Refusal::new(
            format!("longer than {USER_NAME_BYTES_MAX} bytes"),
            "write a shorter name",
        ));
    }
    Ok(name.to_owned())
}

/// Who somebody is: written as an e-mail address. Whether it exists is not our business; that it
/// names one person, today and in ten years, is.
pub(super) fn user_id(text: &str) -> Checked {
    let advice = "write your e-mail address, such as you@example.org";
    let id = text.trim();
    printable_text(id, advice)?;
    if id.len() > USER_ID_BYTES_MAX {
        return Err(Refusal::new(format!("longer than {USER_ID_BYTES_MAX} bytes"), advice));
    }
    let well_formed = id.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if !well_formed || id.contains(char::is_whitespace) || id.contains(['<', '>', ',', ';']) {
        return Err(Refusal::new(format!("{} is no e-mail address", shown(id)), advice));
    }
    Ok(id.to_owned())
}

fn printable_text(text: &str, advice: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("it is empty", advice));
    }
    if text.contains(steers_a_terminal) {
        return Err(Refusal::new(format!("{} holds invisible characters", shown(text)), advice));
    }
    Ok(())
}

/// One component of a path, in the normal form in which paths are compared.
fn component(text: &str, advice: &str) -> Checked {
    if text.contains('/') {
        return Err(Refusal::new(format!("{} is a path, not a name", shown(text)), advice));
    }
    match RepoPath::from_spelling(text) {
        Ok(_) => Ok(path::normal(text).into_owned()),
        Err(bad) => Err(Refusal::new(format!("{} can't be a name: {bad}", shown(text)), advice)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(check: impl Fn(&str) -> Checked, texts: &[&str]) {
        for text in texts {
            assert!(check(text).is_ok(), "{text:?}");
        }
    }

    fn refused(check: impl Fn(&str) -> Checked, texts: &[&str]) {
        for text in texts {
            assert!(check(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_project_name_is_one_visible_directory() {
        accepted(project_name, &["SV", "PR-Km0", "kilómetro cero", "a.b", "1.0", "no"]);
        refused(
            project_name,
            &["", " ", ".x", "..", ".", "a/b", "/a", " a", "a\n", "a\0b", "\u{202e}a"],
        );
        refused(project_name, &["x".repeat(256).as_str()]);
    }

    #[test]
    fn a_host_is_a_name_without_user_port_or_options() {
        accepted(
            host,
            &["localhost", " LOCALHOST ", "::1", "fe80::1", "0.0.0.0", "scott.hrdag.org"],
        );
        refused(host, &["", "-oProxyCommand=x", "carol@scott", "scott:22", "a b", "a/b", "a\u{7}"]);
    }

    #[test]
    fn a_mountpoint_is_absolute_and_tidied() {
        assert_eq!(absolute_path("/srv//dsg/./x/"), Ok("/srv/dsg/x".to_owned()));
        assert_eq!(absolute_path("/"), Ok("/".to_owned()));
        refused(absolute_path, &["", "srv", "~/srv", "/srv/../etc", "/a\0", "/a\nb", "//.."]);
    }

    #[test]
    fn what_could_never_match_is_refused() {
        accepted(data_dir, &["*", "input", "año"]);
        refused(data_dir, &["", ".", "..", ".hidden", "input/", "a/b"]);
        accepted(ignored_name, &[".DS_Store", "x y"]);
        refused(ignored_name, &["", "a/b", ".."]);
        accepted(ignored_suffix, &[".tmp", ".RData"]);
        refused(ignored_suffix, &["tmp", "*.tmp", ".", "", ".a/b"]);
        refused(ignored_path, &["", ".", "./", "/etc/passwd", "../x", "a/../b"]);
        assert_eq!(ignored_path("./a//b/"), Ok("a/b".to_owned()));
        let advice = ignored_suffix("*.tmp").unwrap_err().next_step;
        assert_eq!(advice, "write `.tmp`");
    }

    #[test]
    fn names_are_compared_in_one_normal_form() {
        assert_eq!(data_dir("an\u{303}o"), Ok("a\u{f1}o".to_owned()));
        assert_eq!(ignored_path("an\u{303}o/x"), Ok("a\u{f1}o/x".to_owned()));
    }

    #[test]
    fn a_user_id_looks_like_an_e_mail_address() {
        accepted(user_id, &["carol@example.com", " carol@localhost ", "josé@example.org"]);
        refused(
            user_id,
            &["", "carol", "@x", "carol@", "a@b@c", "a b@c", "Carol <c@x>", "a@b\n c"],
        );
        refused(user_id, &[format!("{}@x", "a".repeat(254)).as_str()]);
    }
}
