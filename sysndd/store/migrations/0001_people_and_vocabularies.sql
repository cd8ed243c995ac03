-- People, the words the site uses, and where its data came from.
--
-- The same text runs on PostgreSQL and SQLite. Rules of these files (all of them: sysndd/store/README.md):
--   * a step is what stands below `-- step: name`; `-- only: postgres` or `-- only: sqlite` below that line binds the step to one engine;
--   * `plain_text` is text that is compared byte by byte: a domain on PostgreSQL, and for SQLite a name with TEXT in it, which gives it that affinity;
--   * ids are BIGINT and are given by `id_sequence`, flags are 0 or 1, times are UTC as `2025-01-16T00:00:00Z`;
--   * a landed file is never edited: its checksum is in the history of every database.

-- step: plain text
-- only: postgres
CREATE DOMAIN plain_text AS TEXT COLLATE "C";

-- step: id sequences
CREATE TABLE id_sequence (
    name plain_text PRIMARY KEY,
    last_id BIGINT NOT NULL DEFAULT 0 CHECK (last_id >= 0)
);

-- step: id sequence rows
INSERT INTO id_sequence (name) VALUES
    ('sysndd_user'), ('ndd_entity'), ('ndd_entity_review'), ('ndd_entity_status'),
    ('ndd_review_phenotype_connect'), ('ndd_review_publication_join'), ('review_annotation');

-- step: data version
-- One row; every write raises it, and caches and ETags are kept by it.
CREATE TABLE data_version (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    version BIGINT NOT NULL CHECK (version >= 1),
    changed_at plain_text NOT NULL CHECK (changed_at LIKE '____-__-__T__:__:__Z')
);

-- step: data version row
INSERT INTO data_version (only_row, version, changed_at) VALUES (1, 1, '1970-01-01T00:00:00Z');
-- postcondition: SELECT count(*) = 1 FROM data_version

-- step: data sources
-- What was loaded from elsewhere; `release` is what the source says of itself, and `content_hash` tells whether it is the same again.
CREATE TABLE data_source (
    name plain_text PRIMARY KEY,
    release plain_text NOT NULL,
    licence plain_text NOT NULL,
    address plain_text NOT NULL,
    statement plain_text NOT NULL,
    content_hash plain_text NOT NULL,
    loaded_at plain_text NOT NULL CHECK (loaded_at LIKE '____-__-__T__:__:__Z')
);

-- step: users
-- `user` is a word of SQL, so the table has a name of its own; the columns have the published ones.
CREATE TABLE sysndd_user (
    user_id BIGINT PRIMARY KEY,
    user_name plain_text NOT NULL UNIQUE CHECK (length(user_name) BETWEEN 1 AND 50),
    abbreviation plain_text,
    first_name plain_text,
    family_name plain_text,
    orcid plain_text UNIQUE,
    user_role plain_text NOT NULL DEFAULT 'Viewer' CHECK (user_role IN ('Administrator', 'Curator', 'Reviewer', 'Viewer')),
    comment plain_text,
    approved BIGINT NOT NULL DEFAULT 0 CHECK (approved IN (0, 1)),
    is_system BIGINT NOT NULL DEFAULT 0 CHECK (is_system IN (0, 1)),
    may_sign_in BIGINT NOT NULL DEFAULT 0 CHECK (may_sign_in IN (0, 1)),
    created_at plain_text NOT NULL CHECK (created_at LIKE '____-__-__T__:__:__Z'),
    CHECK (is_system = 0 OR may_sign_in = 0)
);

-- step: inheritance
CREATE TABLE mode_of_inheritance_list (
    hpo_mode_of_inheritance_term plain_text PRIMARY KEY,
    hpo_mode_of_inheritance_term_name plain_text NOT NULL,
    hpo_mode_of_inheritance_term_definition plain_text,
    inheritance_filter plain_text NOT NULL CHECK (inheritance_filter IN ('Autosomal dominant', 'Autosomal recessive', 'X-linked', 'Other')),
    inheritance_short_text plain_text NOT NULL,
    is_active BIGINT NOT NULL DEFAULT 0 CHECK (is_active IN (0, 1)),
    sort BIGINT NOT NULL DEFAULT 0,
    update_date plain_text NOT NULL CHECK (update_date LIKE '____-__-__T__:__:__Z')
);

-- step: inheritance rows
INSERT INTO mode_of_inheritance_list
    (hpo_mode_of_inheritance_term, hpo_mode_of_inheritance_term_name, inheritance_filter, inheritance_short_text, is_active, sort, update_date)
VALUES
    ('HP:0000006', 'Autosomal dominant inheritance', 'Autosomal dominant', 'AD', 1, 1, '2025-01-16T00:00:00Z'),
    ('HP:0000007', 'Autosomal recessive inheritance', 'Autosomal recessive', 'AR', 1, 2, '2025-01-16T00:00:00Z'),
    ('HP:0001417', 'X-linked other inheritance', 'X-linked', 'Xo', 1, 3, '2025-01-16T00:00:00Z'),
    ('HP:0001419', 'X-linked recessive inheritance', 'X-linked', 'XR', 1, 4, '2025-01-16T00:00:00Z'),
    ('HP:0001423', 'X-linked dominant inheritance', 'X-linked', 'XD', 1, 5, '2025-01-16T00:00:00Z'),
    ('HP:0001427', 'Mitochondrial inheritance', 'Other', 'Mit', 1, 6, '2025-01-16T00:00:00Z'),
    ('HP:0001428', 'Somatic mutation inheritance', 'Other', 'Som', 1, 7, '2025-01-16T00:00:00Z'),
    ('HP:0000005', 'unknown', 'Other', 'unk', 0, 8, '2025-01-16T00:00:00Z');
