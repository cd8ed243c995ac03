-- What entities refer to: genes (HGNC), diseases (OMIM and Mondo) and publications (PubMed).
-- Columns that end in `_folded` are made by Rust (lower case, no accents), so that both engines search alike.

-- step: genes
-- Several values of one column are joined with `|`.
CREATE TABLE non_alt_loci_set (
    hgnc_id plain_text PRIMARY KEY CHECK (hgnc_id LIKE 'HGNC:_%'),
    symbol plain_text NOT NULL UNIQUE,
    symbol_folded plain_text NOT NULL,
    name plain_text NOT NULL,
    name_folded plain_text NOT NULL,
    locus_group plain_text,
    locus_type plain_text,
    status plain_text,
    location plain_text,
    alias_symbol plain_text,
    prev_symbol plain_text,
    entrez_id plain_text,
    ensembl_gene_id plain_text,
    ucsc_id plain_text,
    ccds_id plain_text,
    uniprot_ids plain_text,
    omim_id plain_text,
    mane_select plain_text,
    mgd_id plain_text,
    rgd_id plain_text,
    string_id plain_text,
    bed_hg19 plain_text,
    bed_hg38 plain_text,
    gnomad_constraints plain_text,
    alphafold_id plain_text,
    update_date plain_text NOT NULL CHECK (update_date LIKE '____-__-__T__:__:__Z')
);

-- step: genes by folded symbol
CREATE INDEX non_alt_loci_set_by_folded_symbol ON non_alt_loci_set (symbol_folded);

-- step: symbols
-- Resolved in the order current, previous, alias.
CREATE TABLE hgnc_symbol_lookup (
    lookup_symbol plain_text NOT NULL,
    hgnc_id plain_text NOT NULL REFERENCES non_alt_loci_set (hgnc_id) ON DELETE CASCADE,
    symbol_type plain_text NOT NULL CHECK (symbol_type IN ('current', 'previous', 'alias')),
    PRIMARY KEY (lookup_symbol, hgnc_id, symbol_type)
);

-- step: symbols by gene
CREATE INDEX hgnc_symbol_lookup_by_gene ON hgnc_symbol_lookup (hgnc_id);

-- step: diseases
-- Several values of one column are joined with `;`.
CREATE TABLE disease_ontology_set (
    disease_ontology_id_version plain_text PRIMARY KEY,
    disease_ontology_id plain_text NOT NULL,
    disease_ontology_name plain_text NOT NULL,
    disease_ontology_name_folded plain_text NOT NULL,
    disease_ontology_source plain_text NOT NULL,
    disease_ontology_date plain_text CHECK (disease_ontology_date LIKE '____-__-__T__:__:__Z'),
    disease_ontology_is_specific BIGINT NOT NULL DEFAULT 1 CHECK (disease_ontology_is_specific IN (0, 1)),
    hgnc_id plain_text REFERENCES non_alt_loci_set (hgnc_id),
    hpo_mode_of_inheritance_term plain_text REFERENCES mode_of_inheritance_list (hpo_mode_of_inheritance_term),
    doid plain_text,
    mondo plain_text,
    orphanet plain_text,
    efo plain_text,
    is_active BIGINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    update_date plain_text NOT NULL CHECK (update_date LIKE '____-__-__T__:__:__Z')
);

-- step: diseases by id
CREATE INDEX disease_ontology_set_by_id ON disease_ontology_set (disease_ontology_id);

-- step: diseases by folded name
CREATE INDEX disease_ontology_set_by_folded_name ON disease_ontology_set (disease_ontology_name_folded);

-- step: publications
CREATE TABLE publication (
    publication_id plain_text PRIMARY KEY CHECK (publication_id LIKE 'PMID:_%'),
    pubmed_number BIGINT NOT NULL UNIQUE CHECK (pubmed_number > 0),
    update_date plain_text NOT NULL CHECK (update_date LIKE '____-__-__T__:__:__Z')
);
