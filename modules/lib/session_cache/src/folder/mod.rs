//! The folder of the sessions, and the checks that it and its files belong to the user alone. Only Unix has one.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;
