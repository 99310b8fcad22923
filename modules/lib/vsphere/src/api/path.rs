//! Datacenters, folders and inventory paths.

use crate::api::similar;
use crate::session::error::Error;
use crate::session::object::Object;
use crate::session::property::Follow;
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;
use crate::text::one_line;

/// Deeper than any inventory, so that a loop of parents ends.
const DEPTH: usize = 64;
/// Number of ambiguous objects that a message names.
const CANDIDATES: usize = 20;
/// Longest of their paths, in bytes.
const PATH: usize = 1000;

impl Session {
    /// Returns the `SearchIndex`.
    pub(crate) fn search_index(&self) -> Result<Moref, Error> {
        self.content()
            .search_index
            .clone()
            .ok_or_else(|| Error::Protocol("the server cannot search its inventory (no SearchIndex)".to_owned()))
    }

    /// Returns the object at an inventory path (`SearchIndex.FindByInventoryPath`).
    async fn at_path(&self, path: &str) -> Result<Option<Moref>, Error> {
        let mut request = Request::new("FindByInventoryPath", &self.search_index()?);
        request.text("inventoryPath", path);
        let response = self.query(&request).await?;
        Ok(returned(&response).ok().and_then(Element::moref))
    }

    /// Finds a datacenter by path or name, and returns it with its path.
    pub(crate) async fn datacenter(&self, name: &str) -> Result<(Moref, String), Error> {
        let path = name.trim_matches('/');
        if let Some(found) = self.at_path(path).await?
            && found.kind == "Datacenter"
        {
            return Ok((found, path.to_owned()));
        }
        let all = self.datacenters().await?;
        let only = &self.only("datacenter", name, &all).await?.moref;
        Ok((only.clone(), self.path_of(only).await?))
    }

    /// Returns the object from which a search starts: the datacenter of that path or name, else the root folder.
    pub(crate) async fn root(&self, datacenter: Option<&str>) -> Result<Moref, Error> {
        match datacenter {
            Some(name) => Ok(self.datacenter(name).await?.0),
            None => Ok(self.content().root_folder.clone()),
        }
    }

