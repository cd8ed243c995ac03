-- The one definition of what everybody sees: active entities with an active approved status, and of their reviews the primary approved one.
-- Every reader goes through this view; the last three columns are for joins and marks, not for the wire.
--
-- CROSS JOIN keeps SQLite from starting anywhere but at the entities, so that a page in the order of their ids costs what the page costs.
-- PostgreSQL plans as it likes. LEFT JOIN to what can't be missing lets both leave out the tables that a query doesn't use.

-- step: public entities
CREATE VIEW public_entity AS
SELECT
    entity.entity_id AS entity_id,
    entity.hgnc_id AS hgnc_id,
    gene.symbol AS symbol,
    entity.disease_ontology_id_version AS disease_ontology_id_version,
    disease.disease_ontology_name AS disease_ontology_name,
    entity.hpo_mode_of_inheritance_term AS hpo_mode_of_inheritance_term,
    inheritance.hpo_mode_of_inheritance_term_name AS hpo_mode_of_inheritance_term_name,
    inheritance.inheritance_filter AS inheritance_filter,
    entity.ndd_phenotype AS ndd_phenotype,
    CAST(CASE entity.ndd_phenotype WHEN 1 THEN 'Yes' ELSE 'No' END AS plain_text) AS ndd_phenotype_word,
    substr(entity.entry_date, 1, 10) AS entry_date,
    category.category AS category,
    status.category_id AS category_id,
    review.synopsis AS synopsis,
    review.review_id AS review_id,
    status.status_id AS status_id,
    status.category_basis AS category_basis
FROM ndd_entity AS entity
CROSS JOIN ndd_entity_status AS status
LEFT JOIN ndd_entity_status_categories_list AS category ON category.category_id = status.category_id
LEFT JOIN non_alt_loci_set AS gene ON gene.hgnc_id = entity.hgnc_id
LEFT JOIN disease_ontology_set AS disease ON disease.disease_ontology_id_version = entity.disease_ontology_id_version
LEFT JOIN mode_of_inheritance_list AS inheritance ON inheritance.hpo_mode_of_inheritance_term = entity.hpo_mode_of_inheritance_term
LEFT JOIN ndd_entity_review AS review ON review.entity_id = entity.entity_id AND review.is_primary = 1 AND review.review_approved = 1
WHERE entity.is_active = 1
    AND status.entity_id = entity.entity_id
    AND status.is_active = 1
    AND status.status_approved = 1;
-- postcondition: SELECT count(*) = 0 FROM public_entity WHERE entity_id < 0
