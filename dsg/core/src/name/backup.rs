//! The names of the copies that dsg makes before it replaces a file.

/// Whether a name is that of a copy which dsg made before it replaced a file: anything, then
/// `~YYYYMMDDTHHMMSS`, then `Z` or an offset from UTC such as `-0700`, then `~`.
///
/// The legacy tool wrote local offsets and recognised only those west of Greenwich; all are
/// recognised here.
#[must_use]
pub fn is_backup_name(name: &str) -> bool {
    let Some(rest) = name.as_bytes().strip_suffix(b"~") else {
        return false;
    };
    let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
    let without_zone = match rest {
        [moment @ .., b'Z'] => moment,
        [moment @ .., b'+' | b'-', a, b, c, d] if digits(&[*a, *b, *c, *d]) => moment,
        _ => return false,
    };
    match without_zone.last_chunk::<16>() {
        Some([b'~', moment @ ..]) => {
            digits(&moment[..8]) && moment[8] == b'T' && digits(&moment[9..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backup_names_of_every_time_zone_are_recognised() {
        for backup in ["f~20250713T101112Z~", "~20250713T101112+0200~", "é~20250713T101112-0700~"]
        {
            assert!(is_backup_name(backup) && crate::name::judge(backup).is_ok(), "{backup}");
        }
        for other in [
            "f~",
            "f~20250713T101112~",
            "f20250713T101112Z~",
            "f~20250713t101112Z~",
            "~",
            "",
            "f~20250713T101112+200~",
            "f~2025071٣T101112Z~",
            "f~20250713T101112Z~.csv",
        ] {
            assert!(!is_backup_name(other), "{other}");
        }
    }
}
