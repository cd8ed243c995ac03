//! What entities refer to: the account, terms, genes, diseases, publications, sources. Each row is
//! written only if it is new or differs.

use std::collections::BTreeSet;

use foundation_durable::{Error, Statement, Transaction, Value};
use sysndd_core::fold::folded;
use sysndd_core::import::locus::Locus;
use sysndd_core::import::plan::Plan;
use sysndd_core::term::Term;
use sysndd_core::vocabulary::{INHERITANCE, InheritanceGroup, PHENOTYPES};

use super::Release;
use crate::ids::{Ids, Sequence};

const ACCOUNT: Statement = Statement {
    name: "import account",
    sql: "SELECT user_id FROM sysndd_user WHERE user_name = $1",
};

const ADD_ACCOUNT: Statement = Statement {
    name: "import add account",
    sql: "INSERT INTO sysndd_user (user_id, user_name, user_role, comment, approved, is_system, may_sign_in, created_at)
        VALUES ($1, $2, 'Viewer', 'Author of imported reviews and statuses; nobody signs in with it.', 0, 1, 0, $3)",
};

const TERM: Statement = Statement {
    name: "import term",
    sql: "INSERT INTO hpo_term (hpo_id, hpo_name, is_obsolete) VALUES ($1, $2, $3)
        ON CONFLICT (hpo_id) DO UPDATE SET hpo_name = excluded.hpo_name, is_obsolete = excluded.is_obsolete
        WHERE hpo_term.hpo_name <> excluded.hpo_name OR hpo_term.is_obsolete <> excluded.is_obsolete",
};

const INHERITANCE_TERM: Statement = Statement {
    name: "import inheritance",
    sql: "INSERT INTO mode_of_inheritance_list
            (hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, inheritance_filter, inheritance_short_text, is_active, sort, update_date)
        VALUES ($1, $2, $3, $4, 0, 100, $5) ON CONFLICT (hpo_mode_of_inheritance_term) DO NOTHING",
};

const PHENOTYPE: Statement = Statement {
    name: "import phenotype",
    sql: "UPDATE phenotype_list SET hpo_term = $2, hpo_term_definition = COALESCE($3, hpo_term_definition), hpo_term_synonyms = COALESCE($4, hpo_term_synonyms)
        WHERE phenotype_id = $1 AND (hpo_term <> $2 OR hpo_term_definition IS DISTINCT FROM COALESCE($3, hpo_term_definition)
            OR hpo_term_synonyms IS DISTINCT FROM COALESCE($4, hpo_term_synonyms))",
};

const GENE: Statement = Statement {
    name: "import gene",
    sql: "INSERT INTO non_alt_loci_set AS gene
            (hgnc_id, symbol, symbol_folded, name, name_folded, locus_group, locus_type, status, location, alias_symbol, prev_symbol,
            entrez_id, ensembl_gene_id, ucsc_id, ccds_id, uniprot_ids, omim_id, mane_select, mgd_id, rgd_id, update_date)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
        ON CONFLICT (hgnc_id) DO UPDATE SET symbol = excluded.symbol, symbol_folded = excluded.symbol_folded, name = excluded.name,
            name_folded = excluded.name_folded, locus_group = excluded.locus_group, locus_type = excluded.locus_type, status = excluded.status,
            location = excluded.location, alias_symbol = excluded.alias_symbol, prev_symbol = excluded.prev_symbol, entrez_id = excluded.entrez_id,
            ensembl_gene_id = excluded.ensembl_gene_id, ucsc_id = excluded.ucsc_id, ccds_id = excluded.ccds_id, uniprot_ids = excluded.uniprot_ids,
            omim_id = excluded.omim_id, mane_select = excluded.mane_select, mgd_id = excluded.mgd_id, rgd_id = excluded.rgd_id,
            update_date = excluded.update_date
        WHERE gene.symbol <> excluded.symbol OR gene.name <> excluded.name
            OR gene.locus_group IS DISTINCT FROM excluded.locus_group OR gene.locus_type IS DISTINCT FROM excluded.locus_type
            OR gene.status IS DISTINCT FROM excluded.status OR gene.location IS DISTINCT FROM excluded.location
            OR gene.alias_symbol IS DISTINCT FROM excluded.alias_symbol OR gene.prev_symbol IS DISTINCT FROM excluded.prev_symbol
            OR gene.entrez_id IS DISTINCT FROM excluded.entrez_id OR gene.ensembl_gene_id IS DISTINCT FROM excluded.ensembl_gene_id
            OR gene.ucsc_id IS DISTINCT FROM excluded.ucsc_id OR gene.ccds_id IS DISTINCT FROM excluded.ccds_id
            OR gene.uniprot_ids IS DISTINCT FROM excluded.uniprot_ids OR gene.omim_id IS DISTINCT FROM excluded.omim_id
            OR gene.mane_select IS DISTINCT FROM excluded.mane_select OR gene.mgd_id IS DISTINCT FROM excluded.mgd_id
            OR gene.rgd_id IS DISTINCT FROM excluded.rgd_id",
};

