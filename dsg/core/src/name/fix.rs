//! One name without its faults.
//!
//! All rules at once, so that what comes out is good and is its own fix; the legacy tool applied
//! one rule per run.

use std::borrow::Cow;

use super::{BadName, is_backup_name, is_illegal, is_reserved, is_unprintable, judge, stem};
use crate::path;

/// The name without its faults: normal form C; white space and `~` gone from both ends; illegal
/// and unprintable characters replaced by `_`; `_renamed` appended to a reserved stem. A good name
/// in normal form C is returned as it is, a backup name too.
///
/// # Errors
/// What is left when the rules don't help: the name would be empty, too long, or hidden.
pub fn fix(name: &str) -> Result<Cow<'_, str>, BadName> {
    if is_backup_name(name) || (path::is_normal(name) && judge(name).is_ok()) {
        return Ok(Cow::Borrowed(name));
    }
    let key = path::normal(name);
    // The ends first, so that a tab in front vanishes and does not become a `_`; both kinds at
    // once, for names such as `~ x ~`.
    let bare = key.trim_matches(|c: char| c == '~' || c.is_whitespace());
    let mut fixed: String = bare
        .chars()
        .map(|c| if c == '/' || is_illegal(c) || is_unprintable(c) { '_' } else { c })
        .collect();
    let stem = stem(&fixed);
    if is_reserved(stem) {
        fixed.insert_str(stem.len(), "_renamed");
    }
    judge(&fixed)?;
    if fixed.starts_with('.') && !name.starts_with('.') {
        return Err(BadName::BecomesHidden { name: name.to_owned(), fixed });
    }
    Ok(Cow::Owned(fixed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_fault_of_a_name_is_fixed_at_once() {
        for (bad, good) in [
            ("e\u{301}.csv", "é.csv"),
            ("CON.txt", "CON_renamed.txt"),
            ("\t~ <a\u{200b}b>*.csv ~~", "_a_b__.csv"),
            ("~$report.xlsx", "$report.xlsx"),
            ("~ con ~", "con_renamed"),
            ("a\\b", "a_b"),
            ("c1\u{85}", "c1"),
            ("x~20250713T101112Z~ ", "x~20250713T101112Z"),
            ("x~20250713T101112Z~", "x~20250713T101112Z~"),
        ] {
            assert_eq!(fix(bad).expect(bad), good);
        }
    }

    #[test]
    fn a_name_that_would_be_empty_long_or_hidden_is_left_to_a_person() {
        assert_eq!(fix(" ~ "), Err(BadName::Empty));
        assert!(matches!(fix("~.."), Err(BadName::Relative(_))));
        assert!(matches!(fix(&"x".repeat(256)), Err(BadName::TooLong { .. })));
        assert!(matches!(
            fix(&format!("con.{}", "x".repeat(250))),
            Err(BadName::TooLong { bytes: 262, .. })
        ));
        assert!(matches!(fix("~.git"), Err(BadName::BecomesHidden { .. })));
    }

    proptest! {
        #[test]
        fn fixing_twice_is_fixing_once_and_what_is_fixed_is_good(
            name in prop_oneof![
                any::<String>(),
                "[~ .\\t<\\\\a\u{301}\u{338}\u{958}\u{200b}\u{85}é]{0,8}",
                "[~ ]{0,2}(con|lpt1|Aux)[. ~]{0,2}x?[ ~]{0,2}",
            ]
        ) {
            if let Ok(fixed) = fix(&name) {
                prop_assert_eq!(judge(&fixed), Ok(()));
                prop_assert_eq!(fix(&fixed), Ok(fixed.clone()));
            }
        }
    }
}
