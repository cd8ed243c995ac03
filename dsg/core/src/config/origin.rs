//! Where the values of a project's file come from, for people who ask why something is so.

/// Where the value of a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOrigin {
    /// The key in the new form, such as `repository.host`.
    pub key: String,
    /// Its origin.
    pub origin: Origin,
}

/// An origin of a value in a project's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is written in the file.
    Written {
        /// Under this key, which is another one in the older forms.
        key: String,
        /// In this line, from 1.
        line: Option<u64>,
    },
    /// Not written: the default.
    Default,
    /// Not written, and the old tool took this value: worth a check.
    Assumed,
}

/// Collects origins, one per key: who comes later corrects.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<KeyOrigin>);

impl Origins {
    fn set(&mut self, key: &str, origin: Origin) {
        match self.0.iter_mut().find(|known| known.key == key) {
            Some(known) => known.origin = origin,
            None => self.0.push(KeyOrigin { key: key.to_owned(), origin }),
        }
    }

    pub(super) fn any_assumed(&self) -> bool {
        self.0.iter().any(|known| known.origin == Origin::Assumed)
    }

    pub(super) fn into_list(self) -> Vec<KeyOrigin> {
        self.0
    }

    pub(super) fn written(&mut self, target: &str, key: &str, line: Option<u64>) {
        self.set(target, Origin::Written { key: key.to_owned(), line });
    }

    pub(super) fn defaulted(&mut self, target: &str) {
        self.set(target, Origin::Default);
    }

    pub(super) fn assumed(&mut self, target: &str) {
        self.set(target, Origin::Assumed);
    }
}
