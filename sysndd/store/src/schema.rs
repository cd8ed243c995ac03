//! The schema: migration files, embedded, with the manifest that holds them.

/// Name and text of each migration, in order.
pub const FILES: &[(&str, &str)] = &[
    (
        "0001_people_and_vocabularies.sql",
        include_str!("../migrations/0001_people_and_vocabularies.sql"),
    ),
    (
        "0002_genes_diseases_publications.sql",
        include_str!("../migrations/0002_genes_diseases_publications.sql"),
    ),
    ("0003_entities.sql", include_str!("../migrations/0003_entities.sql")),
    (
        "0004_approved_content_stays.sql",
        include_str!("../migrations/0004_approved_content_stays.sql"),
    ),
    ("0005_public.sql", include_str!("../migrations/0005_public.sql")),
];

/// One line `CHECKSUM  NAME` for each file, as `sha256sum` prints it.
pub const MANIFEST: &str = include_str!("../migrations/MANIFEST");
