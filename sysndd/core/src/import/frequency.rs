//! How often a sign was seen: `7/9`, `33%`, or a term that names a range.

use crate::vocabulary::Modifier;

const OBLIGATE: &str = "HP:0040280";
const VERY_FREQUENT: &str = "HP:0040281";
const FREQUENT: &str = "HP:0040282";
const OCCASIONAL: &str = "HP:0040283";
const VERY_RARE: &str = "HP:0040284";
const EXCLUDED: &str = "HP:0040285";

/// Whether a frequency says that nobody has the sign.
#[must_use]
pub fn is_absent(text: &str) -> bool {
    text.starts_with("0/") || text == "0%" || text == EXCLUDED
}

/// The modifier that a frequency stands for: rare below 5 %, variable below 20 %, else present. A
/// range counts with its lower end; what says nothing, or nothing that can be understood, counts as
/// present, because a source lists what was seen.
#[must_use]
pub fn modifier(text: &str) -> Modifier {
    let (part, whole) = match text {
        OBLIGATE => (100, 100),
        VERY_FREQUENT => (80, 100),
        FREQUENT => (30, 100),
        OCCASIONAL => (5, 100),
        VERY_RARE => (1, 100),
        _ => share(text).unwrap_or((1, 1)),
    };
    // Exact, in whole numbers: 1/20 is not below 5 %.
    let below = |percent: u128| part * 100 < percent * whole;
    if below(5) {
        Modifier::Rare
    } else if below(20) {
        Modifier::Variable
    } else {
        Modifier::Present
    }
}

/// A part of a whole.
fn share(text: &str) -> Option<(u128, u128)> {
    if let Some(percent) = text.strip_suffix('%') {
        let (whole, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
        let scale = 10_u128.pow(u32::try_from(decimals.len()).ok().filter(|digits| *digits <= 15)?);
        return Some((number(whole)? * scale + number(decimals)?, scale * 100));
    }
    let (part, whole) = text.split_once('/')?;
    Some((number(part)?, number(whole)?)).filter(|(_, whole)| *whole > 0)
}

/// Digits, few enough that products of two stay exact.
fn number(text: &str) -> Option<u128> {
    let is_number =
        (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn below_five_percent_is_rare_and_below_twenty_variable() {
        let of = |text| modifier(text).name();
        for text in ["1/21", "4%", "4.99%", VERY_RARE] {
            assert_eq!(of(text), "rare", "{text}");
        }
        for text in ["1/20", "5%", "19.9%", "3/16", OCCASIONAL] {
            assert_eq!(of(text), "variable", "{text}");
        }
        for text in
            ["1/5", "20%", "7/7", "100%", FREQUENT, VERY_FREQUENT, OBLIGATE, "", "often", "3/0"]
        {
            assert_eq!(of(text), "present", "{text}");
        }
    }

    #[test]
    fn only_a_frequency_of_none_is_absent() {
        assert!(["0/7", "0%", EXCLUDED].into_iter().all(is_absent));
        assert!(!["1/7", "0.4%", "10%", "", "00/7"].into_iter().any(is_absent));
    }

    proptest! {
        #[test]
        fn any_text_has_a_modifier(text in "\\PC{0,40}") {
            let _ = modifier(&text);
        }

        #[test]
        fn more_of_the_same_number_is_never_rarer(part in 1_u64..500, more in 0_u64..500, whole in 1_u64..1000) {
            let few = modifier(&format!("{part}/{whole}"));
            let many = modifier(&format!("{}/{whole}", part + more));
            prop_assert!(many <= few);
        }

        #[test]
        fn long_numbers_are_no_reason_to_stop(text in "[0-9]{0,60}[./%]{0,2}[0-9]{0,60}%?") {
            let _ = modifier(&text);
        }
    }
}
