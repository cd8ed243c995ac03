//! Each serving process keeps `instances/<boot id>.json` in the data directory, so that one sees
//! from the host which replicas write there and as whom. It goes when the process ends; of one that
//! was killed it stays, and is removed a day later by whoever starts then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use foundation_runtime::machine;
use serde_json::json;

use crate::state::State;

const FOLDER: &str = "instances";
const EVERY: Duration = Duration::from_secs(60);
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The file of this process; dropped, it is removed.
pub(super) struct Instance {
    path: PathBuf,
}

impl Instance {
    pub(super) fn register(state: &State) -> io::Result<Self> {
        let folder = state.settings.data.join(FOLDER);
        fs::create_dir_all(&folder)?;
        forget(&folder);
        let instance = Self { path: folder.join(format!("{}.json", state.boot_id)) };
        instance.write(state)?;
        Ok(instance)
    }

    /// Says again and again that the process is there.
    pub(super) async fn keep(&self, state: &State) {
        loop {
            tokio::time::sleep(EVERY).await;
            if let Err(error) = self.write(state) {
                let path = self.path.display();
                tracing::warn!(%error, %path, "The file of this process could not be written");
            }
        }
    }

    /// Whole or not at all, as somebody may read it at any moment.
    fn write(&self, state: &State) -> io::Result<()> {
        let body = json!({
            "boot_id": state.boot_id,
            "host": machine::name(),
            "process": std::process::id(),
            "user": machine::user(),
            "group": machine::group(),
            "version": env!("CARGO_PKG_VERSION"),
            "public": state.settings.public.address,
            "operations": state.settings.operations,
            "phase": state.life.phase().name(),
            "seen_at": format!("{:.0}", state.clock.now()),
        });
        let new = self.path.with_extension("json.new");
        fs::write(&new, format!("{body:#}\n"))?;
        fs::rename(&new, &self.path)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes files of processes that have said nothing for a day. By age of the file as the file
/// system knows it, so that a wrong clock of one machine forgets nobody.
fn forget(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        if age.and_then(|modified| modified.elapsed().ok()).is_some_and(|age| age > FORGOTTEN_AFTER)
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_yesterday_are_forgotten_and_those_of_today_stay() {
        let directory = tempfile::tempdir().expect("a directory");
        let (old, new) = (directory.path().join("a.json"), directory.path().join("b.json"));
        for path in [&old, &new] {
            fs::write(path, "{}").expect("a file");
        }
        let file = fs::File::options().write(true).open(&old).expect("a file");
        let before = file.metadata().and_then(|metadata| metadata.modified()).expect("a time");
        file.set_modified(before - FORGOTTEN_AFTER * 2).expect("an older time");
        forget(directory.path());
        assert!(!old.exists());
        assert!(new.exists());
    }
}
