//! Tables as text: columns between tabs, names in the first line that is no comment.

use super::Problem;

/// A text longer than this is no value of any of these tables; it is cut where it is shown.
const SHOWN: usize = 60;

/// Reads lines of a table, having found its columns by name.
#[derive(Debug)]
pub(super) struct Table {
    /// The names each column may have; the first is used to speak of it.
    wanted: &'static [&'static [&'static str]],
    /// Where each wanted column is, once the header was read; `None` for one that is optional and
    /// not there.
    places: Option<Vec<Option<usize>>>,
    /// How many of the wanted columns must be there, counted from the first.
    needed: usize,
    width: usize,
    line: u64,
    comment: Option<char>,
}

/// What a line is.
pub(super) enum Line<'a> {
    /// A comment, without its mark.
    Comment(&'a str),
    /// The header, or nothing.
    Nothing,
    /// A row: the wanted columns in their order, empty where a column is not there.
    Row(Vec<&'a str>),
}

impl Table {
    pub(super) fn new(
        wanted: &'static [&'static [&'static str]],
        needed: usize,
        comment: Option<char>,
    ) -> Self {
        Self { wanted, places: None, needed, width: 0, line: 0, comment }
    }

    pub(super) fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::new(self.line, what)
    }

    pub(super) fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<Line<'a>, Problem> {
        self.line += 1;
        let text = text_of(bytes, self.line)?;
        if text.is_empty() {
            return Ok(Line::Nothing);
        }
        if let Some(comment) = self.comment.and_then(|mark| text.strip_prefix(mark)) {
            return Ok(Line::Comment(comment));
        }
        let fields: Vec<&str> = text.split('\t').collect();
        let Some(places) = &self.places else {
            self.places = Some(self.find(&fields)?);
            self.width = fields.len();
            return Ok(Line::Nothing);
        };
        if fields.len() != self.width {
            let what = format!("{} columns, where the header has {}", fields.len(), self.width);
            return Err(self.problem(what));
        }
        let field = |place: &Option<usize>| {
            place.and_then(|place| fields.get(place).copied()).unwrap_or_default()
        };
        Ok(Line::Row(places.iter().map(field).collect()))
    }

    /// The end: a file without a header is not the file that was meant.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        if self.places.is_none() {
            return Err(self.problem("the file ends before its header"));
        }
        Ok(())
    }

    fn find(&self, header: &[&str]) -> Result<Vec<Option<usize>>, Problem> {
        let mut places = Vec::with_capacity(self.wanted.len());
        for (index, names) in self.wanted.iter().enumerate() {
            let place = header.iter().position(|name| names.contains(name));
            if place.is_none() && index < self.needed {
                let what = format!("the header has no column `{}`", names[0]);
                return Err(self.problem(what));
            }
            places.push(place);
        }
        Ok(places)
    }
}

/// The text of a line, without its end.
pub(super) fn text_of(bytes: &[u8], line: u64) -> Result<&str, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new(line, "it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    // PostgreSQL can't hold it, and no release has it.
    if text.contains('\0') {
        return Err(Problem::new(line, "it has a NUL byte"));
    }
    Ok(text)
}

/// A value as it may stand in a message.
pub(super) fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
}
