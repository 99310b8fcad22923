//! The paths between the vmknics of two hosts, and the answers to pings.

use vsphere::PingReply;

use crate::finding::Status;

/// The headers of IP and ICMP, in bytes: the part of a packet that is not payload.
const HEADERS: u32 = 28;

/// The paths between hosts, each with the answers to its pings once they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// The probed paths.
    pub paths: Vec<Path>,
    /// Why nothing could be probed.
    pub refused: Option<String>,
}

/// A path from a vmknic of one host to a vmknic of another that carries the same service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The service, as the API names it.
    pub service: &'static str,
    /// Managed object id of the host that pings.
    pub from: String,
    /// Its vmknic.
    pub device: String,
    /// The TCP/IP stack of this vmknic.
    pub stack: Option<String>,
    /// The MTU of this vmknic, in bytes.
    pub mtu: u32,
    /// Managed object id of the host to ping.
    pub to: String,
    /// The IPv4 address of its vmknic.
    pub address: String,
    /// The answer to packets as large as the MTU.
    pub large: Answer,
    /// The answer to small packets, which are sent if the large ones are lost.
    pub small: Answer,
}

/// The answer to the pings of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// At least one packet was answered.
    Answered {
        /// Packets sent.
        sent: u32,
        /// Packets answered.
        received: u32,
    },
    /// No packet was answered, for this reason.
    Lost(String),
    /// The pings could not be sent, for this reason.
    Unknown(String),
}

impl Answer {
    /// Reads the result of pings.
    pub fn of(reply: PingReply) -> Self {
        match reply {
            PingReply::Counted { sent: 0, .. } => Self::Unknown("the host sent no packet".to_owned()),
            PingReply::Counted { sent, received: 0 } => Self::Lost(format!("0 of {sent} answered")),
            PingReply::Counted { sent, received } => Self::Answered { sent, received },
            // Too large for the path, no route, or no answer to ARP. Other errors are about the command.
            PingReply::Failed(text) if text.starts_with("sendto() failed") => Self::Lost(text),
            PingReply::Failed(text) => Self::Unknown(text),
        }
    }

    fn status(&self) -> Status {
        match self {
            Self::Answered { .. } => Status::Met,
            Self::Lost(_) => Status::Unmet,
            Self::Unknown(_) => Status::Unknown,
        }
    }
}

impl Path {
    /// The payload of a packet as large as the MTU.
    pub fn size(&self) -> u32 {
        self.mtu.saturating_sub(HEADERS)
    }

    /// Notes why the path was not probed to the end.
    pub fn give_up(&mut self, why: String) {
        // A loss that is known stays known.
        let open = if matches!(self.large, Answer::Lost(_)) { &mut self.small } else { &mut self.large };
        *open = Answer::Unknown(why);
    }
}

impl Probe {
    /// Returns how the host `from` reaches the vmknics of the service on `to`; `None` if that was not probed.
    pub fn status(&self, service: &str, from: &str, to: &str) -> Option<Status> {
        let paths = self.paths.iter().filter(|path| path.service == service && path.from == from && path.to == to);
        paths.map(|path| path.large.status()).max()
    }
}
