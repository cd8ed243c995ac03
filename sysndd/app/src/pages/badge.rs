//! The small coloured labels: entity, gene, disease, inheritance, category, NDD, modifier, publication.

use super::address::encoded;
use super::icon;
use super::markup::Markup;

/// `sysndd:4`, with a link to the entity.
pub(crate) fn entity(id: i64) -> Markup {
    let id = id.to_string();
    Markup::constant("<a class=\"badge entity\" href=\"/Entities/")
        .then_text(&id)
        .then("\">sysndd:")
        .then_text(&id)
        .then("</a>")
}

/// The gene's symbol, with a link to the gene.
pub(crate) fn gene(symbol: &str) -> Markup {
    Markup::constant("<a class=\"badge gene\" href=\"/Genes/")
        .then_text(&encoded(symbol))
        .then("\">")
        .then_text(symbol)
        .then("</a>")
}

/// The disease's name, cut by the style sheet where there is no room, with a link to the disease.
pub(crate) fn disease(id: &str, name: &str) -> Markup {
    let shown = if name.is_empty() { id } else { name };
    Markup::constant("<a class=\"badge disease\" href=\"/Ontology/")
        .then_text(&encoded(id))
        .then("\" title=\"")
        .then_text(shown)
        .then(" (")
        .then_text(id)
        .then(")\"><span>")
        .then_text(shown)
        .then("</span></a>")
}

/// The mode of inheritance in short, in full for whoever points at it or listens.
pub(crate) fn inheritance(name: &str) -> Markup {
    let (short, full) = (short_inheritance(name), inheritance_word(name));
    Markup::constant("<span class=\"badge inheritance\" title=\"")
        .then_text(name)
        .then("\"><span aria-hidden=\"true\">")
        .then_text(short.unwrap_or(full))
        .then("</span><span class=\"visually-hidden\">")
        .then_text(name)
        .then("</span></span>")
}

/// The mode of inheritance in full.
pub(crate) fn inheritance_in_full(name: &str) -> Markup {
    Markup::constant("<span class=\"badge inheritance\">").then_text(name).then("</span>")
}

fn inheritance_word(name: &str) -> &str {
    name.trim_end_matches(" inheritance")
}

/// The published abbreviations.
fn short_inheritance(name: &str) -> Option<&'static str> {
    Some(match inheritance_word(name) {
        "Autosomal dominant" => "AD",
        "Autosomal recessive" => "AR",
        "X-linked other" | "X-linked" => "Xo",
        "X-linked recessive" => "XR",
        "X-linked dominant" => "XD",
        "Mitochondrial" => "Mit",
        "Somatic mutation" => "Som",
        _ => return None,
    })
}

/// The name that drawings and colours of a category have.
pub(crate) fn category_key(category: &str) -> &'static str {
    match category {
        "Definitive" => "definitive",
        "Moderate" => "moderate",
        "Limited" => "limited",
        "Refuted" => "refuted",
        "not applicable" => "not-applicable",
        _ => "not-listed",
    }
}

fn category_class(category: &str) -> &'static str {
    match category_key(category) {
        "definitive" => "c-definitive",
        "moderate" => "c-moderate",
        "limited" => "c-limited",
        "refuted" => "c-refuted",
        "not-applicable" => "c-not-applicable",
        _ => "c-not-listed",
    }
}

/// A category: its drawing and its name.
pub(crate) fn category(category: &str) -> Markup {
    Markup::constant("<span class=\"category\">")
        .append(&icon::decorative(category_key(category), category_class(category)))
        .then_text(category)
        .then("</span>")
}

/// Whether an entity is a neurodevelopmental disorder.
pub(crate) fn ndd(word: &str) -> Markup {
    let drawing = match word {
        "Yes" => Markup::constant("<span class=\"ndd yes\">").append(&icon::decorative("yes", "")),
        _ => Markup::constant("<span class=\"ndd no\">").append(&icon::decorative("no", "")),
    };
    drawing.then_text(word).then("</span>")
}

/// A phenotype; the modifier is written out unless it is "present".
pub(crate) fn phenotype(term: &str, name: &str, modifier: &str) -> Markup {
    let class = match modifier {
        "uncertain" => "uncertain",
        "variable" => "variable",
        "rare" => "rare",
        "absent" => "absent",
        _ => "present",
    };
    let badge = Markup::constant("<a class=\"badge ")
        .then(class)
        .then("\" rel=\"external\" href=\"https://hpo.jax.org/browse/term/")
        .then_text(term)
        .then("\" title=\"")
        .then_text(term)
        .then("\">")
        .then_text(name);
    let badge = if class == "present" { badge } else { badge.then(" · ").then(class) };
    badge.then("</a>")
}

/// A publication, with a link to PubMed.
pub(crate) fn publication(id: &str) -> Markup {
    let Some(number) = id.strip_prefix("PMID:") else {
        return Markup::constant("<span class=\"badge publication\">")
            .then_text(id)
            .then("</span>");
    };
    Markup::constant(
        "<a class=\"badge publication\" rel=\"external\" href=\"https://pubmed.ncbi.nlm.nih.gov/",
    )
    .then_text(&encoded(number))
    .then("/\">")
    .then_text(id)
    .then("</a>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_told_by_glyph_and_name() {
        let markup = category("Limited").to_string();
        assert!(markup.contains("#i-limited") && markup.contains(">Limited<"), "{markup}");
        assert!(super::icon::SPRITE.contains("id=\"i-limited\""));
    }

    #[test]
    fn a_disease_with_a_slash_in_its_id_keeps_its_address() {
        let markup = disease("OMIM:1/2", "A <b>").to_string();
        assert!(markup.contains("href=\"/Ontology/OMIM:1%2F2\""), "{markup}");
        assert!(markup.contains("A &lt;b&gt;"), "{markup}");
    }

    #[test]
    fn an_inheritance_without_abbreviation_is_written_out() {
        assert!(inheritance("Autosomal dominant inheritance").to_string().contains(">AD<"));
        assert!(inheritance("Digenic inheritance").to_string().contains(">Digenic<"));
    }

    #[test]
    fn a_modifier_is_never_told_by_colour_alone() {
        assert!(phenotype("HP:0001250", "Seizure", "rare").to_string().contains("Seizure · rare"));
        assert!(!phenotype("HP:0001250", "Seizure", "present").to_string().contains("·"));
    }
}
