-- What was approved stays as it was: rules I6 and I7 as triggers, which only a trigger can hold. The conditions are the same for both engines.

-- step: refuse
-- only: postgres
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

-- step: refuse a change below an approved review
-- only: postgres
-- The row lock lets nobody approve the review while something is added to it.
CREATE FUNCTION refuse_change_below_approved_review() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    approved BIGINT;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT review_approved INTO approved FROM ndd_entity_review WHERE review_id = OLD.review_id FOR SHARE;
        IF approved = 1 THEN
            RAISE EXCEPTION 'an approved review keeps what belongs to it' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    SELECT review_approved INTO approved FROM ndd_entity_review WHERE review_id = NEW.review_id FOR SHARE;
    IF approved = 1 THEN
        RAISE EXCEPTION 'an approved review keeps what belongs to it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- step: an entity stays what it is, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_stays BEFORE UPDATE ON ndd_entity FOR EACH ROW
WHEN (
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.hgnc_id IS DISTINCT FROM OLD.hgnc_id OR
    NEW.hpo_mode_of_inheritance_term IS DISTINCT FROM OLD.hpo_mode_of_inheritance_term OR
    NEW.disease_ontology_id_version IS DISTINCT FROM OLD.disease_ontology_id_version OR
    NEW.ndd_phenotype IS DISTINCT FROM OLD.ndd_phenotype OR
    NEW.entry_date IS DISTINCT FROM OLD.entry_date OR
    NEW.entry_source IS DISTINCT FROM OLD.entry_source OR
    NEW.entry_user_id IS DISTINCT FROM OLD.entry_user_id OR
    NEW.first_review_id IS DISTINCT FROM OLD.first_review_id OR
    NEW.first_status_id IS DISTINCT FROM OLD.first_status_id
)
EXECUTE FUNCTION refuse_change('an entity never changes: make a new one and let it replace this one');

-- step: an entity stays what it is, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_stays BEFORE UPDATE ON ndd_entity FOR EACH ROW
WHEN (
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.hgnc_id IS DISTINCT FROM OLD.hgnc_id OR
    NEW.hpo_mode_of_inheritance_term IS DISTINCT FROM OLD.hpo_mode_of_inheritance_term OR
    NEW.disease_ontology_id_version IS DISTINCT FROM OLD.disease_ontology_id_version OR
    NEW.ndd_phenotype IS DISTINCT FROM OLD.ndd_phenotype OR
    NEW.entry_date IS DISTINCT FROM OLD.entry_date OR
    NEW.entry_source IS DISTINCT FROM OLD.entry_source OR
    NEW.entry_user_id IS DISTINCT FROM OLD.entry_user_id OR
    NEW.first_review_id IS DISTINCT FROM OLD.first_review_id OR
    NEW.first_status_id IS DISTINCT FROM OLD.first_status_id
)
BEGIN
    SELECT RAISE(ABORT, 'an entity never changes: make a new one and let it replace this one');
END;

-- step: an entity is kept, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_is_kept BEFORE DELETE ON ndd_entity FOR EACH ROW
EXECUTE FUNCTION refuse_change('an entity is never deleted: deactivate it');

-- step: an entity is kept, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_is_kept BEFORE DELETE ON ndd_entity FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'an entity is never deleted: deactivate it');
END;

-- step: a review keeps its author, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_review_keeps_its_author BEFORE UPDATE ON ndd_entity_review FOR EACH ROW
WHEN (
    NEW.review_id IS DISTINCT FROM OLD.review_id OR
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.review_user_id IS DISTINCT FROM OLD.review_user_id
)
EXECUTE FUNCTION refuse_change('a review keeps its entity and its author');

-- step: a review keeps its author, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_review_keeps_its_author BEFORE UPDATE ON ndd_entity_review FOR EACH ROW
WHEN (
    NEW.review_id IS DISTINCT FROM OLD.review_id OR
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.review_user_id IS DISTINCT FROM OLD.review_user_id
)
BEGIN
    SELECT RAISE(ABORT, 'a review keeps its entity and its author');
END;

