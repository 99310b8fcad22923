//! Advanced options on stand-in hosts of every generation.

mod host;

use std::os::unix::fs::PermissionsExt as _;

use esxcli::{Error, Shell, Tool, Value};
use host::{Host, NOTE, STREAMS, TIMEOUT, option, soon};

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[tokio::test]
async fn an_option_is_read_set_and_reset_on_every_version() {
    for (version, tool) in
        [("4.1", Tool::EsxcfgAdvcfg), ("5.0", Tool::Esxcli), ("6.7", Tool::Esxcli), ("8.0", Tool::Esxcli)]
    {
        let host = Host::new(version);
        let shell = host.shell();
        for (path, before, after) in
            [(TIMEOUT, Value::Integer(20), Value::Integer(120)), (NOTE, text("made by nested-vft"), text("changed"))]
        {
            let seen = option(&shell, path).await;
            assert_eq!((seen.path.as_str(), seen.tool, &seen.value), (path, tool, &before), "{version}");
            shell.set(&seen, &after, soon()).await.unwrap();
            assert_eq!(option(&shell, path).await.value, after, "{version} {path}");
            shell.reset(&seen, soon()).await.unwrap();
            assert_eq!(option(&shell, path).await.value, before, "{version} {path}");
        }
    }
}

#[tokio::test]
async fn esxcli_tells_default_range_and_meaning_and_esxcfg_advcfg_does_not() {
    let seen = option(&Host::new("6.7").shell(), STREAMS).await;
    assert_eq!((seen.value, seen.default, seen.range), (Value::Integer(0), Some(Value::Integer(0)), Some((0, 1))));
    assert_eq!((seen.valid_characters, seen.description.as_deref()), (None, Some("Pretend to not support streams")));

    let host = Host::new("6.7").without("esxcli");
    let seen = option(&host.shell(), STREAMS).await;
    assert_eq!((seen.value, seen.default, seen.range), (Value::Integer(0), None, None));
    assert_eq!(host.calls(), [format!("esxcfg-advcfg\t-g\t{STREAMS}")]);
}

#[tokio::test]
async fn an_option_that_the_host_does_not_have_is_none() {
    for host in [
        Host::new("4.1"),
        Host::new("5.0"),
        Host::new("8.0"),
        Host::new("8.0").without("esxcli"),
        Host::new("8.0").without("esxcfg-advcfg"),
    ] {
        assert_eq!(host.shell().option("/Migrate/NoSuchThing", soon()).await.unwrap(), None, "{:?}", host.calls());
    }
    assert_eq!(Host::new("8.0").shell().option(STREAMS, soon()).await.unwrap(), None);
}

#[tokio::test]
async fn an_esxcli_without_options_is_asked_once() {
    let host = Host::new("4.1");
    let shell = host.shell();
    option(&shell, TIMEOUT).await;
    let seen = option(&shell, NOTE).await;
    shell.set(&seen, &text("x"), soon()).await.unwrap();
    assert_eq!(shell.all(soon()).await.unwrap(), Vec::<String>::new());
    assert_eq!(
        host.calls(),
        [
            format!("esxcli\tsystem\tsettings\tadvanced\tlist\t--option={TIMEOUT}"),
            format!("esxcfg-advcfg\t-g\t{TIMEOUT}"),
            format!("esxcfg-advcfg\t-g\t{NOTE}"),
            format!("esxcfg-advcfg\t-s\tx\t{NOTE}"),
        ]
    );
}