    /// Returns the only object of that name among `objects`, which are of the sort `sort`. [`Error::NotFound`] and
    /// [`Error::Ambiguous`].
    pub(crate) async fn only<'a>(&self, sort: &str, name: &str, objects: &'a [Object]) -> Result<&'a Object, Error> {
        let matching: Vec<&Object> = objects.iter().filter(|object| object.name() == name).collect();
        let what = format!("{sort} `{name}`");
        match matching[..] {
            [only] => Ok(only),
            [] => Err(Error::NotFound { what, hint: similar::hint(name, objects.iter().map(Object::name)) }),
            _ => {
                let morefs: Vec<Moref> = matching.iter().map(|object| object.moref.clone()).collect();
                Err(self.ambiguous(what, &morefs).await?)
            }
        }
    }

    async fn datacenters(&self) -> Result<Vec<Object>, Error> {
        let root = self.content().root_folder.clone();
        let follow = [Follow { from: "Folder", path: "childEntity" }];
        self.read(&[root], &[("Datacenter", &["name"])], &follow).await
    }

    /// Finds the folder or vApp at `folder`: a whole inventory path, or one below the datacenter's `vm` folder. It must be in the
    /// datacenter, if one is named.
    pub(crate) async fn vm_folder(&self, folder: &str, datacenter: Option<&str>) -> Result<Moref, Error> {
        let path = folder.trim_matches('/');
        let named = match datacenter {
            Some(name) => Some(self.datacenter(name).await?),
            None => None,
        };
        let within = named.as_ref().map(|(moref, _)| moref);
        let is_absolute = folder.starts_with('/');
        let whole = is_absolute || within.is_none();
        if whole && let Some(found) = self.holder(path, within).await? {
            return Ok(found);
        }
        let mut what = format!("virtual machine folder `{folder}`");
        let mut wanted = format!("/{path}");
        let base = match &named {
            Some((_, base)) => Some(base.clone()),
            None => match &self.datacenters().await?[..] {
                [only] => Some(self.path_of(&only.moref).await?),
                _ if is_absolute => None,
                _ => {
                    let hint =
                        "there is not exactly one datacenter; set `datacenter`, or give the whole inventory path";
                    return Err(Error::NotFound { what, hint: Some(hint.to_owned()) });
                }
            },
        };
        if let Some(base) = base {
            for below in [format!("{base}/vm/{path}"), format!("{base}/{path}")] {
                if let Some(found) = self.holder(&below, None).await? {
                    return Ok(found);
                }
            }
            if !is_absolute {
                wanted = format!("/{base}/vm/{path}");
            }
        }
        if !whole && let Some(found) = self.holder(path, within).await? {
            return Ok(found);
        }
        if let Some(datacenter) = datacenter {
            what = format!("{what} in datacenter `{datacenter}`");
        }
        let paths = self.folder_paths().await?;
        let hint = if paths.contains(&wanted) {
            Some("the folder of this path is in another datacenter".to_owned())
        } else {
            similar::hint(&wanted, paths)
        };
        Err(Error::NotFound { what, hint })
    }

    /// Returns the folder or vApp at that path, if it is in the datacenter `within`.
    async fn holder(&self, path: &str, within: Option<&Moref>) -> Result<Option<Moref>, Error> {
        let found = self.at_path(path).await?;
        let Some(found) = found.filter(|it| matches!(it.kind.as_str(), "Folder" | "VirtualApp")) else {
            return Ok(None);
        };
        let Some(datacenter) = within else { return Ok(Some(found)) };
        let above = self.upwards(std::slice::from_ref(&found)).await?;
        Ok(above.iter().any(|object| object.moref == *datacenter).then_some(found))
    }

    /// Returns the paths of all folders and vApps that may hold virtual machines: one request.
    async fn folder_paths(&self) -> Result<Vec<String>, Error> {
        let follow = [Follow { from: "Folder", path: "childEntity" }, Follow { from: "Datacenter", path: "vmFolder" }];
        let want: [(&str, &[&str]); 3] = [
            ("Folder", &["name", "parent"]),
            ("VirtualApp", &["name", "parentFolder"]),
            ("Datacenter", &["name", "parent"]),
        ];
        let objects = self.read(&[self.content().root_folder.clone()], &want, &follow).await?;
        let holders = objects.iter().filter(|object| object.moref.kind != "Datacenter");
        Ok(holders.map(|object| path(&object.moref, &objects)).collect())
    }

    async fn path_of(&self, moref: &Moref) -> Result<String, Error> {
        let mut paths = self.paths_of(std::slice::from_ref(moref)).await?;
        Ok(paths.pop().unwrap_or_default().trim_matches('/').to_owned())
    }

    /// Returns [`Error::Ambiguous`] with the paths of these objects.
    pub(crate) async fn ambiguous(&self, what: String, morefs: &[Moref]) -> Result<Error, Error> {
        let more = morefs.len().saturating_sub(CANDIDATES);
        let morefs = &morefs[..morefs.len() - more];
        let paths = self.paths_of(morefs).await?;
        let candidates = paths.iter().zip(morefs);
        let mut candidates: Vec<String> =
            candidates.map(|(path, moref)| format!("{} ({moref})", one_line(path, PATH))).collect();
        candidates.sort();
        if more > 0 {
            candidates.push(format!("{more} more"));
        }
        Ok(Error::Ambiguous { what, candidates })
    }

    /// Returns the inventory path, without a leading slash, of the object of that type that holds `moref`: one request.
    pub(crate) async fn holder_of_kind(&self, moref: &Moref, kind: &str) -> Result<Option<String>, Error> {
        let objects = self.upwards(std::slice::from_ref(moref)).await?;
        let holder = objects.iter().find(|object| object.moref.kind == kind);
        Ok(holder.map(|holder| path(&holder.moref, &objects).trim_matches('/').to_owned()))
    }

    /// Returns inventory paths such as `/DC/vm/lab/inner`: one request for all.
    async fn paths_of(&self, morefs: &[Moref]) -> Result<Vec<String>, Error> {
        let objects = self.upwards(morefs).await?;
        Ok(morefs.iter().map(|moref| path(moref, &objects)).collect())
    }

    /// Reads these objects and everything above them, with the properties for paths.
    async fn upwards(&self, morefs: &[Moref]) -> Result<Vec<Object>, Error> {
        let follow = [
            Follow { from: "ManagedEntity", path: "parent" },
            Follow { from: "VirtualMachine", path: "parentVApp" },
            Follow { from: "VirtualApp", path: "parentFolder" },
        ];
        let want: [(&str, &[&str]); 3] = [
            ("ManagedEntity", &["name", "parent"]),
            ("VirtualMachine", &["name", "parent", "parentVApp"]),
            ("VirtualApp", &["name", "parent", "parentFolder"]),
        ];
        self.read(morefs, &want, &follow).await
    }
}

/// Returns the path of `moref` from everything above it. The root folder is not part of paths.
fn path(moref: &Moref, objects: &[Object]) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut next = Some(moref.clone());
    while let Some(moref) = next.take()
        && names.len() < DEPTH
        && let Some(object) = objects.iter().find(|object| object.moref == moref)
    {
        // A vApp's parent is a resource pool, which is not part of the path either.
        next = ["parentFolder", "parentVApp", "parent"].into_iter().find_map(|property| object.moref(property));
        if next.is_some() {
            names.push(object.text("name").unwrap_or(&object.moref.id));
        }
    }
    if names.is_empty() {
        return format!("/{moref}");
    }
    names.reverse();
    format!("/{}", names.join("/"))
}
