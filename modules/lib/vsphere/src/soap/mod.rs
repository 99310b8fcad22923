//! SOAP: requests written as XML, and replies read into elements, references and faults.
//!
//! This room turns text into values and values into text. It must not know how a message travels (`wire`), who is logged in
//! (`session`), or what a method does (`api`). Its error is [`SoapError`](error::SoapError).

pub(crate) mod document;
pub(crate) mod element;
pub(crate) mod error;
pub(crate) mod escape;
pub(crate) mod fault;
pub(crate) mod memory;
pub(crate) mod moref;
pub(crate) mod name;
pub(crate) mod reply;
pub(crate) mod request;
