//! Numbers, times and foreign text for people.

use std::time::Duration;

use dsg_core::entry::Moment;
use jiff::Timestamp;

/// Text of others, such that it can't steer a terminal.
pub(crate) fn safe(text: &str) -> String {
    dsg_core::name::display_safe(text)
}

/// A text as an argument of a command that people copy: quoted for a shell where it has to be, and no
/// option.
pub(crate) fn argument(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+,=:@%".contains(c);
    let quoted = if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    };
    if text.starts_with('-') { format!("-- {quoted}") } else { quoted }
}

/// A number of bytes: `512 B`, `1.5 KiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    // Tenths of a unit, cut and not rounded, so that nothing is said to be there that is not.
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10 / 1024;
    while tenths >= 10 * 1024 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

/// `1 file`, `2 files`; the plural of a word that takes an s.
pub(crate) fn count(number: u64, word: &str) -> String {
    let plural = match word.strip_suffix('y') {
        Some(stem) if number != 1 => format!("{stem}ies"),
        _ if number != 1 => format!("{word}s"),
        _ => word.to_owned(),
    };
    format!("{number} {plural}")
}

/// How long something took: `0.4 s`, `3 min 5 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A time of a file, UTC in RFC 3339; `None` when it is out of a calendar's reach.
pub(crate) fn moment(moment: Moment) -> Option<String> {
    let (seconds, nanoseconds) = moment.parts();
    let nanoseconds = i32::try_from(nanoseconds).ok()?;
    Timestamp::new(seconds, nanoseconds).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_can_be_copied_into_a_shell() {
        for (text, shown) in [
            ("input/a.csv", "input/a.csv"),
            ("caf\u{e9}", "caf\u{e9}"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$(x)", "'$(x)'"),
            ("-n", "-- -n"),
            ("-n x", "-- '-n x'"),
            ("", "''"),
        ] {
            assert_eq!(argument(text), shown);
        }
    }

    #[test]
    fn sizes_are_short_and_never_too_large() {
        for (number, text) in [
            (0, "0 B"),
            (512, "512 B"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 40, "1.0 TiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn words_have_a_plural() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(2, "entry"), "2 entries");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(Duration::from_millis(440)), "0.4 s");
        assert_eq!(duration(Duration::from_secs(185)), "3 min 5 s");
        assert_eq!(duration(Duration::from_secs(7_320)), "2 h 2 min");
    }
}
