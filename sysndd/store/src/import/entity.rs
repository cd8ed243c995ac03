//! Writing entities, their reviews and statuses.
//!
//! A review is sealed by its approval: row first, then what belongs to it, then the approval. All of
//! it is in the transaction of the import, so nobody ever sees it half.

use foundation_durable::{Error, Statement, Transaction, Value};
use sysndd_core::import::plan::Entity;

use super::existing::Content;
use crate::ids::{Ids, Sequence};

const ADD_ENTITY: Statement = Statement {
    name: "import add entity",
    sql: "INSERT INTO ndd_entity (entity_id, hgnc_id, hpo_mode_of_inheritance_term, disease_ontology_id_version, ndd_phenotype,
            entry_date, entry_source, entry_user_id, is_active, first_review_id, first_status_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)",
};

const REPLACE_ENTITY: Statement = Statement {
    name: "import replace entity",
    sql: "UPDATE ndd_entity SET is_active = 0, replaced_by = $2, row_version = row_version + 1 WHERE entity_id = $1",
};

const ADD_REVIEW: Statement = Statement {
    name: "import add review",
    sql: "INSERT INTO ndd_entity_review (review_id, entity_id, review_date, review_user_id, supersedes) VALUES ($1, $2, $3, $4, $5)",
};

const CLOSE_REVIEW: Statement = Statement {
    name: "import close review",
    sql: "UPDATE ndd_entity_review SET is_primary = 0, public_until = $2, row_version = row_version + 1 WHERE review_id = $1",
};

const APPROVE_REVIEW: Statement = Statement {
    name: "import approve review",
    sql: "UPDATE ndd_entity_review SET is_primary = 1, review_approved = 1, approving_user_id = $3, approved_at = $2, public_from = $2 WHERE review_id = $1",
};

const ADD_PHENOTYPE: Statement = Statement {
    name: "import add phenotype",
    sql: "INSERT INTO ndd_review_phenotype_connect (review_phenotype_id, review_id, entity_id, phenotype_id, modifier_id, phenotype_date)
        VALUES ($1, $2, $3, $4, $5, $6)",
};

const ADD_PUBLICATION: Statement = Statement {
    name: "import add publication",
    sql: "INSERT INTO ndd_review_publication_join (review_publication_id, review_id, entity_id, publication_id) VALUES ($1, $2, $3, $4)",
};

const ADD_ANNOTATION: Statement = Statement {
    name: "import add annotation",
    sql: "INSERT INTO review_annotation (annotation_id, review_id, entity_id, hpo_id, aspect, reference, evidence, onset, frequency, sex, modifier, biocuration)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
};

const ADD_STATUS: Statement = Statement {
    name: "import add status",
    sql: "INSERT INTO ndd_entity_status (status_id, entity_id, category_id, category_basis, is_active, status_date, status_user_id, status_approved,
            approving_user_id, supersedes, approved_at, public_from)
        VALUES ($1, $2, $3, 'computed', 1, $4, $5, 1, $5, $6, $4, $4)",
};

const CLOSE_STATUS: Statement = Statement {
    name: "import close status",
    sql: "UPDATE ndd_entity_status SET is_active = 0, public_until = $2, row_version = row_version + 1 WHERE status_id = $1",
};

pub(crate) const STATEMENTS: &[Statement] = &[
    ADD_ENTITY,
    REPLACE_ENTITY,
    ADD_REVIEW,
    CLOSE_REVIEW,
    APPROVE_REVIEW,
    ADD_PHENOTYPE,
    ADD_PUBLICATION,
    ADD_ANNOTATION,
    ADD_STATUS,
    CLOSE_STATUS,
];

/// Writes for one account at one moment.
pub(super) struct Writer<'a> {
    pub(super) transaction: &'a mut Transaction,
    pub(super) ids: &'a mut Ids,
    pub(super) account: i64,
    pub(super) now: &'a str,
}

