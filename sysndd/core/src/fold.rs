//! Text as a search compares it: without case and accents, the same in every database.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Folds a text: compatibility forms taken apart, accents dropped, lower case, single spaces.
#[must_use]
pub fn folded(text: &str) -> String {
    let letters = text.nfkd().filter(|letter| !is_combining_mark(*letter));
    let lower: String = letters.flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_accents_and_spaces_make_no_difference() {
        assert_eq!(folded("  Sjögren–Larsson\tSYNDROME "), "sjogren–larsson syndrome");
        assert_eq!(folded("ﬁbrosis"), "fibrosis");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
