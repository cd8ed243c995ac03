//! From text to [`Filter`], in one pass without going back over more than one value.

use super::{
    ALL_VALUES_MAX, BYTES_MAX, Filter, FilterError, Logic, Operation, Problem, TERMS_MAX, Term,
    Token,
};

/// Reads a filter.
pub(super) fn parse(text: &str) -> Result<Filter, FilterError> {
    if text.len() > BYTES_MAX {
        return Err(FilterError::new(Problem::TooLong, text.chars().count(), ""));
    }
    if let Some(before) = text.chars().position(|c| c == '\0') {
        return Err(FilterError::new(Problem::Nul, before, ""));
    }
    let mut reader = Reader { characters: text.chars().collect(), at: 0, all_values: 0 };
    reader.skip_blank();
    let rest: String = reader.characters[reader.at..].iter().collect();
    if rest.is_empty() || rest.trim_end() == "null" {
        return Ok(Filter::NONE);
    }
    reader.filter()
}

struct Reader {
    characters: Vec<char>,
    at: usize,
    /// Values of `all` so far, over all terms.
    all_values: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes a character, with blanks around it, if it is there.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_blank();
        let there = self.peek() == Some(wanted);
        if there {
            self.at += 1;
            self.skip_blank();
        }
        there
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.characters[from..to].iter().collect()
    }

    /// The error at the present place; what stands there is shown up to the next separator.
    fn here(&self, problem: Problem) -> FilterError {
        let end = self.characters[self.at..]
            .iter()
            .position(|c| matches!(c, '(' | ')' | ','))
            .map_or(self.characters.len(), |length| self.at + length.max(1));
        FilterError::new(problem, self.at, &self.text(self.at, end))
    }

    /// A word: an operation, a logic or a column.
    fn word(&mut self) -> Token {
        self.skip_blank();
        let start = self.at;
        while self.peek().is_some_and(|c| !matches!(c, '(' | ')' | ',')) {
            self.at += 1;
        }
        let text = self.text(start, self.at);
        Token { text: text.trim_end().to_owned(), position: start }
    }

    fn filter(&mut self) -> Result<Filter, FilterError> {
        let start = self.at;
        let first = self.word();
        let logic = match first.text.as_str() {
            "and" => Some(Logic::And),
            "or" => Some(Logic::Or),
            "not" => Some(Logic::Not),
            _ => None,
        };
        if logic.is_some() {
            if !self.take('(') {
                return Err(self.here(Problem::Mismatched));
            }
        } else {
            self.at = start;
        }
        let mut terms = vec![self.term()?];
        while self.take(',') {
            if terms.len() == TERMS_MAX {
                return Err(self.here(Problem::TooManyTerms));
            }
            terms.push(self.term()?);
        }
        if logic.is_some() && !self.take(')') {
            return Err(self.here(Problem::Mismatched));
        }
        self.skip_blank();
        match self.peek() {
            None => Ok(Filter { logic: logic.unwrap_or(Logic::And), terms }),
            Some('(' | ')') => Err(self.here(Problem::Mismatched)),
            Some(_) => Err(self.here(Problem::ExpectedTerm)),
        }
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let word = self.word();
        if self.peek() != Some('(') {
            let problem = match self.peek() {
                Some(')') if word.text.is_empty() => Problem::Mismatched,
                _ => Problem::ExpectedTerm,
            };
            return Err(FilterError::at(problem, &word));
        }
        let known = Operation::WORDS.iter().find(|(name, _)| *name == word.text);
        let Some(&(_, operation)) = known else {
            let problem = match word.text.as_str() {
                "and" | "or" | "not" => Problem::Nested,
                "" => Problem::ExpectedTerm,
                _ => Problem::UnknownOperation,
            };
            return Err(FilterError::at(problem, &word));
        };
        self.at += 1;
        let column = self.word();
        match self.peek() {
            None => return Err(self.here(Problem::Mismatched)),
            Some(',') => self.at += 1,
            Some(_) => return Err(self.here(Problem::MissingValue)),
        }
        let mut values = vec![self.value(operation)?];
        while self.peek() == Some(',') {
            self.at += 1;
            values.push(self.value(operation)?);
        }
        if operation == Operation::All {
            self.all_values += values.len();
            if self.all_values > ALL_VALUES_MAX {
                return Err(FilterError::at(Problem::TooManyValues, &word));
            }
        }
        self.at += 1; // The closing parenthesis, where every value ends.
        Ok(Term { operation, column, values })
    }

    /// A value, up to the `,` or `)` after it, which is left there.
    fn value(&mut self, operation: Operation) -> Result<Token, FilterError> {
        self.skip_blank();
        if self.peek() == Some('\'') {
            return self.quoted().ok_or_else(|| self.here(Problem::Unclosed));
        }
        let start = self.at;
        let mut open = 0usize;
        loop {
            match self.peek() {
                None => return Err(self.here(Problem::Mismatched)),
                Some('(') => open += 1,
                Some(')') if open == 0 => break,
                Some(')') => open -= 1,
                Some(',') if open == 0 && operation.takes_several() => break,
                Some(_) => {}
            }
            self.at += 1;
        }
        let text = self.text(start, self.at);
        Ok(Token { text: text.trim_end().to_owned(), position: start })
    }

    /// A value in single quotes, in which two stand for one; none if no quote ends it. An apostrophe
    /// further on in a value is an ordinary character: people search for `Alzheimer's`.
    fn quoted(&mut self) -> Option<Token> {
        let start = self.at;
        let mut text = String::new();
        let mut at = start + 1;
        loop {
            let character = *self.characters.get(at)?;
            at += 1;
            if character != '\'' {
                text.push(character);
            } else if self.characters.get(at) == Some(&'\'') {
                text.push('\'');
                at += 1;
            } else {
                break;
            }
        }
        while self.characters.get(at).is_some_and(|c| c.is_whitespace()) {
            at += 1;
        }
        if !matches!(self.characters.get(at), Some(',' | ')')) {
            return None;
        }
        self.at = at;
        Some(Token { text, position: start })
    }
}
