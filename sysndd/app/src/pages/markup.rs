//! Markup that is already escaped.
//!
//! Templates escape every text. What is put together outside a template, a badge in a table's cell or a
//! chart, is a [`Markup`]; the only way to get a text into one is [`Markup::text`], which escapes it, or
//! [`Markup::constant`], which takes what was written in this program.

use std::fmt::{self, Display, Formatter};

/// A piece of a page, safe to print as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Markup(String);

impl Markup {
    /// Markup written in this program.
    pub(crate) fn constant(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// A text, escaped for content and for quoted attributes.
    pub(crate) fn text(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '&' => escaped.push_str("&amp;"),
                '<' => escaped.push_str("&lt;"),
                '>' => escaped.push_str("&gt;"),
                '"' => escaped.push_str("&quot;"),
                '\'' => escaped.push_str("&#39;"),
                other => escaped.push(other),
            }
        }
        Self(escaped)
    }

    /// This and then markup written in this program.
    pub(crate) fn then(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// This and then a text, escaped.
    pub(crate) fn then_text(self, text: &str) -> Self {
        self.append(&Self::text(text))
    }

    /// This and then other markup.
    pub(crate) fn append(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// This and then attributes, given as `name=value` with blanks between; each value is escaped and quoted.
    pub(crate) fn then_text_attributes(mut self, attributes: &str) -> Self {
        for (position, attribute) in attributes.split(' ').enumerate() {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            if position > 0 {
                self.0.push(' ');
            }
            self = self.then_text(name).then("=\"").then_text(value).then("\"");
        }
        self
    }

    /// All of them, one after the other, in an element with this class.
    pub(crate) fn group(class: &'static str, members: impl IntoIterator<Item = Self>) -> Self {
        let opened = Self::constant("<span class=\"").then(class).then("\">");
        members.into_iter().fold(opened, |group, member| group.append(&member)).then("</span>")
    }
}

impl Display for Markup {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Markup {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_not_leave_its_place() {
        let markup = Markup::constant("<a title=\"").then_text("\"><script>'&").then("\">");
        assert_eq!(markup.to_string(), "<a title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">");
    }
}
