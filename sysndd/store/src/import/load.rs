//! Bringing the database to a release, in one transaction.

use foundation_durable::{Database, Transaction};
use jiff::Timestamp;
use sysndd_core::import::evidence::Row;
use sysndd_core::import::plan::{Entity, Plan};

use super::entity::Writer;
use super::existing::{self, Content, Existing};
use super::{Error, Monitor, Phase, Release, Report, reference};
use crate::data_version;
use crate::ids::Ids;

/// Loads a release. When nothing differs, nothing is written and the data keeps its version.
///
/// # Errors
/// When the user asked to stop, or what the database says; then nothing was written.
pub async fn load(
    database: &Database,
    release: &Release,
    now: Timestamp,
    monitor: &dyn Monitor,
) -> Result<Report, Error> {
    let plan = release.plan();
    let now_text = data_version::time_text(now);
    let mut report = Report::of(&plan, release.sources.clone(), release.rows);
    let mut transaction = database.write().await?;
    let mut ids = Ids::lock(&mut transaction).await?;
    let account = reference::account(&mut transaction, &mut ids, &now_text).await?;
    report.changes.references =
        reference::update(&mut transaction, release, &plan, &now_text).await?;
    let writer = Writer { transaction: &mut transaction, ids: &mut ids, account, now: &now_text };
    entities(writer, release, &plan, monitor, &mut report).await?;
    finish(transaction, &ids, now, report).await
}

async fn finish(
    mut transaction: Transaction,
    ids: &Ids,
    now: Timestamp,
    mut report: Report,
) -> Result<Report, Error> {
    if report.changes.any() {
        ids.store(&mut transaction).await?;
        report.data_version = data_version::raise(&mut transaction, now).await?;
        transaction.commit().await?;
    } else {
        report.data_version = data_version::current(&mut transaction).await?;
    }
    Ok(report)
}

async fn entities(
    mut writer: Writer<'_>,
    release: &Release,
    plan: &Plan<'_>,
    monitor: &dyn Monitor,
    report: &mut Report,
) -> Result<(), Error> {
    let mut there = existing::entities(writer.transaction).await?;
    monitor.begin(Phase::Writing, u64::try_from(plan.entities.len()).unwrap_or(u64::MAX));
    let release_day = release.ontology.release().unwrap_or_default();
    for entity in &plan.entities {
        if monitor.stop_requested() {
            return Err(Error::Stopped);
        }
        let triple = (
            entity.locus.hgnc_id.clone(),
            entity.inheritance.to_string(),
            entity.disease_id.to_owned(),
        );
        let flag = entity.disease.is_neurodevelopmental;
        let mut known = there.remove(&triple).unwrap_or_default();
        let content = content_of(entity);
        match known.remove(&flag) {
            Some(existing) => compare(&mut writer, entity, &existing, &content, report).await?,
            None => {
                let id = writer.add(entity, &content, &entry_date(entity, release_day)).await?;
                report.changes.entities_added += 1;
                if let Some(other) = known.get(&!flag)
                    && other.is_active
                    && other.is_imported
                {
                    writer.replace(other.entity, id).await?;
                    report.changes.entities_replaced += 1;
                }
            }
        }
        monitor.advance(1);
    }
    let left = there.values().flat_map(|flags| flags.values());
    let left = left.filter(|existing| existing.is_imported && existing.is_active).count();
    report.not_in_release = u64::try_from(left).unwrap_or(u64::MAX);
    Ok(())
}

/// Holds an entity that is there against the release.
async fn compare(
    writer: &mut Writer<'_>,
    entity: &Entity<'_>,
    existing: &Existing,
    content: &Content,
    report: &mut Report,
) -> Result<(), Error> {
    let ours = |author: i64| author == writer.account;
    let (Some((review, reviewer)), Some((status, author, category, is_computed))) =
        (existing.review, existing.status)
    else {
        report.left_alone += 1;
        return Ok(());
    };
    if !existing.is_active || !ours(reviewer) || !ours(author) || !is_computed {
        report.left_alone += 1;
        return Ok(());
    }
    let mut is_changed = false;
    if existing::content(writer.transaction, review).await? != *content {
        writer.review(existing.entity, review, content).await?;
        report.changes.reviews_replaced += 1;
        is_changed = true;
    }
    let computed = entity.disease.category().id();
    if category != computed {
        writer.status(existing.entity, status, computed).await?;
        report.changes.statuses_replaced += 1;
        is_changed = true;
    }
    report.unchanged += u64::from(!is_changed);
    Ok(())
}

fn content_of(entity: &Entity<'_>) -> Content {
    let disease = entity.disease;
    Content {
        phenotypes: disease
            .phenotypes
            .iter()
            .map(|(term, modifier)| (term.to_string(), modifier.id()))
            .collect(),
        publications: disease.publications.clone(),
        annotations: disease.rows.iter().map(texts).collect(),
    }
}

fn texts(row: &Row) -> [String; 9] {
    [
        row.term.to_string(),
        row.aspect.to_string(),
        row.reference.to_string(),
        row.evidence.to_string(),
        row.onset.to_string(),
        row.frequency.to_string(),
        row.sex.to_string(),
        row.modifier.to_string(),
        row.biocuration.to_string(),
    ]
}

/// The first day of the disease's rows; where no row has one, that of the release; where that is
/// none, the first day of all.
fn entry_date(entity: &Entity<'_>, release: &str) -> String {
    let day = entity.disease.first_date.or_else(|| release.parse().ok());
    format!("{}T00:00:00Z", day.unwrap_or(jiff::civil::date(1970, 1, 1)))
}