-- postcondition: SELECT count(*) >= 8 FROM mode_of_inheritance_list

-- step: modifiers
CREATE TABLE modifier_list (
    modifier_id BIGINT PRIMARY KEY,
    modifier_name plain_text NOT NULL UNIQUE,
    allowed_phenotype BIGINT NOT NULL CHECK (allowed_phenotype IN (0, 1)),
    allowed_variation BIGINT NOT NULL CHECK (allowed_variation IN (0, 1))
);

-- step: modifier rows
INSERT INTO modifier_list (modifier_id, modifier_name, allowed_phenotype, allowed_variation) VALUES
    (1, 'present', 1, 1), (2, 'uncertain', 1, 0), (3, 'variable', 1, 0), (4, 'rare', 1, 0), (5, 'absent', 1, 1);
-- postcondition: SELECT count(*) >= 5 FROM modifier_list

-- step: categories
-- The lower the number, the stronger the evidence.
CREATE TABLE ndd_entity_status_categories_list (
    category_id BIGINT PRIMARY KEY,
    category plain_text NOT NULL UNIQUE
);

-- step: category rows
INSERT INTO ndd_entity_status_categories_list (category_id, category) VALUES
    (1, 'Definitive'), (2, 'Moderate'), (3, 'Limited'), (4, 'Refuted'), (5, 'not applicable');
-- postcondition: SELECT count(*) >= 5 FROM ndd_entity_status_categories_list

-- step: phenotypes
-- The 39 terms that reviews use; everything else that a source says stays in `review_annotation`.
CREATE TABLE phenotype_list (
    phenotype_id plain_text PRIMARY KEY,
    hpo_term plain_text NOT NULL,
    hpo_term_definition plain_text,
    hpo_term_synonyms plain_text,
    comment plain_text
);

-- step: phenotype rows
INSERT INTO phenotype_list (phenotype_id, hpo_term) VALUES
    ('HP:0000077', 'Abnormality of the kidney'),
    ('HP:0000098', 'Tall stature'),
    ('HP:0000118', 'Phenotypic abnormality'),
    ('HP:0000119', 'Abnormality of the genitourinary system'),
    ('HP:0000202', 'Orofacial cleft'),
    ('HP:0000252', 'Microcephaly'),
    ('HP:0000256', 'Macrocephaly'),
    ('HP:0000365', 'Hearing impairment'),
    ('HP:0000478', 'Abnormality of the eye'),
    ('HP:0000707', 'Abnormality of the nervous system'),
    ('HP:0000708', 'Atypical behavior'),
    ('HP:0000818', 'Abnormality of the endocrine system'),
    ('HP:0000924', 'Abnormality of the skeletal system'),
    ('HP:0001249', 'Intellectual disability'),
    ('HP:0001250', 'Seizure'),
    ('HP:0001256', 'Intellectual disability, mild'),
    ('HP:0001513', 'Obesity'),
    ('HP:0001548', 'Overgrowth'),
    ('HP:0001574', 'Abnormality of the integument'),
    ('HP:0001627', 'Abnormal heart morphology'),
    ('HP:0001871', 'Abnormality of blood and blood-forming tissues'),
    ('HP:0001939', 'Abnormality of metabolism/homeostasis'),
    ('HP:0001999', 'Abnormal facial shape'),
    ('HP:0002011', 'Morphological central nervous system abnormality'),
    ('HP:0002187', 'Intellectual disability, profound'),
    ('HP:0002270', 'Abnormality of the autonomic nervous system'),
    ('HP:0002342', 'Intellectual disability, moderate'),
    ('HP:0002376', 'Developmental regression'),
    ('HP:0002664', 'Neoplasm'),
    ('HP:0002715', 'Abnormality of the immune system'),
    ('HP:0003011', 'Abnormality of the musculature'),
    ('HP:0003676', 'Progressive'),
    ('HP:0004322', 'Short stature'),
    ('HP:0006889', 'Intellectual disability, borderline'),
    ('HP:0010864', 'Intellectual disability, severe'),
    ('HP:0011024', 'Abnormality of the gastrointestinal tract'),
    ('HP:0011420', 'Age of death'),
    ('HP:0012103', 'Abnormality of the mitochondrion'),
    ('HP:0040064', 'Abnormality of limbs');
-- postcondition: SELECT count(*) >= 39 FROM phenotype_list

-- step: ontology terms
-- Names of the terms that annotations use.
CREATE TABLE hpo_term (
    hpo_id plain_text PRIMARY KEY,
    hpo_name plain_text NOT NULL,
    is_obsolete BIGINT NOT NULL DEFAULT 0 CHECK (is_obsolete IN (0, 1))
);
