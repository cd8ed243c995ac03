//! The two older forms of `.dsgconfig.yml`: the transport is declared and has a section of its
//! own; older still, the name stands in that section, and `project:` wraps the rest.

use super::error::{ProblemKind, Problems, shown};
use super::origin::Origins;
use super::repository::{FieldReader, RepositoryConfig, ZfsMode, contradiction};
use super::section::{Found, Refusal, Section};
use super::values;

/// The sections of the transports; also the values of `transport`.
pub(super) const TRANSPORTS: [&str; 3] = ["ssh", "rclone", "ipfs"];
/// The pool that the old tool takes when a section `ssh` says `type: zfs`, which can't name one.
pub(super) const ASSUMED_POOL: &str = "dsgdata";

/// What a transport-centric text says.
pub(super) struct Legacy {
    pub(super) repository: Option<RepositoryConfig>,
    /// The name in the transport's section.
    pub(super) name: Option<Found<String>>,
}

/// Reads `transport` and its section.
pub(super) fn read(top: &Section<'_>, origins: &mut Origins, problems: &mut Problems) -> Legacy {
    let nothing = Legacy { repository: None, name: None };
    let Some(found) = top.text("transport", "ssh", problems) else {
        return nothing;
    };
    let Some(transport) = found.checked(problems, transport) else {
        return nothing;
    };
    let transport = transport.value;
    let sections: Vec<&str> = TRANSPORTS.into_iter().filter(|key| top.has(key)).collect();
    match sections.as_slice() {
        [only] if *only == transport => {}
        [] | [_] => {
            let reason = format!("transport is {transport}, and there is no section {transport}");
            contradiction(problems, top.line_of("transport"), reason);
            return nothing;
        }
        several => {
            let reason =
                format!("only one transport can have a section, found {}", several.join(", "));
            contradiction(problems, top.line_of("transport"), reason);
            return nothing;
        }
    }
    let example = "host: localhost, path: /var/repos/dsg, type: xfs";
    let Some(section) = top.section(transport, example, problems) else {
        return nothing;
    };
    let name = section
        .text("name", "SV", problems)
        .and_then(|found| found.checked(problems, values::project_name));
    origins.written("repository.type", "transport", top.line_of("transport"));
    let repository = read_section(&section, transport, origins, problems);
    Legacy { repository, name }
}

fn transport(word: &str) -> Result<&'static str, Refusal> {
    TRANSPORTS.into_iter().find(|known| *known == word).ok_or_else(|| {
        Refusal::new(
            format!("there is no transport {}", shown(word)),
            "remove transport and say where the repository is, for example:\n\
             repository:\n  type: posix\n  host: localhost\n  mountpoint: /var/repos/dsg",
        )
    })
}

fn read_section(
    section: &Section<'_>,
    transport: &str,
    origins: &mut Origins,
    problems: &mut Problems,
) -> Option<RepositoryConfig> {
    let mut fields = FieldReader { section, origins, problems };
    match transport {
        "rclone" => {
            fields.section.refuse_unknown(&["remote", "path", "name"], &[], fields.problems);
            fields.rclone()
        }
        "ipfs" => {
            fields.section.refuse_unknown(&["did", "encrypted", "name"], &[], fields.problems);
            fields.ipfs()
        }
        _ => {
            let elsewhere = ["data_dirs", "ignore"];
            fields.section.refuse_unknown(
                &["host", "path", "type", "name"],
                &elsewhere,
                fields.problems,
            );
            ssh(&mut fields)
        }
    }
}

fn ssh(fields: &mut FieldReader<'_, '_>) -> Option<RepositoryConfig> {
    let host = fields.host();
    let mountpoint = fields.text("path", "mountpoint", "/var/repos/dsg", values::absolute_path);
    let kind = fields.text("type", "type", "xfs", |word| match word {
        "zfs" | "xfs" => Ok(word.to_owned()),
        _ => Err(Refusal::new(
            format!("there is no type {} in this form of the file", shown(word)),
            "write zfs or xfs, or use the section repository, which knows more types",
        )),
    });
    let (host, mountpoint) = (host?, mountpoint?);
    if kind? == "xfs" {
        return Some(RepositoryConfig::Xfs { host, mountpoint });
    }
    fields.origins.assumed("repository.pool");
    let (pool, mode) = (ASSUMED_POOL.to_owned(), ZfsMode::default());
    Some(RepositoryConfig::Zfs { host, pool, mountpoint, mode })
}

/// Notes that `repository` stands beside keys of the older form.
pub(super) fn refuse_beside_repository(top: &Section<'_>, problems: &mut Problems) {
    let others: Vec<&str> =
        ["transport"].into_iter().chain(TRANSPORTS).filter(|key| top.has(key)).collect();
    let Some(first) = others.first() else { return };
    let reason = format!(
        "repository says where the repository is, and so does the older {}",
        others.join(", ")
    );
    let next_step = format!("keep repository and remove {}", others.join(", "));
    problems.add(top.line_of(first), ProblemKind::Contradiction { reason }, next_step);
}
