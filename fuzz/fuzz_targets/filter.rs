//! Any bytes as a filter: it is understood or refused, in little time, and what was understood can be
//! held against every table.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sysndd_core::filter::Filter;
use sysndd_core::filter::interpret::{Record, passes};
use sysndd_core::list::{ENTITY, GENE, PANEL, PHENOTYPE};

fuzz_target!(|bytes: &[u8]| {
    let Ok(filter) = Filter::parse_bytes(bytes) else { return };
    for table in [&ENTITY, &PHENOTYPE, &GENE, &PANEL] {
        if filter.check(table).is_ok() {
            let _ = passes(&filter, table, &Record::default());
        }
    }
});
