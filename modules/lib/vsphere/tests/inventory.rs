//! Finding virtual machines and hosts, and reading their properties.

mod server;

use server::{Asked, Server, fault, object, objects, soap};
use vsphere::{Error, Follow, HostQuery, Moref, VmBy, VmPaths, VmQuery};

const RETRIEVE: &str = "RetrievePropertiesEx";

fn by_name(name: &str) -> VmQuery {
    VmQuery { by: VmBy::Name(name.to_owned()), folder: None, datacenter: None }
}

fn vm(id: &str, name: &str, ft: &str) -> String {
    let mut properties = vec![("name", name), ("runtime.host", "@HostSystem:host-1")];
    if !ft.is_empty() {
        properties.push(("config.ftInfo", ft));
    }
    object("VirtualMachine", id, &properties)
}

const PRIMARY: &str = "<role>1</role>";
const SECONDARY: &str = r#"<role>2</role><primaryVM type="VirtualMachine">vm-1</primaryVM>"#;

/// Answers the n-th retrieval with the n-th of `answers`.
fn retrievals(answers: Vec<String>) -> impl FnMut(&Asked) -> Option<String> {
    let mut answers = answers.into_iter();
    move |asked| (asked.method == RETRIEVE).then(|| answers.next().unwrap_or_else(|| fault("Unasked", "")))
}

#[tokio::test]
async fn a_name_costs_two_requests_and_brings_host_and_cluster() {
    let host = object("HostSystem", "host-1", &[("name", "esx1"), ("parent", "@ClusterComputeResource:c1")]);
    let cluster = object("ClusterComputeResource", "c1", &[("name", "lab")]);
    let server = Server::start(retrievals(vec![
        objects(&[vm("vm-1", "inner%2f1", ""), vm("vm-2", "other", "")]),
        objects(&[vm("vm-1", "inner%2f1", ""), host, cluster]),
    ]))
    .await;
    let session = server.session().await.unwrap();
    let paths =
        VmPaths { host: &["summary.config.product.version"], cluster: &["configurationEx"], ..VmPaths::default() };
    let found = session.vm(&by_name("inner/1"), &paths).await.unwrap();
    assert_eq!(found.vm.name(), "inner/1");
    assert_eq!(found.host.unwrap().name(), "esx1");
    assert_eq!(found.cluster.unwrap().name(), "lab");
    assert_eq!(server.methods().len(), 4);
}

#[tokio::test]
async fn a_primary_is_preferred_to_its_secondary() {
    let pair = || objects(&[vm("vm-2", "inner", SECONDARY), vm("vm-1", "inner", PRIMARY)]);
    let alone = || objects(&[vm("vm-2", "inner", SECONDARY)]);
    let primary = || objects(&[vm("vm-1", "inner", PRIMARY)]);
    for (answers, requests) in [(vec![pair(), pair()], 4), (vec![alone(), alone(), primary()], 5)] {
        let server = Server::start(retrievals(answers)).await;
        let session = server.session().await.unwrap();
        let found = session.vm(&by_name("inner"), &VmPaths::default()).await;
        assert_eq!(found.unwrap().vm.moref.id, "vm-1");
        assert_eq!(server.methods().len(), requests);
    }
    // A moid may be that of a secondary.
    let server = Server::start(retrievals(vec![alone()])).await;
    let session = server.session().await.unwrap();
    let query = VmQuery { by: VmBy::Moid("vm-2".to_owned()), ..by_name("") };
    let found = session.vm(&query, &VmPaths::default()).await.unwrap();
    assert_eq!(found.vm.moref.id, "vm-2");
}

#[tokio::test]
async fn virtual_machines_of_one_name_are_listed_with_their_paths() {
    let both = || [vm("vm-1", "inner", ""), vm("vm-2", "inner", "")];
    let above = [
        object("VirtualMachine", "vm-1", &[("name", "inner"), ("parent", "@Folder:f1")]),
        object("VirtualMachine", "vm-2", &[("name", "inner"), ("parentVApp", "@VirtualApp:a1")]),
        object("VirtualApp", "a1", &[("name", "app"), ("parent", "@ResourcePool:p"), ("parentFolder", "@Folder:f1")]),
        object("Folder", "f1", &[("name", "vm"), ("parent", "@Datacenter:d1")]),
        object("Datacenter", "d1", &[("name", "DC"), ("parent", "@Folder:group-d1")]),
        object("Folder", "group-d1", &[("name", "Datacenters")]),
    ];
    let answers = vec![objects(&both()), objects(&both()), objects(&above)];
    let server = Server::start(retrievals(answers)).await;
    let session = server.session().await.unwrap();
    let error = session.vm(&by_name("inner"), &VmPaths::default()).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "virtual machine `inner` is ambiguous: /DC/vm/app/inner (vm-2), /DC/vm/inner (vm-1)"
    );
}

