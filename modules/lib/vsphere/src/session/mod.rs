//! Sessions: logging in and out, API versions, retries, reads, writes and their tasks.
//!
//! This room combines `soap` and `wire` into calls that survive a busy server, a lost connection and an expired session. It
//! must not know virtual machines, hosts or Fault Tolerance (`api`). Its [`Error`](error::Error) wraps the errors of both
//! rooms below.

pub(crate) mod about;
pub(crate) mod alarm;
pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod download;
pub(crate) mod error;
pub(crate) mod keeper;
pub(crate) mod login;
pub(crate) mod object;
pub(crate) mod pages;
pub(crate) mod property;
pub(crate) mod retry;
pub(crate) mod saved;
pub(crate) mod state;
pub(crate) mod task;
pub(crate) mod trace;
pub(crate) mod version;
pub(crate) mod write;