const FORGET_SYMBOLS: Statement = Statement {
    name: "import forget symbols",
    sql: "DELETE FROM hgnc_symbol_lookup WHERE hgnc_id = $1",
};

const SYMBOL: Statement = Statement {
    name: "import symbol",
    sql: "INSERT INTO hgnc_symbol_lookup (lookup_symbol, hgnc_id, symbol_type) VALUES ($1, $2, $3)
        ON CONFLICT (lookup_symbol, hgnc_id, symbol_type) DO NOTHING",
};

const DISEASE: Statement = Statement {
    name: "import disease",
    sql: "INSERT INTO disease_ontology_set AS disease
            (disease_ontology_id_version, disease_ontology_id, disease_ontology_name, disease_ontology_name_folded, disease_ontology_source, mondo, update_date)
        VALUES ($1, $1, $2, $3, 'OMIM', $4, $5)
        ON CONFLICT (disease_ontology_id_version) DO UPDATE SET disease_ontology_name = excluded.disease_ontology_name,
            disease_ontology_name_folded = excluded.disease_ontology_name_folded, mondo = excluded.mondo, update_date = excluded.update_date
        WHERE disease.disease_ontology_name <> excluded.disease_ontology_name OR disease.mondo IS DISTINCT FROM excluded.mondo",
};

const PUBLICATION: Statement = Statement {
    name: "import publication",
    sql: "INSERT INTO publication (publication_id, pubmed_number, update_date) VALUES ($1, $2, $3) ON CONFLICT (publication_id) DO NOTHING",
};

const SOURCE: Statement = Statement {
    name: "import source",
    sql: "INSERT INTO data_source (name, release, licence, address, statement, content_hash, loaded_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (name) DO UPDATE SET release = excluded.release, licence = excluded.licence, address = excluded.address,
            statement = excluded.statement, content_hash = excluded.content_hash, loaded_at = excluded.loaded_at
        WHERE data_source.release <> excluded.release OR data_source.content_hash <> excluded.content_hash
            OR data_source.statement <> excluded.statement OR data_source.licence <> excluded.licence OR data_source.address <> excluded.address",
};

pub(crate) const STATEMENTS: &[Statement] = &[
    ACCOUNT,
    ADD_ACCOUNT,
    TERM,
    INHERITANCE_TERM,
    PHENOTYPE,
    GENE,
    FORGET_SYMBOLS,
    SYMBOL,
    DISEASE,
    PUBLICATION,
    SOURCE,
];

/// The account of the import; it is made if it is not there, which counts as a change of nothing
/// that anybody sees.
pub(super) async fn account(
    transaction: &mut Transaction,
    ids: &mut Ids,
    now: &str,
) -> Result<i64, Error> {
    if let Some(row) = transaction.row(&ACCOUNT, &[super::ACCOUNT.into()]).await? {
        return row.integer(0);
    }
    let user = ids.next(Sequence::User);
    transaction.execute(&ADD_ACCOUNT, &[user.into(), super::ACCOUNT.into(), now.into()]).await?;
    Ok(user)
}

/// Brings everything that entities refer to up to date. Returns how many rows were written.
pub(super) async fn update(
    transaction: &mut Transaction,
    release: &Release,
    plan: &Plan<'_>,
    now: &str,
) -> Result<u64, Error> {
    let mut written = terms(transaction, release, plan).await?;
    written += inheritance(transaction, release, plan, now).await?;
    written += phenotypes(transaction, release).await?;
    written += genes(transaction, plan, now).await?;
    written += diseases(transaction, release, plan, now).await?;
    written += publications(transaction, plan, now).await?;
    for source in &release.sources {
        let values: [Value; 7] = [
            source.name.into(),
            (&source.release).into(),
            source.licence.into(),
            source.address.into(),
            (&source.statement).into(),
            (&source.content_hash).into(),
            now.into(),
        ];
        written += transaction.execute(&SOURCE, &values).await?;
    }
    Ok(written)
}

async fn terms(
    transaction: &mut Transaction,
    release: &Release,
    plan: &Plan<'_>,
) -> Result<u64, Error> {
    let used: BTreeSet<Term> = plan
        .entities
        .iter()
        .flat_map(|entity| entity.disease.rows.iter().map(|row| row.term))
        .collect();
    let mut written = 0;
    for term in used {
        let id = term.to_string();
        // A term that the ontology doesn't have is shown by its number.
        let name = release.ontology.name(term).unwrap_or(&id).to_owned();
        let is_obsolete =
            release.ontology.describe(term).is_none_or(|description| description.is_obsolete);
        written +=
            transaction.execute(&TERM, &[id.into(), name.into(), is_obsolete.into()]).await?;
    }
    Ok(written)
}

