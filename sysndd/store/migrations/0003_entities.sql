-- Entities, their reviews and statuses, and what belongs to a review. The rules that the schema holds by itself:
--   I1  gene, inheritance, disease and NDD flag are unique over all rows, active or not
--   I2  at most one primary review and one active status for an entity
--   I3  an entity without a review and a status of its own can't be committed
--   I4  what belongs to a review belongs to the entity of that review
--   I5  a replaced entity is inactive and isn't replaced by itself
--   I6  authors don't change
--   I7  approved reviews and statuses are neither changed nor deleted; an edit is a new row that `supersedes` them

-- step: entities on postgres
-- only: postgres
CREATE TABLE ndd_entity (
    entity_id BIGINT PRIMARY KEY,
    hgnc_id plain_text NOT NULL REFERENCES non_alt_loci_set (hgnc_id),
    hpo_mode_of_inheritance_term plain_text NOT NULL REFERENCES mode_of_inheritance_list (hpo_mode_of_inheritance_term),
    disease_ontology_id_version plain_text NOT NULL REFERENCES disease_ontology_set (disease_ontology_id_version),
    ndd_phenotype BIGINT NOT NULL CHECK (ndd_phenotype IN (0, 1)),
    entry_date plain_text NOT NULL CHECK (entry_date LIKE '____-__-__T__:__:__Z'),
    entry_source plain_text NOT NULL DEFAULT 'sysndd',
    entry_user_id BIGINT NOT NULL REFERENCES sysndd_user (user_id),
    is_active BIGINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    replaced_by BIGINT REFERENCES ndd_entity (entity_id),
    first_review_id BIGINT NOT NULL,
    first_status_id BIGINT NOT NULL,
    row_version BIGINT NOT NULL DEFAULT 1 CHECK (row_version >= 1),
    CONSTRAINT entity_quadruple UNIQUE (hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype),
    CHECK (replaced_by IS NULL OR (is_active = 0 AND replaced_by <> entity_id))
);

