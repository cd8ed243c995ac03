//! Search as people type it, in three ways.
//!
//! - [`Index::search`] is the published one: the nearest by Jaro–Winkler distance, ten at least,
//!   whether they resemble the word or not.
//! - [`Index::suggest`] is the published one of a box with choices: what has the word in it, then the
//!   nearest.
//! - [`Index::find`] is for people: what has all words in it, then what is spelt nearly so, and nothing
//!   else. The distance between a word and a long name says little: `encephalopathy` is nearer to
//!   `esophageal cancer` than to `Developmental and epileptic encephalopathy 2`.
//!
//! Comparing a word with everything in a database takes long, so an [`Index`] finds candidates
//! first: what shares trigrams with the word. It is built once for each state of the data and holds
//! every text once, folded.

use std::collections::HashMap;

use crate::fold::folded;

/// How near a text must be to be found, if there are [`RESULTS_MIN`] of them.
pub const DISTANCE_MAX: f64 = 0.1;
/// How near a whole text must be to be taken for a misspelling.
const MISSPELT: f64 = 0.12;
/// How near each word must be to one of the text's, and how long it must be to be taken for misspelt.
const WORD_MISSPELT: f64 = 0.1;
const WORD_CHARACTERS_MIN: usize = 5;
/// Candidates that are looked at word by word: what is spelt nearly so shares most trigrams.
const MISSPELT_CANDIDATES_MAX: usize = 200;
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

    /// The texts that have all words of what was typed in them, those that have it as it was typed
    /// first; then those in which every word is spelt nearly so. What is equal and no number is found
    /// alone. Nonsense finds nothing.
    #[must_use]
    pub fn find(&self, typed: &str, most: usize) -> Vec<Found<T>> {
        let typed: String = folded(typed).chars().take(TERM_CHARACTERS_MAX).collect();
        let words: Vec<&str> = typed.split(' ').filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let mut ranked: Vec<(Likeness, f64, usize)> = Vec::new();
        for (place, number) in self.candidates(&typed).into_iter().enumerate() {
            let text = &self.texts[number].folded;
            let distance = distance(&typed, text);
            let likeness = with_words(&typed, &words, text).or_else(|| {
                let nearly = || words.iter().all(|word| has_nearly(text, word));
                let found = distance < MISSPELT || (place < MISSPELT_CANDIDATES_MAX && nearly());
                found.then_some(Likeness::Misspelt)
            });
            ranked.extend(likeness.map(|likeness| (likeness, distance, number)));
        }
        ranked.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let numeric = typed.bytes().all(|byte| byte.is_ascii_digit());
        let equal = ranked.iter().take_while(|(how, ..)| *how == Likeness::Equal).count();
        ranked.truncate(if equal > 0 && !numeric { equal.min(most) } else { most });
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

/// How a text has in it what was typed, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Equal,
    /// A word of the text begins with it.
    AtWord,
    Within,
    /// Each word, somewhere.
    AllWords,
    Misspelt,
}

/// How a text has the words in it, if it has them.
fn with_words(typed: &str, words: &[&str], text: &str) -> Option<Likeness> {
    let at_word = |at: usize| text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    if typed == text {
        Some(Likeness::Equal)
    } else if text.match_indices(typed).any(|(at, _)| at_word(at)) {
        Some(Likeness::AtWord)
    } else if text.contains(typed) {
        Some(Likeness::Within)
    } else if words.iter().all(|word| text.contains(word)) {
        Some(Likeness::AllWords)
    } else {
        None
    }
}

/// Whether a text has a word, or one that is spelt nearly so.
fn has_nearly(text: &str, word: &str) -> bool {
    let long = word.chars().count() >= WORD_CHARACTERS_MIN;
    text.contains(word)
        || (long && text.split(' ').any(|other| distance(word, other) < WORD_MISSPELT))
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
    fn what_has_the_words_comes_first_and_nonsense_finds_nothing() {
        let names = [
            "ZEB2",
            "ZNHIT3",
            "esophageal cancer",
            "Developmental and epileptic encephalopathy 2",
            "Encephalopathy, lethal",
            "Kabuki syndrome 2",
            "KBG syndrome",
            "Autoencephalopathy",
            "2",
        ];
        let index = Index::new(names.map(|name| (name.to_owned(), name)));
        let found = |typed: &str| -> Vec<&str> {
            index.find(typed, 10).into_iter().map(|found| found.item).collect()
        };
        assert_eq!(found("encephalopathy"), [names[4], names[3], names[7]]);
        assert_eq!(found("syndrome 2"), ["Kabuki syndrome 2"]);
        assert_eq!(found("2 kabuki"), ["Kabuki syndrome 2"]);
        assert_eq!(found("encefalopathy epileptic"), [names[3]]);
        assert_eq!(found("zeb2"), ["ZEB2"]);
        assert_eq!(found("2")[0], "2");
        assert!(found("2").len() > 1, "a number may be a part of what is meant");
        assert!(found("zzzzzqqq").is_empty() && found(" ").is_empty());
        assert_eq!(index.find("encephalopathy", 1).len(), 1);
    }

    #[test]
    fn nothing_finds_nothing() {
        assert!(found("").is_empty());
        assert!(found(" \u{0}\u{200b}").is_empty() || !found("x").is_empty());
        assert!(Index::<u8>::new([]).search("abc").is_empty());
    }
}
