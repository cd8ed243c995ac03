//! The language by its edge cases.

use proptest::prelude::*;

use super::interpret::{Cell, Record, passes};
use super::*;
use crate::list::{ENTITY, GENE, PHENOTYPE};

fn parsed(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> FilterError {
    let checked = Filter::parse(text).and_then(|filter| filter.check(&ENTITY).map(|()| filter));
    checked.expect_err(text)
}

fn record(cells: &[(&str, Cell)]) -> Record {
    let cells = cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect();
    Record { cells, group: Vec::new() }
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn rett() -> Record {
    record(&[
        ("entity_id", Cell::Integer(12)),
        ("symbol", text("MECP2")),
        ("disease_ontology_name", text("Rett syndrome, type (1)")),
        ("hpo_mode_of_inheritance_term_name", text("X-linked dominant inheritance")),
        ("ndd_phenotype_word", text("Yes")),
        ("entry_date", text("2010-12-10")),
        ("category", text("Definitive")),
        ("synopsis", Cell::Null),
    ])
}

fn finds(filter: &str) -> bool {
    let filter = parsed(filter);
    filter.check(&ENTITY).unwrap_or_else(|error| panic!("{error}"));
    passes(&filter, &ENTITY, &rett())
}

#[test]
fn nothing_and_the_word_null_are_no_filter() {
    for text in ["", "  ", "null", " null "] {
        assert!(parsed(text).is_empty());
    }
}

#[test]
fn the_filters_of_links_on_the_web_are_understood() {
    for text in [
        "contains(any,autism)",
        "any(category,Definitive)",
        "contains(ndd_phenotype_word,Yes),any(inheritance_filter,Autosomal dominant)",
        "lessThan(entry_date,2025-12-01)",
        "equals(symbol,MECP2)",
        "or(equals(symbol,ARID1B),equals(symbol,CHD8))",
        "not(any(category,Refuted,not applicable))",
        "and( equals( symbol , MECP2 ) , any(category,'Definitive') )",
    ] {
        parsed(text).check(&ENTITY).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    parsed("all(modifier_phenotype_id,HP:0001249,HP:0001250)").check(&PHENOTYPE).expect("known");
    parsed("greaterOrEqual(entities_count,2)").check(&GENE).expect("known");
}

#[test]
fn each_operation_means_what_its_table_says() {
    for (filter, expected) in [
        ("equals(symbol,MECP2)", true),
        ("equals(symbol,mecp2)", false),
        ("equals(symbol,MECP)", false),
        ("contains(symbol,ecp)", true),
        ("contains(any,RETT)", true),
        ("any(category,Moderate,Definitive)", true),
        ("any(category,Def)", false),
        ("any(hpo_mode_of_inheritance_term_name,X-linked dominant)", true),
        ("equals(hpo_mode_of_inheritance_term_name,X-linked dominant)", false),
        ("all(category,Definitive)", true),
        ("all(category,Definitive,Moderate)", false),
        ("lessThan(entry_date,2011-01-01)", true),
        ("lessThan(entry_date,2010-12-10)", false),
        ("lessThanOrEqual(entry_date,2010-12-10)", true),
        ("greaterThan(entity_id,9)", true),
        ("greaterThan(entity_id,11.5)", true),
        ("lessThan(entity_id,12.5)", true),
        ("greaterOrEqual(entity_id,12.5)", false),
        ("lessOrEqual(entity_id,99999999999999999999)", true),
        ("equals(entity_id,012)", false),
        ("contains(entity_id,1)", true),
        ("equals(any,12)", true),
        ("contains(all,e)", false),
        ("or(equals(symbol,CHD8),equals(symbol,MECP2))", true),
        ("equals(symbol,CHD8),equals(symbol,MECP2)", false),
        ("not(equals(symbol,CHD8),equals(symbol,MECP2))", true),
        ("not(equals(symbol,MECP2))", false),
    ] {
        assert_eq!(finds(filter), expected, "{filter}");
    }
}

#[test]
fn a_term_on_a_column_without_a_value_is_false_so_not_includes_the_row() {
    assert!(!finds("contains(synopsis,)"));
    assert!(!finds("lessThan(synopsis,zzz)"));
    assert!(finds("not(contains(synopsis,seizures))"));
}

#[test]
fn one_value_may_have_commas_parentheses_and_apostrophes() {
    for filter in [
        "equals(disease_ontology_name,Rett syndrome, type (1))",
        "equals(disease_ontology_name,'Rett syndrome, type (1)')",
        "any(disease_ontology_name,'Rett syndrome, type (1)','b')",
        "contains(disease_ontology_name,syndrome, type)",
    ] {
        assert!(finds(filter), "{filter}");
    }
    let value = |filter: &str| parsed(filter).terms[0].values[0].text.clone();
    assert_eq!(value("contains(symbol,Alzheimer's)"), "Alzheimer's");
    assert_eq!(value("contains(symbol,'''')"), "'");
    assert_eq!(value("contains(symbol,'it''s')"), "it's");
    assert_eq!(value("contains(symbol,' a ')"), " a ");
    assert_eq!(value("contains(symbol,a%_\\\n\"b)"), "a%_\\\n\"b");
}

#[test]
fn errors_point_at_the_token() {
    let place = |text: &str| {
        let error = refused(text);
        (error.problem, error.position, error.token)
    };
    assert_eq!(place("equals(symbol,MECP2"), (Problem::Mismatched, 19, String::new()));
    assert_eq!(place("equals(symbol,MECP2))"), (Problem::Mismatched, 20, ")".to_owned()));
    assert_eq!(place("or(equals(symbol,A)"), (Problem::Mismatched, 19, String::new()));
    assert_eq!(place("system(1,2)"), (Problem::UnknownOperation, 0, "system".to_owned()));
    let (problem, position, token) = place("equals(symbol,é),equals(password,x)");
    assert!(matches!(problem, Problem::UnknownColumn { known } if known.contains("hgnc_id")));
    assert_eq!((position, token.as_str()), (24, "password"));
    assert_eq!(place("equals(symbol)"), (Problem::MissingValue, 13, ")".to_owned()));
    assert_eq!(place("MECP2"), (Problem::ExpectedTerm, 0, "MECP2".to_owned()));
    assert_eq!(place("equals(symbol,A) x"), (Problem::ExpectedTerm, 17, "x".to_owned()));
    assert_eq!(place("and(or(equals(symbol,A)))"), (Problem::Nested, 4, "or".to_owned()));
    for open in ["equals(symbol,'ARX)", "any(symbol,'ARX,'MECP2')", "contains(symbol,')"] {
        let (problem, position, token) = place(open);
        assert_eq!((problem, Some(position)), (Problem::Unclosed, open.find('\'')));
        assert!(token.starts_with('\''), "{token}");
    }
    assert_eq!(place("equals(entity_id,NaN)"), (Problem::NotNumber, 17, "NaN".to_owned()));
    assert_eq!(place("any(entity_id,1,x)"), (Problem::NotNumber, 16, "x".to_owned()));
    assert_eq!(place("lessThan(entity_id,abc)"), (Problem::NotNumber, 19, "abc".to_owned()));
    assert_eq!(place("equals(symbol,a\0b)").0, Problem::Nul);
    assert_eq!(place("equals(hash,00ff)").0, Problem::HashNotFound);
    assert!(refused("equals(hash,00ff)").to_string().starts_with("Hash not found."));
    assert!(
        refused("equals(symbol,MECP2")
            .to_string()
            .starts_with("Malformed filter expression: mismatched parentheses")
    );
    let ordered = parsed("lessThan(modifier_phenotype_id,HP:1)").check(&PHENOTYPE);
    assert_eq!(ordered.expect_err("a list").problem, Problem::NoOrder);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_read() {
    let long = format!("equals(symbol,{})", "x".repeat(BYTES_MAX));
    assert_eq!(refused(&long).problem, Problem::TooLong);
    let term = "equals(symbol,A)";
    assert_eq!(parsed(&vec![term; TERMS_MAX].join(",")).terms.len(), TERMS_MAX);
    assert_eq!(refused(&vec![term; TERMS_MAX + 1].join(",")).problem, Problem::TooManyTerms);
    let values = format!("all(symbol{})", ",A".repeat(ALL_VALUES_MAX + 1));
    assert_eq!(refused(&values).problem, Problem::TooManyValues);
}

#[test]
fn a_term_that_is_absent_is_found_only_when_asked_for_by_name() {
    let terms = vec![(1, "HP:0001250".to_owned()), (5, "HP:0001249".to_owned())];
    let record = record(&[("modifier_phenotype_id", Cell::Terms(terms))]);
    for (filter, expected) in [
        ("all(modifier_phenotype_id,HP:0001250)", true),
        ("all(modifier_phenotype_id,HP:0001249,HP:0001250)", false),
        ("any(modifier_phenotype_id,HP:0001249,HP:0001250)", true),
        ("any(modifier_phenotype_id,HP:0001249)", false),
        ("any(modifier_phenotype_id,5-HP:0001249)", true),
        ("all(modifier_phenotype_id,1-HP:0001250,5-HP:0001249)", true),
        ("contains(modifier_phenotype_id,hp:000125)", true),
        ("contains(modifier_phenotype_id,HP:0001249)", false),
        ("contains(modifier_phenotype_id,5-HP:0001249)", true),
        ("not(contains(modifier_phenotype_id,HP:0001249))", true),
    ] {
        assert_eq!(passes(&parsed(filter), &PHENOTYPE, &record), expected, "{filter}");
    }
}

#[test]
fn all_on_a_gene_asks_its_entities_together() {
    let row = |name: &str| {
        [("hpo_mode_of_inheritance_term_name".to_owned(), text(name))].into_iter().collect()
    };
    let dominant =
        record(&[("hpo_mode_of_inheritance_term_name", text("Autosomal dominant inheritance"))]);
    let group = vec![row("Autosomal dominant inheritance"), row("Autosomal recessive inheritance")];
    let gene = Record { group, ..dominant };
    let both = "all(hpo_mode_of_inheritance_term_name,Autosomal dominant,Autosomal recessive)";
    assert!(passes(&parsed(both), &GENE, &gene));
    let three = "all(hpo_mode_of_inheritance_term_name,Autosomal dominant,X-linked dominant)";
    assert!(!passes(&parsed(three), &GENE, &gene));
}

#[test]
fn a_number_is_read_exactly() {
    assert_eq!(bound("12"), Some(Bound::At(12)));
    assert_eq!(bound("+12.0"), Some(Bound::At(12)));
    assert_eq!(bound("-1.5"), Some(Bound::After(-2)));
    assert_eq!(bound(".5"), Some(Bound::After(0)));
    assert_eq!(bound("9".repeat(40).as_str()), Some(Bound::At(i64::MAX)));
    for text in ["", ".", "-", "1e3", "0x1", "1 2", "٣"] {
        assert_eq!(bound(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(filter) = Filter::parse_bytes(&bytes) {
            let _ = filter.check(&ENTITY);
            let _ = passes(&filter, &ENTITY, &rett());
        }
    }

    #[test]
    fn any_words_of_the_language_are_answered(
        parts in proptest::collection::vec(
            prop::sample::select(vec![
                "equals", "any", "all", "not", "or", "(", ")", ",", "'", "''", "symbol", "any",
                " ", "é", "\u{0}", "12", "lessThan", "entity_id", "null", "contains", "\n",
            ]),
            0..30,
        ),
    ) {
        let text = parts.concat();
        match Filter::parse(&text) {
            Ok(filter) => {
                let _ = filter.check(&ENTITY);
                let _ = passes(&filter, &ENTITY, &rett());
            }
            Err(error) => prop_assert!(error.position <= text.chars().count()),
        }
    }

    #[test]
    fn a_quoted_value_comes_back_as_it_was(value in "[^\\x00]{0,40}") {
        let filter = format!("any(symbol,'{}',other)", value.replace('\'', "''"));
        prop_assert_eq!(&parsed(&filter).terms[0].values[0].text, &value);
    }
}
