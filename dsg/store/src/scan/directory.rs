//! One directory of a walk: its names, each compared with the index entry of the same name.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use dsg_core::compare::LocalEntry;
use dsg_core::link;
use dsg_core::name::{self, display_safe};
use dsg_core::path::{RepoPath, normal};
use dsg_core::tracked::FileVerdict;

use super::index::RawEntry;
use super::walk::{Child, Place, Walk};
use super::{Found, IndexEntry, LocalChange, Relation, Seen, Unknown, UnknownReason, Updates};
use crate::error::Result;
use crate::system::{Directory, Kind, Parents, Status, present};

/// The names of a directory, in one buffer.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    items: Vec<(u32, u32, Option<Kind>)>,
}

impl Names {
    fn get(&self, item: &(u32, u32, Option<Kind>)) -> &[u8] {
        &self.bytes[item.0 as usize..item.1 as usize]
    }
}

fn list(directory: &Directory) -> crate::system::Result<Names> {
    let mut names = Names::default();
    directory.visit(&mut |name, kind| {
        let bytes = name.as_bytes();
        if bytes.first() != Some(&b'.') {
            let start = u32::try_from(names.bytes.len()).unwrap_or(u32::MAX);
            names.bytes.extend_from_slice(bytes);
            let end = u32::try_from(names.bytes.len()).unwrap_or(u32::MAX);
            names.items.push((start, end, kind));
        }
    })?;
    let Names { bytes, items } = &mut names;
    items.sort_unstable_by(|a, b| {
        bytes[a.0 as usize..a.1 as usize].cmp(&bytes[b.0 as usize..b.1 as usize])
    });
    Ok(names)
}

pub(super) fn one_directory(
    walk: &Walk<'_>,
    place: &Place,
    found: &mut Found,
) -> Result<Vec<Child>> {
    let names = match list(&place.directory) {
        Ok(names) => names,
        Err(error) => {
            found.unknown.push(Unknown {
                path: RepoPath::parse(&place.key).ok(),
                shown: display_safe(&place.at.to_string_lossy()),
                why: UnknownReason::Unreadable(error.source.to_string()),
            });
            return Ok(Vec::new());
        }
    };
    if place.area.inside
        && let Ok(status) = place.directory.own_status()
    {
        found.data_directories.push((place.key.clone(), status.device));
    }
    if place.at.as_os_str() != place.key.as_str() {
        found.spellings.insert(place.key.clone(), place.at.clone().into_os_string());
    }
    let mut visit = DirectoryVisit {
        walk,
        place,
        known: walk.index.entries(&place.key).peekable(),
        updates: Updates::new(),
        keys: HashSet::new(),
        files: HashSet::new(),
        not_spelled_so: Vec::new(),
        found,
        children: Vec::new(),
    };
    for item in &names.items {
        visit.one(OsStr::from_bytes(names.get(item)), item.2);
    }
    Ok(visit.finish())
}

struct DirectoryVisit<'a, 'f> {
    walk: &'a Walk<'a>,
    place: &'a Place,
    known: std::iter::Peekable<super::index::Merged<'a>>,
    /// Index entries that are new or other than they were, by name; `None` for those that go.
    updates: Updates,
    /// Keys seen here that are not the name itself, to find two spellings of one name.
    keys: HashSet<String>,
    /// Those of them that are files and links which take part, and so are in the index.
    files: HashSet<String>,
    /// Index entries of names that are not on disk in this spelling; perhaps in another.
    not_spelled_so: Vec<RawEntry<'a>>,
    found: &'f mut Found,
    children: Vec<Child>,
}