-- step: an approved review stays, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_review_stays BEFORE UPDATE ON ndd_entity_review FOR EACH ROW
WHEN (
    OLD.review_approved = 1 AND (
        NEW.review_approved = 0 OR NEW.is_primary > OLD.is_primary OR
        (OLD.public_until IS NOT NULL AND NEW.public_until IS DISTINCT FROM OLD.public_until) OR
        NEW.synopsis IS DISTINCT FROM OLD.synopsis OR
        NEW.review_date IS DISTINCT FROM OLD.review_date OR
        NEW.comment IS DISTINCT FROM OLD.comment OR
        NEW.approving_user_id IS DISTINCT FROM OLD.approving_user_id OR
        NEW.supersedes IS DISTINCT FROM OLD.supersedes OR
        NEW.approved_at IS DISTINCT FROM OLD.approved_at OR
        NEW.public_from IS DISTINCT FROM OLD.public_from
    )
)
EXECUTE FUNCTION refuse_change('an approved review never changes: save a new one');

-- step: an approved review stays, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_review_stays BEFORE UPDATE ON ndd_entity_review FOR EACH ROW
WHEN (
    OLD.review_approved = 1 AND (
        NEW.review_approved = 0 OR NEW.is_primary > OLD.is_primary OR
        (OLD.public_until IS NOT NULL AND NEW.public_until IS DISTINCT FROM OLD.public_until) OR
        NEW.synopsis IS DISTINCT FROM OLD.synopsis OR
        NEW.review_date IS DISTINCT FROM OLD.review_date OR
        NEW.comment IS DISTINCT FROM OLD.comment OR
        NEW.approving_user_id IS DISTINCT FROM OLD.approving_user_id OR
        NEW.supersedes IS DISTINCT FROM OLD.supersedes OR
        NEW.approved_at IS DISTINCT FROM OLD.approved_at OR
        NEW.public_from IS DISTINCT FROM OLD.public_from
    )
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review never changes: save a new one');
END;

-- step: an approved review is kept, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_review_is_kept BEFORE DELETE ON ndd_entity_review FOR EACH ROW
WHEN (
    OLD.review_approved = 1
)
EXECUTE FUNCTION refuse_change('an approved review is never deleted');

-- step: an approved review is kept, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_review_is_kept BEFORE DELETE ON ndd_entity_review FOR EACH ROW
WHEN (
    OLD.review_approved = 1
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review is never deleted');
END;

-- step: a status keeps its author, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_status_keeps_its_author BEFORE UPDATE ON ndd_entity_status FOR EACH ROW
WHEN (
    NEW.status_id IS DISTINCT FROM OLD.status_id OR
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.status_user_id IS DISTINCT FROM OLD.status_user_id
)
EXECUTE FUNCTION refuse_change('a status keeps its entity and its author');

-- step: a status keeps its author, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_status_keeps_its_author BEFORE UPDATE ON ndd_entity_status FOR EACH ROW
WHEN (
    NEW.status_id IS DISTINCT FROM OLD.status_id OR
    NEW.entity_id IS DISTINCT FROM OLD.entity_id OR
    NEW.status_user_id IS DISTINCT FROM OLD.status_user_id
)
BEGIN
    SELECT RAISE(ABORT, 'a status keeps its entity and its author');
END;

-- step: an approved status stays, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_status_stays BEFORE UPDATE ON ndd_entity_status FOR EACH ROW
WHEN (
    OLD.status_approved = 1 AND (
        NEW.status_approved = 0 OR NEW.is_active > OLD.is_active OR
        (OLD.public_until IS NOT NULL AND NEW.public_until IS DISTINCT FROM OLD.public_until) OR
        NEW.category_id IS DISTINCT FROM OLD.category_id OR
        NEW.category_basis IS DISTINCT FROM OLD.category_basis OR
        NEW.status_date IS DISTINCT FROM OLD.status_date OR
        NEW.comment IS DISTINCT FROM OLD.comment OR
        NEW.problematic IS DISTINCT FROM OLD.problematic OR
        NEW.approving_user_id IS DISTINCT FROM OLD.approving_user_id OR
        NEW.supersedes IS DISTINCT FROM OLD.supersedes OR
        NEW.approved_at IS DISTINCT FROM OLD.approved_at OR
        NEW.public_from IS DISTINCT FROM OLD.public_from
    )
)
EXECUTE FUNCTION refuse_change('an approved status never changes: save a new one');

-- step: an approved status stays, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_status_stays BEFORE UPDATE ON ndd_entity_status FOR EACH ROW
WHEN (
    OLD.status_approved = 1 AND (
        NEW.status_approved = 0 OR NEW.is_active > OLD.is_active OR
        (OLD.public_until IS NOT NULL AND NEW.public_until IS DISTINCT FROM OLD.public_until) OR
        NEW.category_id IS DISTINCT FROM OLD.category_id OR
        NEW.category_basis IS DISTINCT FROM OLD.category_basis OR
        NEW.status_date IS DISTINCT FROM OLD.status_date OR
        NEW.comment IS DISTINCT FROM OLD.comment OR
        NEW.problematic IS DISTINCT FROM OLD.problematic OR
        NEW.approving_user_id IS DISTINCT FROM OLD.approving_user_id OR
        NEW.supersedes IS DISTINCT FROM OLD.supersedes OR
        NEW.approved_at IS DISTINCT FROM OLD.approved_at OR
        NEW.public_from IS DISTINCT FROM OLD.public_from
    )
)
BEGIN
    SELECT RAISE(ABORT, 'an approved status never changes: save a new one');
END;

-- step: an approved status is kept, on postgres
-- only: postgres
CREATE TRIGGER ndd_entity_status_is_kept BEFORE DELETE ON ndd_entity_status FOR EACH ROW
WHEN (
    OLD.status_approved = 1
)
EXECUTE FUNCTION refuse_change('an approved status is never deleted');

-- step: an approved status is kept, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_entity_status_is_kept BEFORE DELETE ON ndd_entity_status FOR EACH ROW
WHEN (
    OLD.status_approved = 1
)
BEGIN
    SELECT RAISE(ABORT, 'an approved status is never deleted');
END;

-- step: phenotypes of an approved review stay, on postgres
-- only: postgres
CREATE TRIGGER ndd_review_phenotype_connect_stays BEFORE INSERT OR UPDATE OR DELETE ON ndd_review_phenotype_connect FOR EACH ROW
EXECUTE FUNCTION refuse_change_below_approved_review();

-- step: phenotypes of an approved review stay on insert, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_phenotype_connect_stays_on_insert BEFORE INSERT ON ndd_review_phenotype_connect FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: phenotypes of an approved review stay on update, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_phenotype_connect_stays_on_update BEFORE UPDATE ON ndd_review_phenotype_connect FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1) OR
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: phenotypes of an approved review stay on delete, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_phenotype_connect_stays_on_delete BEFORE DELETE ON ndd_review_phenotype_connect FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: publications of an approved review stay, on postgres
-- only: postgres
CREATE TRIGGER ndd_review_publication_join_stays BEFORE INSERT OR UPDATE OR DELETE ON ndd_review_publication_join FOR EACH ROW
EXECUTE FUNCTION refuse_change_below_approved_review();

-- step: publications of an approved review stay on insert, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_publication_join_stays_on_insert BEFORE INSERT ON ndd_review_publication_join FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: publications of an approved review stay on update, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_publication_join_stays_on_update BEFORE UPDATE ON ndd_review_publication_join FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1) OR
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: publications of an approved review stay on delete, on sqlite
-- only: sqlite
CREATE TRIGGER ndd_review_publication_join_stays_on_delete BEFORE DELETE ON ndd_review_publication_join FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: annotations of an approved review stay, on postgres
-- only: postgres
CREATE TRIGGER review_annotation_stays BEFORE INSERT OR UPDATE OR DELETE ON review_annotation FOR EACH ROW
EXECUTE FUNCTION refuse_change_below_approved_review();
-- postcondition: SELECT count(*) >= 11 FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = current_schema() AND NOT tgisinternal AND tgenabled <> 'D' AND relname IN ('ndd_entity', 'ndd_entity_review', 'ndd_entity_status', 'ndd_review_phenotype_connect', 'ndd_review_publication_join', 'review_annotation')

-- step: annotations of an approved review stay on insert, on sqlite
-- only: sqlite
CREATE TRIGGER review_annotation_stays_on_insert BEFORE INSERT ON review_annotation FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: annotations of an approved review stay on update, on sqlite
-- only: sqlite
CREATE TRIGGER review_annotation_stays_on_update BEFORE UPDATE ON review_annotation FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1) OR
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = NEW.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;

-- step: annotations of an approved review stay on delete, on sqlite
-- only: sqlite
CREATE TRIGGER review_annotation_stays_on_delete BEFORE DELETE ON review_annotation FOR EACH ROW
WHEN (
    EXISTS (SELECT 1 FROM ndd_entity_review WHERE review_id = OLD.review_id AND review_approved = 1)
)
BEGIN
    SELECT RAISE(ABORT, 'an approved review keeps what belongs to it');
END;
-- postcondition: SELECT count(*) >= 17 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('ndd_entity', 'ndd_entity_review', 'ndd_entity_status', 'ndd_review_phenotype_connect', 'ndd_review_publication_join', 'review_annotation')
