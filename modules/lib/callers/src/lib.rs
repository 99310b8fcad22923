//! The command line, the same for every module, and the callers with a contract of their own: JSON lines (`--jsonl`),
//! Microsoft DSC, Puppet Bolt and Salt.

mod bolt;
mod command;
mod difference;
mod dsc;
mod lines;
mod misuse;
mod output;
mod program;
mod resource;
mod salt;
mod series;

pub use program::Program;
pub use resource::Resource;