-- step: entities on sqlite
-- only: sqlite
-- SQLite can't add a constraint later, and lets a table refer to one that is made below.
CREATE TABLE ndd_entity (
    entity_id BIGINT PRIMARY KEY,
    hgnc_id plain_text NOT NULL REFERENCES non_alt_loci_set (hgnc_id),
    hpo_mode_of_inheritance_term plain_text NOT NULL REFERENCES mode_of_inheritance_list (hpo_mode_of_inheritance_term),
    disease_ontology_id_version plain_text NOT NULL REFERENCES disease_ontology_set (disease_ontology_id_version),
    ndd_phenotype BIGINT NOT NULL CHECK (ndd_phenotype IN (0, 1)),
    entry_date plain_text NOT NULL CHECK (entry_date LIKE '____-__-__T__:__:__Z'),
    entry_source plain_text NOT NULL DEFAULT 'sysndd',
    entry_user_id BIGINT NOT NULL REFERENCES sysndd_user (user_id),
    is_active BIGINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    replaced_by BIGINT REFERENCES ndd_entity (entity_id),
    first_review_id BIGINT NOT NULL,
    first_status_id BIGINT NOT NULL,
    row_version BIGINT NOT NULL DEFAULT 1 CHECK (row_version >= 1),
    CONSTRAINT entity_quadruple UNIQUE (hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype),
    CHECK (replaced_by IS NULL OR (is_active = 0 AND replaced_by <> entity_id)),
    CONSTRAINT entity_has_a_review FOREIGN KEY (first_review_id, entity_id)
        REFERENCES ndd_entity_review (review_id, entity_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT entity_has_a_status FOREIGN KEY (first_status_id, entity_id)
        REFERENCES ndd_entity_status (status_id, entity_id) DEFERRABLE INITIALLY DEFERRED
);
-- postcondition: SELECT count(DISTINCT id) = 2 FROM pragma_foreign_key_list('ndd_entity') WHERE "table" IN ('ndd_entity_review', 'ndd_entity_status')

-- step: entities by disease
CREATE INDEX ndd_entity_by_disease ON ndd_entity (disease_ontology_id_version);

-- step: entities by inheritance
CREATE INDEX ndd_entity_by_inheritance ON ndd_entity (hpo_mode_of_inheritance_term);

-- step: entities by date
CREATE INDEX ndd_entity_by_date ON ndd_entity (entry_date, entity_id);

-- step: reviews
-- `public_from` to `public_until` is the time in which this review was the one that everybody sees.
CREATE TABLE ndd_entity_review (
    review_id BIGINT PRIMARY KEY,
    entity_id BIGINT NOT NULL REFERENCES ndd_entity (entity_id),
    synopsis plain_text,
    is_primary BIGINT NOT NULL DEFAULT 0 CHECK (is_primary IN (0, 1)),
    review_date plain_text NOT NULL CHECK (review_date LIKE '____-__-__T__:__:__Z'),
    review_user_id BIGINT NOT NULL REFERENCES sysndd_user (user_id),
    review_approved BIGINT NOT NULL DEFAULT 0 CHECK (review_approved IN (0, 1)),
    approving_user_id BIGINT REFERENCES sysndd_user (user_id),
    comment plain_text,
    supersedes BIGINT CHECK (supersedes <> review_id),
    approved_at plain_text CHECK (approved_at LIKE '____-__-__T__:__:__Z'),
    public_from plain_text CHECK (public_from LIKE '____-__-__T__:__:__Z'),
    public_until plain_text CHECK (public_until LIKE '____-__-__T__:__:__Z'),
    row_version BIGINT NOT NULL DEFAULT 1 CHECK (row_version >= 1),
    UNIQUE (review_id, entity_id),
    FOREIGN KEY (supersedes, entity_id) REFERENCES ndd_entity_review (review_id, entity_id),
    CONSTRAINT review_approval_is_attributed CHECK (review_approved = 0 OR (approved_at IS NOT NULL AND approving_user_id IS NOT NULL)),
    CONSTRAINT review_unapproved_is_not_public CHECK (review_approved = 1 OR (approved_at IS NULL AND public_from IS NULL AND public_until IS NULL)),
    CONSTRAINT review_public_time_is_in_order CHECK (public_until IS NULL OR (public_from IS NOT NULL AND public_until >= public_from)),
    CONSTRAINT review_public_now_is_open CHECK (is_primary = 0 OR review_approved = 0 OR (public_from IS NOT NULL AND public_until IS NULL)),
    CONSTRAINT review_not_primary_is_closed CHECK (is_primary = 1 OR public_from IS NULL OR public_until IS NOT NULL)
);

-- step: one primary review
CREATE UNIQUE INDEX ndd_entity_review_one_primary ON ndd_entity_review (entity_id) WHERE is_primary = 1;

-- step: reviews by entity
CREATE INDEX ndd_entity_review_by_entity ON ndd_entity_review (entity_id);

-- step: statuses
-- `category_basis` says whether a person chose the category or a rule computed it from what a source has.
CREATE TABLE ndd_entity_status (
    status_id BIGINT PRIMARY KEY,
    entity_id BIGINT NOT NULL REFERENCES ndd_entity (entity_id),
    category_id BIGINT NOT NULL REFERENCES ndd_entity_status_categories_list (category_id),
    category_basis plain_text NOT NULL DEFAULT 'curated' CHECK (category_basis IN ('curated', 'computed')),
    is_active BIGINT NOT NULL DEFAULT 0 CHECK (is_active IN (0, 1)),
    status_date plain_text NOT NULL CHECK (status_date LIKE '____-__-__T__:__:__Z'),
    status_user_id BIGINT NOT NULL REFERENCES sysndd_user (user_id),
    status_approved BIGINT NOT NULL DEFAULT 0 CHECK (status_approved IN (0, 1)),
    approving_user_id BIGINT REFERENCES sysndd_user (user_id),
    comment plain_text,
    problematic BIGINT NOT NULL DEFAULT 0 CHECK (problematic IN (0, 1)),
    supersedes BIGINT CHECK (supersedes <> status_id),
    approved_at plain_text CHECK (approved_at LIKE '____-__-__T__:__:__Z'),
    public_from plain_text CHECK (public_from LIKE '____-__-__T__:__:__Z'),
    public_until plain_text CHECK (public_until LIKE '____-__-__T__:__:__Z'),
    row_version BIGINT NOT NULL DEFAULT 1 CHECK (row_version >= 1),
    UNIQUE (status_id, entity_id),
    FOREIGN KEY (supersedes, entity_id) REFERENCES ndd_entity_status (status_id, entity_id),
    CONSTRAINT status_approval_is_attributed CHECK (status_approved = 0 OR (approved_at IS NOT NULL AND approving_user_id IS NOT NULL)),
    CONSTRAINT status_unapproved_is_not_public CHECK (status_approved = 1 OR (approved_at IS NULL AND public_from IS NULL AND public_until IS NULL)),
    CONSTRAINT status_public_time_is_in_order CHECK (public_until IS NULL OR (public_from IS NOT NULL AND public_until >= public_from)),
    CONSTRAINT status_public_now_is_open CHECK (is_active = 0 OR status_approved = 0 OR (public_from IS NOT NULL AND public_until IS NULL)),
    CONSTRAINT status_not_active_is_closed CHECK (is_active = 1 OR public_from IS NULL OR public_until IS NOT NULL)
);

-- step: one active status
CREATE UNIQUE INDEX ndd_entity_status_one_active ON ndd_entity_status (entity_id) WHERE is_active = 1;

-- step: statuses by entity
CREATE INDEX ndd_entity_status_by_entity ON ndd_entity_status (entity_id);

-- step: an entity has a review
-- only: postgres
ALTER TABLE ndd_entity ADD CONSTRAINT entity_has_a_review FOREIGN KEY (first_review_id, entity_id)
    REFERENCES ndd_entity_review (review_id, entity_id) DEFERRABLE INITIALLY DEFERRED;

-- step: an entity has a status
-- only: postgres
ALTER TABLE ndd_entity ADD CONSTRAINT entity_has_a_status FOREIGN KEY (first_status_id, entity_id)
    REFERENCES ndd_entity_status (status_id, entity_id) DEFERRABLE INITIALLY DEFERRED;
-- postcondition: SELECT count(*) = 2 FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND relname = 'ndd_entity' AND condeferred AND conname IN ('entity_has_a_review', 'entity_has_a_status')

-- step: phenotypes of a review
CREATE TABLE ndd_review_phenotype_connect (
    review_phenotype_id BIGINT PRIMARY KEY,
    review_id BIGINT NOT NULL,
    phenotype_id plain_text NOT NULL REFERENCES phenotype_list (phenotype_id),
    modifier_id BIGINT NOT NULL DEFAULT 1 REFERENCES modifier_list (modifier_id),
    entity_id BIGINT NOT NULL,
    phenotype_date plain_text NOT NULL CHECK (phenotype_date LIKE '____-__-__T__:__:__Z'),
    is_active BIGINT NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    UNIQUE (review_id, phenotype_id, modifier_id, entity_id, is_active),
    FOREIGN KEY (review_id, entity_id) REFERENCES ndd_entity_review (review_id, entity_id)
);

-- step: reviews by phenotype
CREATE INDEX ndd_review_phenotype_connect_by_phenotype ON ndd_review_phenotype_connect (phenotype_id, modifier_id, review_id);

-- step: publications of a review
CREATE TABLE ndd_review_publication_join (
    review_publication_id BIGINT PRIMARY KEY,
    review_id BIGINT NOT NULL,
    entity_id BIGINT NOT NULL,
    publication_id plain_text NOT NULL REFERENCES publication (publication_id),
    publication_type plain_text NOT NULL DEFAULT 'additional_references' CHECK (publication_type IN ('additional_references', 'gene_review')),
    is_reviewed BIGINT NOT NULL DEFAULT 1 CHECK (is_reviewed IN (0, 1)),
    UNIQUE (review_id, entity_id, publication_id),
    FOREIGN KEY (review_id, entity_id) REFERENCES ndd_entity_review (review_id, entity_id)
);

-- step: reviews by publication
CREATE INDEX ndd_review_publication_join_by_publication ON ndd_review_publication_join (publication_id);

-- step: annotations of a review
-- A row as the source has it: term, reference, evidence and frequency are not interpreted here.
CREATE TABLE review_annotation (
    annotation_id BIGINT PRIMARY KEY,
    review_id BIGINT NOT NULL,
    entity_id BIGINT NOT NULL,
    hpo_id plain_text NOT NULL REFERENCES hpo_term (hpo_id),
    aspect plain_text NOT NULL CHECK (length(aspect) = 1),
    reference plain_text NOT NULL,
    evidence plain_text NOT NULL,
    onset plain_text NOT NULL DEFAULT '',
    frequency plain_text NOT NULL DEFAULT '',
    sex plain_text NOT NULL DEFAULT '',
    modifier plain_text NOT NULL DEFAULT '',
    biocuration plain_text NOT NULL DEFAULT '',
    FOREIGN KEY (review_id, entity_id) REFERENCES ndd_entity_review (review_id, entity_id)
);

-- step: annotations by review
CREATE INDEX review_annotation_by_review ON review_annotation (review_id);

-- step: annotations by term
CREATE INDEX review_annotation_by_term ON review_annotation (hpo_id);
