//! Search as people type it: near spellings, ranked by Jaro–Winkler distance.
//!
//! Comparing a word with everything in a database takes long, so an [`Index`] finds candidates
//! first: what shares trigrams with the word. It is built once for each state of the data and holds
//! every text once, folded.

use std::collections::HashMap;

use crate::fold::folded;

/// How near a text must be to be found, if there are [`RESULTS_MIN`] of them.
pub const DISTANCE_MAX: f64 = 0.1;
/// The results that are given even if they are further away.
pub const RESULTS_MIN: usize = 10;
/// The most results.
pub const RESULTS_MAX: usize = 100;
/// The longest word that is looked for, in characters.
pub const TERM_CHARACTERS_MAX: usize = 200;
/// Candidates that are compared with the word.
const CANDIDATES_MAX: usize = 1_000;
/// Up to this many characters a word has too few trigrams to choose by, and everything is compared.
const SHORT: usize = 2;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// What was put into the index.
    pub item: T,
    /// From 0 (equal) to 1.
    pub distance: f64,
}

#[derive(Clone, Debug)]
struct Text<T> {
    folded: String,
    item: T,
}

/// Texts that can be looked for.
#[derive(Clone, Debug)]
pub struct Index<T> {
    texts: Vec<Text<T>>,
    /// For each trigram the texts that have it, by their number.
    trigrams: HashMap<[char; 3], Vec<u32>>,
}

impl<T: Clone> Index<T> {
    /// Builds an index of texts and what each stands for. Earlier ones come first among equals.
    pub fn new(items: impl IntoIterator<Item = (String, T)>) -> Self {
        let texts: Vec<_> =
            items.into_iter().map(|(text, item)| Text { folded: folded(&text), item }).collect();
        let mut found: HashMap<[char; 3], Vec<u32>> = HashMap::new();
        for (number, text) in (0u32..).zip(&texts) {
            for trigram in trigrams(&text.folded) {
                let numbers = found.entry(trigram).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        for numbers in found.values_mut() {
            numbers.shrink_to_fit();
        }
        Self { texts, trigrams: found }
    }

    /// The number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is nothing to find.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// The texts nearest to a word: all within [`DISTANCE_MAX`], and at least [`RESULTS_MIN`] where
    /// there are as many candidates. A word that is no number and is equal to a text finds just it.
    #[must_use]
    pub fn search(&self, word: &str) -> Vec<Found<T>> {
        let word: String = folded(word).chars().take(TERM_CHARACTERS_MAX).collect();
        if word.is_empty() {
            return Vec::new();
        }
        let mut ranked: Vec<(f64, usize)> = self
            .candidates(&word)
            .into_iter()
            .map(|number| (distance(&word, &self.texts[number].folded), number))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let numeric = word.bytes().all(|byte| byte.is_ascii_digit());
        let exact = ranked.iter().take_while(|(distance, _)| *distance <= 0.0).count();
        let near = ranked.iter().take_while(|(distance, _)| *distance < DISTANCE_MAX).count();
        let wanted = if exact > 0 && !numeric { exact } else { near.max(RESULTS_MIN) };
        ranked.truncate(wanted.min(RESULTS_MAX));
        ranked
            .into_iter()
            .map(|(distance, number)| Found { item: self.texts[number].item.clone(), distance })
            .collect()
    }

    /// The texts in which a word occurs, the nearest first, then the nearest of all others: what a
    /// box with suggestions shows.
    #[must_use]
    pub fn suggest(&self, word: &str, most: usize) -> Vec<Found<T>> {
        let word: String = folded(word).chars().take(TERM_CHARACTERS_MAX).collect();
        if word.is_empty() {
            return Vec::new();
        }
        let mut ranked: Vec<(bool, f64, usize)> = self
            .candidates(&word)
            .into_iter()
            .map(|number| {
                let text = &self.texts[number].folded;
                (!text.contains(&word), distance(&word, text), number)
            })
            .collect();
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        ranked.truncate(most);
        ranked
            .into_iter()
            .map(|(_, distance, number)| Found { item: self.texts[number].item.clone(), distance })
            .collect()
    }

    /// The texts that share most trigrams with a word.
    fn candidates(&self, word: &str) -> Vec<usize> {
        if word.chars().count() <= SHORT {
            return (0..self.texts.len()).collect();
        }
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for trigram in trigrams(word) {
            for &number in self.trigrams.get(&trigram).map_or(&[][..], Vec::as_slice) {
                *shared.entry(number).or_default() += 1;
            }
        }
        let mut numbers: Vec<(u32, u32)> = shared.into_iter().collect();
        // A short text that shares as much is nearer than a long one; ties by number keep the
        // answer the same each time.
        let length = |number: u32| self.texts[number as usize].folded.len();
        numbers.sort_unstable_by(|a, b| {
            b.1.cmp(&a.1).then_with(|| length(a.0).cmp(&length(b.0))).then(a.0.cmp(&b.0))
        });
        numbers.truncate(CANDIDATES_MAX);
        numbers.into_iter().map(|(number, _)| number as usize).collect()
    }
}

/// The trigrams of a folded text. Two blanks before it give its beginning more weight, as
/// Jaro–Winkler does.
fn trigrams(text: &str) -> impl Iterator<Item = [char; 3]> {
    let mut window = [' ', ' ', ' '];
    text.chars().map(move |next| {
        window = [window[1], window[2], next];
        window
    })
}

fn distance(a: &str, b: &str) -> f64 {
    1.0 - strsim::jaro_winkler(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> Index<&'static str> {
        let names = ["MECP2", "MED12", "MED13", "CHD8", "Rett syndrome", "12", "Straße disease"];
        Index::new(names.map(|name| (name.to_owned(), name)))
    }

    fn found(word: &str) -> Vec<&'static str> {
        index().search(word).into_iter().map(|found| found.item).collect()
    }

    #[test]
    fn an_exact_word_finds_just_itself_whatever_its_case() {
        assert_eq!(found("mecp2"), ["MECP2"]);
        assert_eq!(found(" Rett  Syndrome "), ["Rett syndrome"]);
    }

    #[test]
    fn a_number_finds_its_neighbours_too() {
        assert_eq!(found("12")[0], "12");
        assert!(found("12").contains(&"MED12"));
    }

    #[test]
    fn a_wrong_letter_is_forgiven() {
        assert_eq!(found("MECP3")[0], "MECP2");
        assert_eq!(found("ret syndrom")[0], "Rett syndrome");
    }

    #[test]
    fn suggestions_have_the_word_in_them_first() {
        let names: Vec<_> = index().suggest("med1", 3).into_iter().map(|f| f.item).collect();
        assert_eq!(names, ["MED12", "MED13", "MECP2"]);
        let names: Vec<_> = index().suggest("synd", 1).into_iter().map(|f| f.item).collect();
        assert_eq!(names, ["Rett syndrome"]);
    }

    #[test]
    fn nothing_finds_nothing() {
        assert!(found("").is_empty());
        assert!(found(" \u{0}\u{200b}").is_empty() || !found("x").is_empty());
        assert!(Index::<u8>::new([]).search("abc").is_empty());
    }
}
