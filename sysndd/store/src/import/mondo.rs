//! Mondo as one JSON array of records, of which one is in memory at a time.

use std::fmt;
use std::io::{BufReader, Read as _};

use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use sysndd_core::import::Problem;
use sysndd_core::import::disease_name::DiseaseNames;

use super::lines::Hashing;
use super::{Error, Monitor, Source};

/// The file has a hundredth of it.
const FILE_MAX: u64 = 1 << 30;

#[derive(Deserialize)]
struct Record {
    id: String,
    name: Option<String>,
    #[serde(default)]
    xrefs: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
    namespace: String,
}

struct Records;

impl<'de> Visitor<'de> for Records {
    type Value = DiseaseNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records with id, name and xrefs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<DiseaseNames, A::Error> {
        let mut names = DiseaseNames::default();
        while let Some(record) = records.next_element::<Record>()? {
            let Some(label) = record.name.filter(|label| !label.is_empty()) else { continue };
            let mondo = format!("MONDO:{}", record.id);
            for reference in record.xrefs.iter().filter(|reference| reference.namespace == "OMIM") {
                if !names.add(&format!("OMIM:{}", reference.id), &mondo, &label) {
                    return Err(serde::de::Error::custom("more names than there can be"));
                }
            }
        }
        Ok(names)
    }
}

/// Reads the file. Returns its names and its hash.
pub(super) fn read(
    source: &Source,
    monitor: &dyn Monitor,
) -> Result<(DiseaseNames, String), Error> {
    let mut hashing = Hashing::open(source, monitor)?;
    let malformed = |error: serde_json::Error| {
        let line = u64::try_from(error.line()).unwrap_or(0);
        let problem = Problem::new(line, error.to_string());
        Error::Malformed { file: source.file.clone(), problem }
    };
    let mut json =
        serde_json::Deserializer::from_reader(BufReader::new((&mut hashing).take(FILE_MAX)));
    let names = json.deserialize_seq(Records).map_err(malformed)?;
    json.end().map_err(malformed)?;
    drop(json);
    Ok((names, hashing.finish()))
}
