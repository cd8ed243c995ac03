//! The rules of the product, each proven by a test of its name on a real file system.
//! `docs/promises.md` lists them.

mod world;

#[path = "rules/apply.rs"]
mod apply;
#[path = "rules/commit.rs"]
mod commit;
#[path = "rules/cost.rs"]
mod cost;
#[path = "rules/crash_and_restore.rs"]
mod crash_and_restore;
#[path = "rules/damage.rs"]
mod damage;
#[path = "rules/deletion.rs"]
mod deletion;
#[path = "rules/durability.rs"]
mod durability;
#[path = "rules/fixture.rs"]
mod fixture;
#[path = "rules/full.rs"]
mod full;
#[path = "rules/history.rs"]
mod history;
#[path = "rules/index.rs"]
mod index;
#[path = "rules/links.rs"]
mod links;
#[path = "rules/merge.rs"]
mod merge;
#[path = "rules/modes.rs"]
mod modes;
#[path = "rules/names.rs"]
mod names;
#[path = "rules/project.rs"]
mod project;
#[path = "rules/promises.rs"]
mod promises;
#[path = "rules/races.rs"]
mod races;
#[path = "rules/repository.rs"]
mod repository;
