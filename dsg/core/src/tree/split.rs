//! Where a large directory is cut into objects.
//!
//! The cut is made where the hash of a name says so. It thus depends on the set of names only, and
//! a change moves no cut but those at the names that it adds or removes: neighbours keep their
//! objects. The names' order plays no part in their hashes, so pieces have about 256 members
//! whatever the names look like.

/// A directory, or a level of one, with at most this many members is a single object.
pub(super) const MEMBERS_MAX: usize = 1024;

/// The highest level of branch objects; it is never cut. A directory would need more names than
/// there are to get there.
pub(super) const LEVEL_MAX: u8 = 7;

/// Whether an object of `level` (0 is a leaf) ends after the member with this last name: when the
/// first `level + 1` bytes of the name's plain BLAKE3 hash are zero.
pub(super) fn ends(name: &str, level: u8) -> bool {
    let hash = blake3::hash(name.as_bytes());
    hash.as_bytes().iter().take(usize::from(level) + 1).all(|byte| *byte == 0)
}

/// Cuts the sorted members of a level into those of each object.
pub(super) fn cut<T>(members: Vec<T>, level: u8, last_name: impl Fn(&T) -> &str) -> Vec<Vec<T>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    for member in members {
        let end = ends(last_name(&member), level);
        piece.push(member);
        if end {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_about_256_members_and_a_higher_cut_is_a_lower_one_too() {
        let names: Vec<String> = (0..100_000).map(|number| format!("f{number:06}.csv")).collect();
        let pieces = cut(names.clone(), 0, String::as_str);
        assert!((250..600).contains(&pieces.len()), "{}", pieces.len());
        assert_eq!(pieces.concat(), names);
        for name in &names {
            assert!(!ends(name, 1) || ends(name, 0));
        }
    }
}
