//! Files on datastores, by plain HTTP (`/folder/…`).

use std::fmt::Write;

use crate::session::about::ApiType;
use crate::session::download::FileTail;
use crate::session::error::Error;
use crate::session::state::Session;
use crate::soap::moref::Moref;
use crate::text::brief;

/// Longest datastore name or path in a message, in bytes.
const NAME: usize = 1000;

/// A file on a datastore, e.g. `[datastore1] inner/vmware.log`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatastorePath {
    /// The datastore's name.
    pub datastore: String,
    /// The path on it, without a leading slash.
    pub path: String,
}

impl DatastorePath {
    /// Reads `[datastore1] inner/inner.vmx`. `None` if it has no datastore.
    pub fn parse(text: &str) -> Option<Self> {
        let (datastore, path) = text.trim().strip_prefix('[')?.split_once(']')?;
        Some(Self { datastore: datastore.to_owned(), path: path.trim().trim_matches('/').to_owned() })
    }

    /// Returns the folder that holds it.
    #[must_use]
    pub fn folder(&self) -> Self {
        let path = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Self { datastore: self.datastore.clone(), path: path.to_owned() }
    }

    /// Returns the name of the file, or of the last folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the path of a file in this folder.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        Self { datastore: self.datastore.clone(), path }
    }
}

impl std::fmt::Display for DatastorePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}] {}", brief(&self.datastore, NAME), brief(&self.path, NAME))
    }
}

impl Session {
    /// Returns the inventory path of the datacenter that holds this object, without a leading slash, as
    /// [`Session::file_tail`] takes it: one request on vCenter Server, none on ESXi, which has only one.
    pub async fn datacenter_of(&self, object: &Moref) -> Result<String, Error> {
        if self.about().api_type == ApiType::HostAgent {
            return Ok("ha-datacenter".to_owned());
        }
        self.holder_of_kind(object, "Datacenter").await?.ok_or_else(|| Error::NotFound {
            what: format!("the datacenter of {object}"),
            hint: Some("this user may not see it".to_owned()),
        })
    }

    /// Reads the last `count` bytes of a file (`Range: bytes=-N`): one request. Needs the privileges `Datastore.Browse`
    /// and `Datastore.FileManagement`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if file not found, [`Error::Unreadable`] if the user may not read it,
    /// [`WireError::Elsewhere`](crate::WireError::Elsewhere) if another server has it.
    pub async fn file_tail(&self, datacenter: &str, file: &DatastorePath, count: u64) -> Result<FileTail, Error> {
        self.download_tail(&address(datacenter, file), &file.to_string(), count).await
    }
}

/// Returns the address of a file below `/folder/`.
fn address(datacenter: &str, file: &DatastorePath) -> String {
    let path: Vec<String> = file.path.split('/').map(encode).collect();
    // vCenter Server decodes the name of the datacenter twice if it contains an ampersand.
    let datacenter = encode(datacenter).replace("%26", "%2526");
    format!("{}?dcPath={datacenter}&dsName={}", path.join("/"), encode(&file.datastore))
}

/// Percent-encodes everything except the unreserved characters of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datastore_paths_are_parsed() {
        let cases = [
            ("[datastore1] inner/inner.vmx", Some(("datastore1", "inner/inner.vmx", "inner", "inner.vmx"))),
            ("[data store (1)] inner", Some(("data store (1)", "inner", "", "inner"))),
            ("[datastore1] inner/", Some(("datastore1", "inner", "", "inner"))),
            ("[ds]", Some(("ds", "", "", ""))),
            ("/vmfs/volumes/datastore1/inner.vmx", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let path = DatastorePath::parse(text);
            let folder = path.as_ref().map(DatastorePath::folder);
            let found = path
                .as_ref()
                .zip(folder.as_ref())
                .map(|(path, folder)| (path.datastore.as_str(), path.path.as_str(), folder.path.as_str(), path.name()));
            assert_eq!(found, expected, "{text}");
        }
        let folder = DatastorePath::parse("[ds] a/b").unwrap();
        assert_eq!(folder.join("vmware.log").to_string(), "[ds] a/b/vmware.log");
    }

    #[test]
    fn addresses_are_encoded_by_segment() {
        let file = DatastorePath::parse("[data store] inner é/vmware.log").unwrap();
        assert_eq!(
            address("Folder/R&D", &file),
            "inner%20%C3%A9/vmware.log?dcPath=Folder%2FR%2526D&dsName=data%20store"
        );
    }
}
