//! Encryption of the traffic between a primary and its secondary.

use crate::session::state::Session;
use crate::session::write::WriteError;
use crate::soap::moref::Moref;
use crate::soap::request::Request;

impl Session {
    /// Starts setting the encryption of Fault Tolerance (`ReconfigVM_Task`, `VirtualMachineConfigSpec.ftEncryptionMode`, API
    /// 7.0.2.0 and later) and returns the task. `mode` is one of `VirtualMachineConfigSpecEncryptedFtModes`.
    pub async fn set_ft_encryption(&self, vm: &Moref, mode: &str) -> Result<Moref, WriteError> {
        self.start(&set(vm, mode)).await
    }
}

fn set(vm: &Moref, mode: &str) -> Request {
    let mut request = Request::new("ReconfigVM_Task", vm);
    request.nest("spec", |spec| {
        spec.text("ftEncryptionMode", mode);
    });
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_mode_is_written() {
        assert_eq!(
            set(&Moref::new("VirtualMachine", "vm-63"), "ftEncryptionRequired").call(),
            concat!(
                r#"<ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-63</_this>"#,
                r"<spec><ftEncryptionMode>ftEncryptionRequired</ftEncryptionMode></spec></ReconfigVM_Task>",
            )
        );
    }
}