async fn inheritance(
    transaction: &mut Transaction,
    release: &Release,
    plan: &Plan<'_>,
    now: &str,
) -> Result<u64, Error> {
    let used: BTreeSet<Term> = plan.entities.iter().map(|entity| entity.inheritance).collect();
    let unlisted = used.iter().filter(|term| INHERITANCE.iter().all(|mode| mode.term != **term));
    let mut written = 0;
    for term in unlisted {
        let id = term.to_string();
        let name = release.ontology.name(*term).unwrap_or(&id).to_owned();
        let group = InheritanceGroup::of_name(&name);
        let short = match group {
            InheritanceGroup::AutosomalDominant => "AD".to_owned(),
            InheritanceGroup::AutosomalRecessive => "AR".to_owned(),
            InheritanceGroup::XLinked => "Xo".to_owned(),
            InheritanceGroup::Other => name.chars().take(3).collect(),
        };
        let values: [Value; 5] =
            [id.into(), name.into(), group.name().into(), short.into(), now.into()];
        written += transaction.execute(&INHERITANCE_TERM, &values).await?;
    }
    Ok(written)
}

async fn phenotypes(transaction: &mut Transaction, release: &Release) -> Result<u64, Error> {
    let mut written = 0;
    for (term, name) in PHENOTYPES {
        let description = release.ontology.describe(term);
        let name = description.map_or(name, |description| description.name.as_str());
        let definition = description.and_then(|description| description.definition.clone());
        let synonyms = description
            .filter(|description| !description.synonyms.is_empty())
            .map(|description| description.synonyms.join("; "));
        let values: [Value; 4] =
            [term.to_string().into(), name.into(), definition.into(), synonyms.into()];
        written += transaction.execute(&PHENOTYPE, &values).await?;
    }
    Ok(written)
}

async fn genes(transaction: &mut Transaction, plan: &Plan<'_>, now: &str) -> Result<u64, Error> {
    let mut seen = BTreeSet::new();
    let mut written = 0;
    for entity in &plan.entities {
        let locus = entity.locus;
        if !seen.insert(locus.hgnc_id.as_str()) {
            continue;
        }
        let changed = transaction.execute(&GENE, &gene_values(locus, now)).await?;
        if changed == 0 {
            continue;
        }
        written += changed;
        transaction.execute(&FORGET_SYMBOLS, &[(&locus.hgnc_id).into()]).await?;
        let listed = |column: &Option<String>| -> Vec<String> {
            column.iter().flat_map(|text| text.split('|').map(str::to_uppercase)).collect()
        };
        let symbols = [
            ("current", vec![locus.symbol.to_uppercase()]),
            ("previous", listed(&locus.previous)),
            ("alias", listed(&locus.aliases)),
        ];
        for (kind, symbols) in symbols {
            for symbol in symbols {
                let values = [symbol.into(), (&locus.hgnc_id).into(), kind.into()];
                transaction.execute(&SYMBOL, &values).await?;
            }
        }
    }
    Ok(written)
}

fn gene_values(locus: &Locus, now: &str) -> [Value; 21] {
    let optional = |column: &Option<String>| Value::from(column.clone());
    [
        (&locus.hgnc_id).into(),
        (&locus.symbol).into(),
        folded(&locus.symbol).into(),
        (&locus.name).into(),
        folded(&locus.name).into(),
        optional(&locus.group),
        optional(&locus.kind),
        (&locus.status).into(),
        optional(&locus.location),
        optional(&locus.aliases),
        optional(&locus.previous),
        (&locus.ncbi).into(),
        optional(&locus.ensembl),
        optional(&locus.ucsc),
        optional(&locus.ccds),
        optional(&locus.uniprot),
        optional(&locus.omim),
        optional(&locus.mane),
        optional(&locus.mouse),
        optional(&locus.rat),
        now.into(),
    ]
}

async fn diseases(
    transaction: &mut Transaction,
    release: &Release,
    plan: &Plan<'_>,
    now: &str,
) -> Result<u64, Error> {
    let used: BTreeSet<&str> = plan.entities.iter().map(|entity| entity.disease_id).collect();
    let mut written = 0;
    for id in used {
        let name = release.names.label(id).unwrap_or(id);
        let mondo: Vec<&str> = release.names.identifiers(id).collect();
        let mondo = (!mondo.is_empty()).then(|| mondo.join(";"));
        let values: [Value; 5] =
            [id.into(), name.into(), folded(name).into(), mondo.into(), now.into()];
        written += transaction.execute(&DISEASE, &values).await?;
    }
    Ok(written)
}

async fn publications(
    transaction: &mut Transaction,
    plan: &Plan<'_>,
    now: &str,
) -> Result<u64, Error> {
    let used: BTreeSet<i64> = plan
        .entities
        .iter()
        .flat_map(|entity| entity.disease.publications.iter().copied())
        .collect();
    let mut written = 0;
    for number in used {
        let values = [format!("PMID:{number}").into(), number.into(), now.into()];
        written += transaction.execute(&PUBLICATION, &values).await?;
    }
    Ok(written)
}
