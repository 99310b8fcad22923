//! Operations that keep a protected virtual machine protected.

use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

impl Session {
    /// Starts a test failover (`MakePrimaryVM_Task` on the primary `vm`) and returns the task: `secondary` takes over, and
    /// the old primary becomes the secondary.
    pub async fn make_primary(&self, vm: &Moref, secondary: &Moref) -> Result<Moref, WriteError> {
        self.start(&on_secondary("MakePrimaryVM_Task", vm, secondary)).await
    }

    /// Starts ending the secondary (`TerminateFaultTolerantVM_Task` on the primary `vm`) and returns the task. vSphere then
    /// starts a new secondary.
    pub async fn terminate_secondary(&self, vm: &Moref, secondary: &Moref) -> Result<Moref, WriteError> {
        self.start(&on_secondary("TerminateFaultTolerantVM_Task", vm, secondary)).await
    }
}

fn on_secondary(method: &'static str, vm: &Moref, secondary: &Moref) -> Request {
    let mut request = Request::new(method, vm);
    request.moref("vm", secondary);
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_goes_to_the_primary_and_names_the_secondary() {
        let (vm, secondary) = (Moref::new("VirtualMachine", "vm-63"), Moref::new("VirtualMachine", "vm-70"));
        for method in ["MakePrimaryVM_Task", "TerminateFaultTolerantVM_Task"] {
            let expected = format!(
                r#"<{method} xmlns="urn:vim25"><_this type="VirtualMachine">vm-63</_this><vm type="VirtualMachine">vm-70</vm></{method}>"#
            );
            assert_eq!(on_secondary(method, &vm, &secondary).call(), expected);
        }
    }
}
