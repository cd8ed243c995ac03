//! A library that panics where an error belongs, contained.
//!
//! The writer of workbooks has no way to say that its temporary file can't be written: it panics. That
//! is a full disk, not a defect, so it becomes an error with its text, and nothing is printed of it.
//! Looking for space first would not do: another process may take it while the file is written.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// Set once, for all threads: what happens elsewhere goes on as before.
static HOOK: Once = Once::new();

thread_local! {
    /// What a panic said; there only while this thread contains one.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does the work on this thread, which must not be used further if it fails.
///
/// # Errors
/// What the panic said, and where.
pub(super) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !keep(panic) {
                before(panic);
            }
        }));
    });
    SAID.set(Some(String::new()));
    // What the work had is dropped with it; nothing half changed is seen by anybody.
    let result = catch_unwind(AssertUnwindSafe(work));
    let said = SAID.take().unwrap_or_default();
    result.map_err(|_| said)
}

/// Keeps what a panic says, if this thread contains it.
fn keep(panic: &PanicHookInfo<'_>) -> bool {
    SAID.with_borrow_mut(|said| {
        let Some(said) = said else { return false };
        let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
        *said = format!("{}{place}", panic.payload_as_str().unwrap_or("a panic"));
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_text_and_the_next_one_elsewhere_is_not_touched() {
        assert_eq!(contained(|| 7), Ok(7));
        let said = contained(|| -> u8 { panic!("no space") }).expect_err("a panic");
        assert!(said.starts_with("no space (") && said.contains("contained.rs"), "{said}");
        assert!(SAID.take().is_none());
    }
}
