//! A log, with the signatures of `ft_diagnose`.

#![no_main]

use std::rc::Rc;

use diagnosis::Catalogue;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static CATALOGUE: Rc<Catalogue> = diagnosis::invariants::catalogue();
}

fuzz_target!(|input: &[u8]| CATALOGUE.with(|catalogue| diagnosis::invariants::log(catalogue, input)));