impl Writer<'_> {
    /// Adds an entity with its review and its status. Returns its id.
    pub(super) async fn add(
        &mut self,
        entity: &Entity<'_>,
        content: &Content,
        entry_date: &str,
    ) -> Result<i64, Error> {
        let id = self.ids.next(Sequence::Entity);
        let review = self.ids.next(Sequence::Review);
        let status = self.ids.next(Sequence::Status);
        let values: [Value; 10] = [
            id.into(),
            (&entity.locus.hgnc_id).into(),
            entity.inheritance.to_string().into(),
            entity.disease_id.into(),
            entity.disease.is_neurodevelopmental.into(),
            entry_date.into(),
            super::ENTRY_SOURCE.into(),
            self.account.into(),
            review.into(),
            status.into(),
        ];
        self.transaction.execute(&ADD_ENTITY, &values).await?;
        self.write_review(id, review, None, content).await?;
        self.approve_review(review).await?;
        self.write_status(id, status, None, entity.disease.category().id()).await?;
        Ok(id)
    }

    /// Lets an entity give way to another.
    pub(super) async fn replace(&mut self, old: i64, new: i64) -> Result<(), Error> {
        self.transaction.execute(&REPLACE_ENTITY, &[old.into(), new.into()]).await.map(drop)
    }

    /// Supersedes the public review of an entity.
    pub(super) async fn review(
        &mut self,
        entity: i64,
        old: i64,
        content: &Content,
    ) -> Result<(), Error> {
        let review = self.ids.next(Sequence::Review);
        self.write_review(entity, review, Some(old), content).await?;
        self.transaction.execute(&CLOSE_REVIEW, &[old.into(), self.now.into()]).await?;
        self.approve_review(review).await
    }

    /// Supersedes the public status of an entity.
    pub(super) async fn status(
        &mut self,
        entity: i64,
        old: i64,
        category: i64,
    ) -> Result<(), Error> {
        let status = self.ids.next(Sequence::Status);
        self.transaction.execute(&CLOSE_STATUS, &[old.into(), self.now.into()]).await?;
        self.write_status(entity, status, Some(old), category).await
    }

    async fn approve_review(&mut self, review: i64) -> Result<(), Error> {
        let values = [review.into(), self.now.into(), self.account.into()];
        self.transaction.execute(&APPROVE_REVIEW, &values).await.map(drop)
    }

    async fn write_status(
        &mut self,
        entity: i64,
        status: i64,
        supersedes: Option<i64>,
        category: i64,
    ) -> Result<(), Error> {
        let values = [
            status.into(),
            entity.into(),
            category.into(),
            self.now.into(),
            self.account.into(),
            supersedes.into(),
        ];
        self.transaction.execute(&ADD_STATUS, &values).await.map(drop)
    }

    async fn write_review(
        &mut self,
        entity: i64,
        review: i64,
        supersedes: Option<i64>,
        content: &Content,
    ) -> Result<(), Error> {
        let values =
            [review.into(), entity.into(), self.now.into(), self.account.into(), supersedes.into()];
        self.transaction.execute(&ADD_REVIEW, &values).await?;
        for (phenotype, modifier) in &content.phenotypes {
            let values = [
                self.ids.next(Sequence::ReviewPhenotype).into(),
                review.into(),
                entity.into(),
                phenotype.into(),
                (*modifier).into(),
                self.now.into(),
            ];
            self.transaction.execute(&ADD_PHENOTYPE, &values).await?;
        }
        for number in &content.publications {
            let id = self.ids.next(Sequence::ReviewPublication);
            let values = [id.into(), review.into(), entity.into(), format!("PMID:{number}").into()];
            self.transaction.execute(&ADD_PUBLICATION, &values).await?;
        }
        for annotation in &content.annotations {
            let id = self.ids.next(Sequence::Annotation);
            let mut values = Vec::with_capacity(12);
            values.extend([Value::Integer(id), review.into(), entity.into()]);
            values.extend(annotation.iter().map(Value::from));
            self.transaction.execute(&ADD_ANNOTATION, &values).await?;
        }
        Ok(())
    }
}