#[tokio::test]
async fn when_neither_tool_can_tell_both_are_quoted() {
    let host = Host::new("4.1").with_script("esxcfg-advcfg", "echo the kernel is busy >&2; exit 3");
    let error = host.shell().option(TIMEOUT, soon()).await.unwrap_err();
    assert!(matches!(error, Error::Both { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "`esxcli system settings advanced list --option={TIMEOUT}` failed with exit status 1: Unknown object type or \
             namespace: system settings advanced list --option={TIMEOUT}; `esxcfg-advcfg -g {TIMEOUT}` failed with exit \
             status 3: the kernel is busy"
        )
    );
}

#[tokio::test]
async fn an_esxcli_alone_that_fails_is_quoted() {
    let host = Host::new("4.1").without("esxcfg-advcfg");
    let error = host.shell().option(TIMEOUT, soon()).await.unwrap_err();
    assert!(matches!(error, Error::Failed { tool: "esxcli", .. }), "{error:?}");
}

#[tokio::test]
async fn all_options_are_listed_by_their_paths() {
    let all = Host::new("6.7").shell().all(soon()).await.unwrap();
    assert_eq!(all, [TIMEOUT, STREAMS, "/Migrate/Vmknic", NOTE]);
    assert!(Host::new("6.7").without("esxcli").shell().all(soon()).await.unwrap().is_empty());
}

#[tokio::test]
async fn any_value_arrives_as_one_argument() {
    // Beside each value, how tests/esxi writes it in `calls`.
    let values = [
        ("-1", "-1"),
        ("--default", "--default"),
        ("", ""),
        ("two words ", "two words "),
        ("'\"$(id)`id`;&|*\\", "'\"$(id)`id`;&|*\\\\"),
        ("a\nb\n", "a\\nb\\n"),
        ("a\tb", "a\\tb"),
        ("Grüße", "Grüße"),
    ];
    for tool in ["esxcli", "esxcfg-advcfg"] {
        let host = Host::new("6.7").without(if tool == "esxcli" { "esxcfg-advcfg" } else { "esxcli" });
        let shell = host.shell();
        let seen = option(&shell, NOTE).await;
        for (value, written) in values {
            shell.set(&seen, &text(value), soon()).await.unwrap();
            let expected = match tool {
                "esxcli" => {
                    format!("esxcli\tsystem\tsettings\tadvanced\tset\t--option={NOTE}\t--string-value={written}")
                }
                _ => format!("esxcfg-advcfg\t-s\t{written}\t{NOTE}"),
            };
            assert_eq!(host.calls().last(), Some(&expected));
            let stored = std::fs::read_to_string(host.folder().join("options").join(&NOTE[1..]).join("value")).unwrap();
            assert_eq!(stored, value);
        }
    }
}

#[tokio::test]
async fn the_type_of_the_option_decides_how_a_value_is_given() {
    let host = Host::new("6.7");
    let shell = host.shell();
    shell.set(&option(&shell, NOTE).await, &Value::Integer(5), soon()).await.unwrap();
    assert_eq!(option(&shell, NOTE).await.value, text("5"));
    shell.set(&option(&shell, TIMEOUT).await, &text("30"), soon()).await.unwrap();
    assert_eq!(option(&shell, TIMEOUT).await.value, Value::Integer(30));
}

#[tokio::test]
async fn a_refused_value_reaches_the_error_from_either_stream() {
    // The stand-in of esxcli refuses on stdout, the other one on stderr.
    for (missing, said) in [
        ("esxcfg-advcfg", format!("exit status 1: Unable to set {TIMEOUT}: 3601 is not between 1 and 3600")),
        ("esxcli", "exit status 1: Value 3601 is out of range 1 to 3600".to_owned()),
    ] {
        let host = Host::new("5.0").without(missing);
        let shell = host.shell();
        let seen = option(&shell, TIMEOUT).await;
        let error = shell.set(&seen, &Value::Integer(3601), soon()).await.unwrap_err();
        assert!(error.to_string().ends_with(&said), "{error}");
        assert!(!error.unsettled(), "the tool itself says that nothing was set");
        assert_eq!(option(&shell, TIMEOUT).await.value, Value::Integer(20));
    }
}

#[tokio::test]
async fn a_set_that_changes_nothing_is_seen_by_looking_again() {
    let host = Host::new("6.7");
    let shell = host.shell();
    let seen = option(&shell, TIMEOUT).await;
    host.put("ignore", "");
    shell.set(&seen, &Value::Integer(30), soon()).await.unwrap();
    assert_eq!(option(&shell, TIMEOUT).await, seen);
}

#[tokio::test]
async fn a_change_goes_to_the_tool_that_told_about_the_option() {
    let seen = option(&Host::new("6.7").shell(), TIMEOUT).await;
    let host = Host::new("6.7").without("esxcli");
    let error = host.shell().set(&seen, &Value::Integer(30), soon()).await.unwrap_err();
    assert_eq!(error.to_string(), "esxcli not found on this machine");
    assert_eq!(host.calls(), Vec::<String>::new());
}

#[test]
fn only_executable_files_in_absolute_folders_of_path_are_tools() {
    assert!(Shell::on_path(None).is_none());
    assert!(Shell::on_path(Some("".as_ref())).is_none());

    let host = Host::new("6.7").without("esxcfg-advcfg");
    let bin = host.folder().join("bin");
    let found = |path: String| Shell::on_path(Some(path.as_ref())).is_some();
    let bin_text = bin.to_str().unwrap();
    assert!(found(format!(":/no/such/folder:{bin_text}")));

    // From the folder that tests run in, this leads to the same place.
    let up = "../".repeat(std::env::current_dir().unwrap().components().count());
    assert!(std::path::Path::new(&format!("{up}{bin_text}/esxcli")).exists());
    assert!(!found(format!("{up}{bin_text}")), "a relative folder");

    std::fs::remove_file(bin.join("esxcli")).unwrap();
    assert!(!found(bin_text.to_owned()), "vim-cmd alone is no ESXi shell");
    std::fs::write(bin.join("esxcli"), "").unwrap();
    std::fs::set_permissions(bin.join("esxcli"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!found(bin_text.to_owned()), "a file that is not executable");
    std::fs::remove_file(bin.join("esxcli")).unwrap();
    std::fs::create_dir(bin.join("esxcli")).unwrap();
    assert!(!found(bin_text.to_owned()), "a folder");
}
