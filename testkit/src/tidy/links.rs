//! Rule for documents: a link to another file of the repository leads somewhere.

use super::{Problem, Tree};

/// Relative links in documents that lead nowhere.
#[must_use]
pub fn broken_links(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(".md") {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        for (line, target) in links(text) {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            let leads = match resolve(directory, file) {
                Some(place) => tree.holds(&place),
                None => false,
            };
            if !leads {
                problems.push(Problem::new(
                    path,
                    line,
                    format!("the link `{target}` leads nowhere"),
                ));
            }
        }
    }
    problems
}

/// The relative links of a document with their lines: `[text](target)` and `[name]: target`, not
/// in code, and not what rustdoc resolves itself (`crate::clock::Clock`).
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(_)) => fence = mark,
            (Some(open), Some(close)) if open == close => fence = None,
            (None, None) => {
                let prose = without_code(line);
                let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
                let definition = prose
                    .trim_start()
                    .strip_prefix('[')
                    .and_then(|rest| rest.split_once("]:"))
                    .map(|(_, target)| target);
                let targets = inline.chain(definition).filter_map(relative);
                links.extend(targets.map(|target| (number + 1, target)));
            }
            _ => {}
        }
    }
    links
}

/// The target of a link without its title, if it is a path in this repository.
fn relative(target: &str) -> Option<String> {
    let target = target.split_whitespace().next()?.trim_matches(['<', '>']);
    let elsewhere = target.is_empty()
        || target.starts_with('#')
        || target.starts_with("mailto:")
        || target.contains("://")
        || target.contains("::");
    (!elsewhere).then(|| target.to_owned())
}

/// The line with its code spans left out.
fn without_code(line: &str) -> String {
    if line.matches('`').count() % 2 == 1 {
        return line.to_owned();
    }
    line.split('`').step_by(2).collect()
}

/// The path from the root; none when it leaves the root or is absolute.
fn resolve(directory: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut components: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                components.pop()?;
            }
            name => components.push(name),
        }
    }
    Some(components.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, text: &str) -> Vec<usize> {
        let tree = Tree::of(&[(path, text), ("README.md", "# x"), ("docs/format.md", "# y")]);
        broken_links(&tree).iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "[a](format.md#trees) [b](../README.md \"title\") ![c](../docs) [d](.)\n\
                    [e](https://example.org/x.md) [f](#here) [`Clock`](crate::clock::Clock)\n\
                    `[g](nowhere.md)`\n```\n[h](nowhere.md)\n```\n[i]: <../README.md>\n";
        assert_eq!(broken("docs/guide.md", text), [0; 0]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found_with_their_line() {
        let text = "[a](docs/formats.md)\n\n[`b`](x.md) and [c](docs/format.md)\n[d]: gone/\n";
        assert_eq!(broken("guide.md", text), [1, 3, 4]);
    }

    #[test]
    fn a_link_out_of_the_repository_leads_nowhere() {
        assert_eq!(broken("docs/guide.md", "[a](../../x.md)\n[b](/docs/format.md)"), [1, 2]);
    }
}