impl<'a> DirectoryVisit<'a, '_> {
    fn unknown(&mut self, name: &OsStr, key: Option<RepoPath>, why: UnknownReason) {
        let shown = display_safe(&self.place.at.join(name).to_string_lossy());
        self.found.unknown.push(Unknown { path: key, shown, why });
    }

    fn one(&mut self, name: &OsStr, kind: Option<Kind>) {
        let Some(text) = name.to_str() else {
            self.not_unicode(name, kind);
            return;
        };
        let kind = match kind {
            Some(kind) => kind,
            None => match present(self.place.directory.status(name)) {
                Ok(Some(status)) => status.kind,
                Ok(None) => return,
                Err(error) => {
                    let key = RepoPath::join(&self.place.key, &normal(text)).ok();
                    self.unknown(name, key, UnknownReason::Unreadable(error.source.to_string()));
                    return;
                }
            },
        };
        if kind == Kind::Directory {
            self.directory(name, text);
            return;
        }
        match self.walk.rules.file(self.place.area, &self.place.key, text) {
            FileVerdict::Tracked => self.file(name, text, kind),
            FileVerdict::Ignored => self.found.ignored += 1,
            FileVerdict::Outside => {}
        }
    }

    /// A name that is no text can't be a key, so nothing of C or R can be meant by it. It is noted
    /// under a key like it, so that its directory is not taken for one that may become a file.
    fn not_unicode(&mut self, name: &OsStr, kind: Option<Kind>) {
        if self.place.area.inside || kind == Some(Kind::Directory) {
            let key = RepoPath::join(&self.place.key, &normal(&name.to_string_lossy())).ok();
            self.unknown(name, key, UnknownReason::Name("the name is not UTF-8".to_owned()));
        }
    }

    fn directory(&mut self, name: &OsStr, text: &str) {
        let Some(area) = self.walk.rules.enter(self.place.area, &self.place.key, text) else {
            return;
        };
        let key_name = normal(text);
        let Ok(key) = RepoPath::join(&self.place.key, &key_name) else {
            self.unknown(name, None, UnknownReason::Name("the path is too long".to_owned()));
            return;
        };
        if self.is_no_spelling(text, &key_name, name) {
            return;
        }
        let mut bad = self.place.bad.clone();
        if bad.is_none()
            && !self.walk.index.has(key.as_str())
            && let Err(why) = name::judge(text)
        {
            bad = Some((key.clone(), why.to_string()));
        }
        self.children.push(Child {
            name: name.to_owned(),
            key: key.as_str().to_owned(),
            area,
            bad,
        });
    }

    /// Two spellings of one name in one directory are one key: neither can be meant. Nor can a name
    /// that is a spelling of a plain ASCII one (U+212A, a sign for Kelvin, is K): everything else
    /// takes an ASCII key for the name on disk.
    fn is_no_spelling(&mut self, text: &str, key: &str, name: &OsStr) -> bool {
        if text.is_ascii() || (!key.is_ascii() && self.keys.insert(key.to_owned())) {
            return false;
        }
        let path = RepoPath::join(&self.place.key, key).ok();
        let why = if key.is_ascii() {
            "it has a character that looks like a plain one but is another"
        } else {
            "another spelling of the same name lies beside it"
        };
        self.unknown(name, path, UnknownReason::Name(why.to_owned()));
        true
    }

    fn file(&mut self, name: &OsStr, text: &str, kind: Kind) {
        if let Some((top, why)) = &self.place.bad {
            let (top, why) = (top.clone(), why.clone());
            let shown = display_safe(top.as_str());
            self.found.unknown.push(Unknown {
                path: Some(top),
                shown,
                why: UnknownReason::Name(why),
            });
            return;
        }
        let known = self.known_as(text);
        let key_name = normal(text);
        if self.is_no_spelling(text, &key_name, name) {
            return;
        }
        if kind == Kind::Other {
            let key = RepoPath::join(&self.place.key, &key_name).ok();
            self.unknown(name, key, UnknownReason::Special);
            return;
        }
        // What C has under this name was judged when it was new.
        if known.as_ref().is_none_or(|known| known.relation() == Relation::Absent)
            && let Err(why) = name::judge(text)
        {
            let key = RepoPath::join(&self.place.key, &key_name).ok();
            self.unknown(name, key, UnknownReason::Name(why.to_string()));
            return;
        }
        match present(self.place.directory.status(name)) {
            Ok(Some(status)) => self.compare(name, text, &key_name, &status, known.as_ref()),
            // It went away between the listing and now: as if it had not been listed.
            Ok(None) => {
                if let Some(known) = known {
                    self.gone(known);
                }
            }
            Err(error) => {
                let key = RepoPath::join(&self.place.key, &key_name).ok();
                self.unknown(name, key, UnknownReason::Unreadable(error.source.to_string()));
            }
        }
    }

    /// The index entry of this name; entries before it are of files that are gone.
    fn known_as(&mut self, text: &str) -> Option<RawEntry<'a>> {
        loop {
            match self.known.peek()?.name.as_bytes().cmp(text.as_bytes()) {
                std::cmp::Ordering::Less => {
                    let gone = self.known.next()?;
                    self.gone(gone);
                }
                std::cmp::Ordering::Equal => return self.known.next(),
                std::cmp::Ordering::Greater => return None,
            }
        }
    }

    fn compare(
        &mut self,
        name: &OsStr,
        text: &str,
        key_name: &str,
        status: &Status,
        known: Option<&RawEntry<'a>>,
    ) {
        if let Some(known) = known
            && known.is_still(status)
        {
            self.accept(text, key_name);
            if status.kind == Kind::Link {
                self.note_whether_dangling(key_name, known.link_text());
            }
            if known.relation() != Relation::Same
                && let Some(seen) = known.to_entry().seen
            {
                self.change(name, key_name, Some(*status), Some(seen.local));
            }
            return;
        }
        let Ok(key) = RepoPath::join(&self.place.key, key_name) else {
            self.unknown(name, None, UnknownReason::Name("the path is too long".to_owned()));
            return;
        };
        let local = match status.kind {
            Kind::Link => match self.link(name, &key) {
                Some(local) => local,
                None => return,
            },
            Kind::File => LocalEntry::File {
                hash: None,
                executable: status.executable(),
                size: status.size,
                modified: status.modified,
            },
            Kind::Directory | Kind::Other => {
                let why = UnknownReason::Unreadable("it changed while it was looked at".to_owned());
                self.unknown(name, Some(key), why);
                return;
            }
        };
        self.accept(text, key_name);
        let relation = match known.map(RawEntry::relation) {
            None | Some(Relation::Absent) => Relation::Absent,
            Some(Relation::Same | Relation::Differs) => Relation::Differs,
        };
        let seen = Seen {
            modified: status.modified,
            changed: status.changed,
            inode: status.inode,
            racy: status.changed >= self.walk.stamp,
            local: local.clone(),
        };
        let entry = IndexEntry { name: text.to_owned(), seen: Some(seen), relation };
        self.updates.set(&entry);
        self.change(name, key_name, Some(*status), Some(local));
    }

    fn accept(&mut self, text: &str, key: &str) {
        self.found.entries += 1;
        if !text.is_ascii() {
            self.files.insert(key.to_owned());
        }
    }

    fn link(&mut self, name: &OsStr, key: &RepoPath) -> Option<LocalEntry> {
        let why = match self.place.directory.link_text(name) {
            Ok(Some(target)) => match link::check(key, &target) {
                Ok(_) => {
                    self.note_whether_dangling(key.name(), &target);
                    return Some(LocalEntry::Link { target: target.into() });
                }
                Err(why) => UnknownReason::Link(why.to_string()),
            },
            Ok(None) => UnknownReason::Link("the link's target is not UTF-8".to_owned()),
            Err(error) => UnknownReason::Unreadable(error.source.to_string()),
        };
        self.unknown(name, Some(key.clone()), why);
        None
    }

    /// Looked at each time, also for a link that is as it was: what it leads to may be gone since.
    fn note_whether_dangling(&mut self, key_name: &str, target: &str) {
        if let Ok(key) = RepoPath::join(&self.place.key, key_name)
            && link::resolved(&key, target).is_some_and(|place| !self.leads_somewhere(&place))
        {
            self.found.dangling.push(key);
        }
    }

    fn leads_somewhere(&self, resolved: &str) -> bool {
        let path = Path::new(resolved);
        let parent = path.parent().unwrap_or_else(|| Path::new(""));
        // Most links lead to a neighbour.
        if let (true, Some(name)) =
            (parent.as_os_str() == self.place.key.as_str(), path.file_name())
        {
            return self.place.directory.status(name).is_ok();
        }
        match (self.walk.root.directory(parent), path.file_name()) {
            (Ok(directory), Some(name)) => directory.status(name).is_ok(),
            (Ok(_), None) => true,
            // Behind another link, or not to be read: it is not for us to say that it dangles.
            (Err(error), _) => !error.is_absent() || self.is_link(parent),
        }
    }

    /// Opening a directory that is a link fails as if it were a file.
    fn is_link(&self, path: &Path) -> bool {
        let status = Parents::new(self.walk.root).of(path).and_then(|(at, name)| at.status(name));
        status.is_ok_and(|status| status.kind == Kind::Link)
    }

    fn change(
        &mut self,
        name: &OsStr,
        key_name: &str,
        status: Option<Status>,
        local: Option<LocalEntry>,
    ) {
        if let Ok(path) = RepoPath::join(&self.place.key, key_name) {
            let at = self.place.at.join(name);
            self.found.changes.push(LocalChange::new(path, at, status, local));
        }
    }

    /// Nothing is on disk under the name of an index entry. Another spelling of it may be, and may
    /// come later in the listing.
    fn gone(&mut self, known: RawEntry<'a>) {
        if known.name.is_ascii() {
            self.is_gone(&known);
        } else {
            self.not_spelled_so.push(known);
        }
    }

    fn is_gone(&mut self, known: &RawEntry<'_>) {
        let key_name = normal(known.name).into_owned();
        match gone_entry(known) {
            None => {
                self.updates.remove(known.name);
            }
            Some(entry) => {
                self.change(OsStr::new(known.name), &key_name, None, None);
                if known.to_entry() != entry {
                    self.updates.set(&entry);
                }
            }
        }
    }

    /// Merges what changed into the index entries of this directory, if anything did.
    fn finish(mut self) -> Vec<Child> {
        while let Some(gone) = self.known.next() {
            self.gone(gone);
        }
        for known in std::mem::take(&mut self.not_spelled_so) {
            if self.files.contains(&*normal(known.name)) {
                // The entry of the other spelling says what there is to say.
                self.updates.remove(known.name);
            } else {
                self.is_gone(&known);
            }
        }
        if !self.updates.is_empty() {
            self.found.records.insert(self.place.key.clone(), self.updates);
        }
        self.children
    }
}

/// What the index says of a path that is no longer on disk; `None` when there is nothing to say.
pub(super) fn gone_entry(known: &RawEntry<'_>) -> Option<IndexEntry> {
    match known.relation() {
        Relation::Absent => None,
        Relation::Same | Relation::Differs => Some(IndexEntry {
            name: known.name.to_owned(),
            seen: None,
            relation: Relation::Differs,
        }),
    }
}
