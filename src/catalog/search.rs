//! Finds items by words. Chinese is written without spaces, so the search looks for the whole query first, and then for
//! all words of the query. If an item contains neither, the search compares the pairs of neighbouring characters of
//! query and name: 补领驾驶证 finds 补领机动车驾驶证.

use std::collections::HashSet;

/// The searchable texts of all items.
#[derive(Debug, Default)]
pub struct SearchIndex {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    names: String,
    /// The item's code, the name of its result and the name of its agency.
    rest: String,
    pairs: HashSet<(char, char)>,
}

/// How well an item matches a query. Higher is better; 0 is no match.
pub type Score = u32;

const IN_NAME: Score = 1000;
const IN_REST: Score = 500;
/// The minimum share of a query's character pairs, in percent, that a name must contain to match.
const ENOUGH: usize = 50;

impl SearchIndex {
    /// Adds the next item. `rest` are other texts that a query may match, with a lower score than a match in `names`.
    pub fn push(&mut self, names: &[&str], rest: &[&str]) {
        let names = plain(&names.join("\n"));
        let pairs = pairs(&names).collect();
        self.entries.push(Entry { names, rest: plain(&rest.join("\n")), pairs });
    }

    pub fn score(&self, at: usize, query: &Query) -> Score {
        let Some(entry) = self.entries.get(at) else { return 0 };
        if query.asks_nothing || (!query.words.is_empty() && entry.names.contains(&query.text)) {
            return IN_NAME;
        }
        let holds_all_words = |text: &str| query.words.len() > 1 && query.words.iter().all(|word| text.contains(word));
        if holds_all_words(&entry.names) {
            return IN_NAME - 1;
        }
        if query.words.is_empty() {
            return 0;
        }
        if entry.rest.contains(&query.text) || holds_all_words(&format!("{}\n{}", entry.names, entry.rest)) {
            return IN_REST;
        }
        let shared = query.pairs.iter().filter(|pair| entry.pairs.contains(pair)).count();
        let share = shared * 100 / query.pairs.len().max(1);
        if share >= ENOUGH { u32::try_from(share).unwrap_or(0) } else { 0 }
    }
}

/// A query, parsed once for all items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// True if the query is blank: it matches every item. A query of punctuation alone is not blank and matches none.
    asks_nothing: bool,
    text: String,
    words: Vec<String>,
    pairs: Vec<(char, char)>,
}

impl Query {
    pub fn new(text: &str) -> Self {
        let asks_nothing = text.trim().is_empty();
        let text = plain(text).trim().to_owned();
        let words = text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // Only pairs of Chinese characters are compared: any two English texts share some pairs of letters.
        let pairs = pairs(&text).filter(|(a, b)| !a.is_ascii() && !b.is_ascii()).collect();
        Self { asks_nothing, text, words, pairs }
    }
}

/// Normalises a text: lower case, half-width, and a space for every character that is not a letter, a digit, a hyphen
/// or a line break.
fn plain(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    };
    let letter = |c: char| if c.is_alphanumeric() || c == '\n' || c == '-' { c } else { ' ' };
    text.chars().map(narrow).map(letter).flat_map(char::to_lowercase).collect()
}

fn pairs(text: &str) -> impl Iterator<Item = (char, char)> {
    let letters: Vec<char> = text.chars().collect();
    let pairs: Vec<_> = letters.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().filter(|(a, b)| a.is_alphanumeric() && b.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(query: &str) -> Vec<usize> {
        let mut index = SearchIndex::default();
        index.push(&["补领机动车驾驶证", "Replacement of a lost driving licence"], &["JT-0050", "公安局"]);
        index.push(&["机动车驾驶证期满换证", "Renewal of a driving licence"], &["JT-0049", "公安局"]);
        index.push(&["居住证申领", "Application for a residence permit"], &["JT-0045", "公安局"]);
        let query = Query::new(query);
        let mut hits: Vec<_> = (0..3).map(|at| (index.score(at, &query), at)).filter(|(score, _)| *score > 0).collect();
        hits.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
        hits.into_iter().map(|(_, at)| at).collect()
    }

    #[test]
    fn chinese_is_found_as_a_whole_and_by_pairs() {
        assert_eq!(found("驾驶证"), [0, 1]);
        assert_eq!(found("补领驾驶证"), [0, 1], "the better match comes first");
        assert_eq!(found("居住证"), [2]);
        assert_eq!(found("证"), [0, 1, 2]);
        assert_eq!(found("营业执照"), [] as [usize; 0]);
    }

    #[test]
    fn english_codes_and_agencies_are_found() {
        assert_eq!(found("Driving Licence"), [0, 1]);
        assert_eq!(found("licence renewal"), [1]);
        assert_eq!(found("ＪＴ－００４５"), [2]);
        assert_eq!(found("公安局"), [0, 1, 2]);
        assert_eq!(found("passport"), [] as [usize; 0]);
        assert_eq!(found("  "), [0, 1, 2], "a blank query finds everything");
        assert_eq!(found("##"), [] as [usize; 0], "punctuation alone finds nothing");
        assert_eq!(found("【居住证】"), [2], "punctuation around words is ignored");
    }
}