#[tokio::test]
async fn a_missing_name_gets_similar_names() {
    let server = Server::start(retrievals(vec![objects(&[vm("vm-1", "Inner", "")])])).await;
    let session = server.session().await.unwrap();
    let error = session.vm(&by_name("inner"), &VmPaths::default()).await;
    assert_eq!(error.unwrap_err().to_string(), "cannot find virtual machine `inner`; similar names: `Inner`");
}

#[tokio::test]
async fn a_folder_holds_its_virtual_machines_directly() {
    let mut paths = Vec::new();
    let mut answers = retrievals(vec![objects(&[vm("vm-1", "inner", "")]), objects(&[vm("vm-1", "inner", "")])]);
    let server = Server::start(move |asked| {
        if asked.method != "FindByInventoryPath" {
            return answers(asked);
        }
        let path = asked.body.split("inventoryPath>").nth(1).unwrap_or_default().to_owned();
        let found = match path.trim_end_matches("</") {
            "DC" => r#"<returnval type="Datacenter">d1</returnval>"#,
            "DC/vm/lab" => r#"<returnval type="Folder">f2</returnval>"#,
            _ => "",
        };
        paths.push(path);
        Some(soap("FindByInventoryPath", found))
    })
    .await;
    let session = server.session().await.unwrap();
    let query = VmQuery { folder: Some("lab".to_owned()), datacenter: Some("DC".to_owned()), ..by_name("inner") };
    session.vm(&query, &VmPaths::default()).await.unwrap();
    let asked = server.asked();
    let search = &asked.iter().find(|it| it.method == RETRIEVE).unwrap().body;
    assert!(search.contains(r#"<obj type="Folder">f2</obj>"#), "{search}");
    assert!(!search.contains("<selectSet><name>"), "one step only: {search}");
}

#[tokio::test]
async fn a_uuid_is_found_on_old_servers_too() {
    let server = Server::start(|asked| match asked.method.as_str() {
        "FindByUuid" => Some(soap("FindByUuid", r#"<returnval type="VirtualMachine">vm-1</returnval>"#)),
        RETRIEVE => Some(objects(&[vm("vm-1", "inner", "")])),
        _ => None,
    })
    .await;
    let session = server.session().await.unwrap();
    let query = VmQuery { by: VmBy::InstanceUuid("50-1".to_owned()), ..by_name("") };
    session.vm(&query, &VmPaths::default()).await.unwrap();
    let asked = server.asked();
    assert_eq!(server.methods()[2..], ["FindAllByUuid", "FindByUuid", RETRIEVE]);
    assert!(asked[3].body.contains("<uuid>50-1</uuid><vmSearch>true</vmSearch><instanceUuid>true</instanceUuid>"));
}

#[tokio::test]
async fn long_answers_are_read_to_the_end() {
    let page = |vms: &[(&str, &str)], token: &str| {
        let vms: String = vms.iter().map(|(id, path)| object("VirtualMachine", id, &[(path, id)])).collect();
        format!("<returnval>{token}{vms}</returnval>")
    };
    let first = soap(RETRIEVE, &page(&[("vm-1", "name"), ("vm-2", "config.version")], "<token>t&amp;1</token>"));
    // The second object is continued, and the first one repeated.
    let second = page(&[("vm-2", "name"), ("vm-3", "name"), ("vm-1", "config.version")], "");
    let second = soap("ContinueRetrievePropertiesEx", &second);
    let server = Server::start(move |asked| match asked.method.as_str() {
        RETRIEVE => Some(first.clone()),
        "ContinueRetrievePropertiesEx" => Some(second.clone()),
        _ => None,
    })
    .await;
    let session = server.session().await.unwrap();
    let root = session.content().root_folder.clone();
    let (want, follow): ([(&str, &[&str]); 1], _) =
        ([("VirtualMachine", &["name"])], [Follow { from: "Folder", path: "childEntity" }]);
    let whole = |vm: vsphere::Object| format!("{} {}", vm.name(), vm.text("config.version").is_some());
    let all = session.read(std::slice::from_ref(&root), &want, &follow).await.unwrap();
    let each = session.read_each(&[root], &want, &follow, whole).await.unwrap();
    assert_eq!(each, ["vm-1 false", "vm-2 true", "vm-3 false"]);
    assert_eq!(all.into_iter().map(whole).collect::<Vec<_>>(), each);
    let asked = server.asked();
    assert!(asked[3].body.contains("<token>t&amp;1</token>"));
    assert!(asked[2].body.contains("<options></options>"), "{}", asked[2].body);
    assert!(asked[4].body.contains("<options><maxObjects>250</maxObjects></options>"));
}

#[tokio::test]
async fn unset_properties_are_absent_and_unreadable_ones_have_a_reason() {
    let missing = r#"<returnval><objects><obj type="Folder">group-d1</obj><propSet><name>config</name>
        <val><a><b>7</b></a></val></propSet><missingSet><path>parent</path>
        <fault><fault xsi:type="NoPermission"><privilegeId>System.View</privilegeId></fault></fault></missingSet>
        </objects></returnval>"#;
    let server = Server::start(retrievals(vec![soap(RETRIEVE, ""), soap(RETRIEVE, missing)])).await;
    let session = server.session().await.unwrap();
    let root = [session.content().root_folder.clone()];
    let want: [(&str, &[&str]); 1] = [("Folder", &["parent", "config"])];
    assert!(session.read(&root, &want, &[]).await.unwrap().is_empty());
    assert!(session.read(&[], &want, &[]).await.unwrap().is_empty());
    let folder = session.read(&root, &want, &[]).await.unwrap().remove(0);
    assert_eq!(folder.int("config.a.b"), Some(7));
    assert_eq!(folder.text("parent"), None);
    let why = folder.missing("parent").unwrap();
    assert_eq!(why.fields["privilegeId"], "System.View");
    assert!(folder.missing("parents").is_none());
    assert_eq!(folder.name(), "group-d1");
}

#[tokio::test]
async fn a_repeated_page_token_needs_new_objects() {
    let page = |id: &str, token: &str| format!("<returnval>{token}{}</returnval>", object("VirtualMachine", id, &[]));
    let same = "<token>same</token>";
    for (last, says) in
        [("", "vm-1 vm-2 vm-3"), (same, "the server does not finish its answer to RetrievePropertiesEx")]
    {
        let first = soap(RETRIEVE, &page("vm-1", same));
        let mut pages = vec![page("vm-3", last), page("vm-2", same)];
        let server = Server::start(move |asked| match asked.method.as_str() {
            RETRIEVE => Some(first.clone()),
            "ContinueRetrievePropertiesEx" => {
                Some(soap("ContinueRetrievePropertiesEx", &pages.pop().unwrap_or_else(|| page("vm-3", same))))
            }
            _ => None,
        })
        .await;
        let session = server.session().await.unwrap();
        let folder = Moref::new("Folder", "group-v1");
        let outcome = match session.read(&[folder], &[("VirtualMachine", &["name"])], &[]).await {
            Ok(objects) => objects.into_iter().map(|object| object.moref.id).collect::<Vec<String>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert!(outcome.starts_with(says), "{outcome}");
    }
}

fn host(id: &str, name: &str) -> String {
    object("HostSystem", id, &[("name", name), ("parent", "@ClusterComputeResource:c1")])
}

#[tokio::test]
async fn hosts_come_in_the_order_of_the_query_each_once() {
    let server = Server::start(|asked| {
        let all = [
            host("h1", "esx1.lab"),
            host("h2", "esx2.lab"),
            object("HostSystem", "h3", &[("name", "solo")]),
            object("ClusterComputeResource", "c1", &[("name", "lab")]),
        ];
        (asked.method == RETRIEVE).then(|| objects(&all))
    })
    .await;
    let session = server.session().await.unwrap();
    let names = |names: &[&str]| HostQuery::Names(names.iter().map(ToString::to_string).collect());
    for (query, expected) in
        [(names(&["ESX2.lab", "esx1.LAB", "esx2.lab"]), "h2 h1"), (HostQuery::Cluster("lab".to_owned()), "h1 h2")]
    {
        let hosts = session.hosts(&query, None, &["runtime.connectionState"]).await;
        let ids: Vec<String> = hosts.unwrap().into_iter().map(|it| it.moref.id).collect();
        assert_eq!(ids.join(" "), expected);
    }
    let error = session.hosts(&names(&["esx1", "esx1.lab", "gone"]), None, &[]).await;
    assert_eq!(error.unwrap_err().to_string(), "cannot find hosts `esx1`, `gone`; similar names: `esx1.lab`");
    let error = session.hosts(&HostQuery::Cluster("Lab".to_owned()), None, &[]).await;
    assert!(matches!(error, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_datastore_is_found_among_those_of_the_host() {
    let stores = || {
        let host = object("HostSystem", "h1", &[("name", "esx1")]);
        objects(&[host, object("Datastore", "ds-1", &[("name", "shared")])])
    };
    let server = Server::start(retrievals(vec![stores(), stores()])).await;
    let session = server.session().await.unwrap();
    let host = Moref::new("HostSystem", "h1");
    let found = session.datastore_of_host(&host, "shared").await.unwrap();
    assert_eq!(found, Moref::new("Datastore", "ds-1"));
    let error = session.datastore_of_host(&host, "Shared").await.unwrap_err();
    assert_eq!(error.to_string(), "cannot find datastore `Shared` of host esx1; similar names: `shared`");
}
