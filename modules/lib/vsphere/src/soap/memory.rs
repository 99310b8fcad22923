//! The memory that documents take.

use std::cell::Cell;

use crate::soap::error::SoapError;

/// Limit for the elements of all replies that are held at the same time, in bytes.
pub(super) const LIMIT: usize = 64 << 20;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Counts the memory of a document until it is dropped. All documents of a thread share [`LIMIT`].
#[derive(Debug, Default)]
pub(crate) struct Held(Cell<usize>);

/// Returns the memory of all documents of this thread, in bytes.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn held() -> usize {
    HELD.get()
}

impl Held {
    /// Counts `bytes` more. [`SoapError::TooLarge`] above the limit.
    pub(crate) fn add(&self, bytes: usize) -> Result<(), SoapError> {
        let all = HELD.get() + bytes;
        if all > LIMIT {
            return Err(SoapError::TooLarge { limit: LIMIT });
        }
        HELD.set(all);
        self.0.set(self.0.get() + bytes);
        Ok(())
    }
}

/// Equal elements may come from different documents.
impl PartialEq for Held {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(HELD.get() - self.0.get());
    }
}
