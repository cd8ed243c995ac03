//! Links to other sites about a gene or a disease. Nothing is loaded from there.

use super::address::encoded;
use super::markup::Markup;

/// A named fact: one or several values.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) values: Vec<Markup>,
}

impl Fact {
    pub(crate) fn one(label: &'static str, value: Markup) -> Self {
        Self { label, values: vec![value] }
    }
}

/// A link that leads away; what it shows is the identifier.
pub(crate) fn external(before: &'static str, id: &str, after: &'static str, shown: &str) -> Markup {
    Markup::constant("<a rel=\"external\" href=\"")
        .then(before)
        .then_text(&encoded(id))
        .then(after)
        .then("\">")
        .then_text(shown)
        .then("</a>")
}

/// Where identifiers of a kind lead to.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) label: &'static str,
    before: &'static str,
    after: &'static str,
    /// What stands before an identifier here but not in the other site's address.
    prefix: &'static str,
}

const fn place(
    label: &'static str,
    before: &'static str,
    after: &'static str,
    prefix: &'static str,
) -> Place {
    Place { label, before, after, prefix }
}

pub(crate) const HGNC: Place =
    place("HGNC", "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/", "", "");
pub(crate) const ENTREZ: Place = place("NCBI Gene", "https://www.ncbi.nlm.nih.gov/gene/", "", "");
pub(crate) const ENSEMBL: Place = place("Ensembl", "https://www.ensembl.org/id/", "", "");
pub(crate) const UCSC: Place =
    place("UCSC", "https://genome.ucsc.edu/cgi-bin/hgGene?hgg_gene=", "&db=hg38", "");
pub(crate) const CCDS: Place =
    place("CCDS", "https://www.ncbi.nlm.nih.gov/CCDS/CcdsBrowse.cgi?REQUEST=CCDS&DATA=", "", "");
pub(crate) const UNIPROT: Place =
    place("UniProt", "https://www.uniprot.org/uniprotkb/", "/entry", "");
pub(crate) const OMIM: Place = place("OMIM", "https://www.omim.org/entry/", "", "OMIM:");
pub(crate) const MGI: Place =
    place("MGI (mouse)", "https://www.informatics.jax.org/marker/", "", "");
pub(crate) const RGD: Place =
    place("RGD (rat)", "https://rgd.mcw.edu/rgdweb/report/gene/main.html?id=", "", "RGD:");
pub(crate) const STRING: Place = place("STRING", "https://string-db.org/network/", "", "");
pub(crate) const ALPHAFOLD: Place =
    place("AlphaFold", "https://alphafold.ebi.ac.uk/entry/", "", "");
pub(crate) const MONDO: Place = place("Mondo", "https://monarchinitiative.org/", "", "");
pub(crate) const ORPHANET: Place =
    place("Orphanet", "https://www.orpha.net/en/disease/detail/", "", "Orphanet:");
pub(crate) const DOID: Place = place("DOID", "https://disease-ontology.org/?id=", "", "");
pub(crate) const EFO: Place = place("EFO", "https://www.ebi.ac.uk/ols4/search?q=", "", "");
pub(crate) const HPO: Place = place("HPO", "https://hpo.jax.org/browse/term/", "", "");

/// An identifier with its link.
pub(crate) fn identifier(place: Place, id: &str) -> Markup {
    let there = id.strip_prefix(place.prefix).unwrap_or(id);
    // A version of ours is no part of the number elsewhere.
    let there =
        if place.prefix == OMIM.prefix { there.split('_').next().unwrap_or(there) } else { there };
    external(place.before, there, place.after, id)
}

/// A fact of all identifiers in a column, which joins them; nothing if it is empty.
pub(crate) fn identifiers(place: Place, column: Option<&str>) -> Option<Fact> {
    let values: Vec<_> = column?
        .split(['|', ';'])
        .map(|id| id.trim().trim_matches('"'))
        .filter(|id| !id.is_empty())
        .map(|id| identifier(place, id))
        .collect();
    (!values.is_empty()).then_some(Fact { label: place.label, values })
}

/// The other sites on a gene, found by its symbol or identifiers.
pub(crate) fn resources(symbol: &str, hgnc_id: &str, entrez_id: Option<&str>) -> Vec<Fact> {
    let named =
        |label, before, after, shown| Fact::one(label, external(before, symbol, after, shown));
    let mut facts = vec![
        Fact::one(
            "Curation",
            Markup::group(
                "badges",
                [
                    external("https://search.clinicalgenome.org/kb/genes/", hgnc_id, "", "ClinGen"),
                    external(
                        "https://www.ebi.ac.uk/gene2phenotype/gene/",
                        symbol,
                        "",
                        "Gene2Phenotype",
                    ),
                    external(
                        "https://panelapp.genomicsengland.co.uk/panels/entities/",
                        symbol,
                        "",
                        "PanelApp",
                    ),
                    external("https://gene.sfari.org/database/human-gene/", symbol, "", "SFARI"),
                ],
            ),
        ),
        named("Disease", "https://www.omim.org/search?search=", "", "OMIM"),
        named("Variants", "https://www.ncbi.nlm.nih.gov/clinvar/?term=", "%5Bgene%5D", "ClinVar"),
        named("Population", "https://gnomad.broadinstitute.org/gene/", "", "gnomAD"),
    ];
    if let Some(id) = entrez_id.filter(|id| !id.is_empty()) {
        facts.push(Fact::one(
            "Literature",
            external(
                "https://www.ncbi.nlm.nih.gov/pubmed?LinkName=gene_pubmed&from_uid=",
                id,
                "",
                "PubMed",
            ),
        ));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_leads_to_its_number_there() {
        assert!(identifier(OMIM, "OMIM:312750_2").to_string().contains("/entry/312750\""));
        assert!(identifier(OMIM, "OMIM:312750").to_string().contains(">OMIM:312750<"));
    }

    #[test]
    fn several_identifiers_of_a_column_are_told_apart() {
        let fact = identifiers(UNIPROT, Some("P51608|Q12345")).expect("a fact");
        assert_eq!(fact.values.len(), 2);
        assert!(identifiers(UNIPROT, Some("")).is_none() && identifiers(UNIPROT, None).is_none());
    }
}
