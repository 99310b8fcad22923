use std::rc::Rc;
use std::time::{Duration, Instant};

use diagnosis::Catalogue;
use proptest::prelude::*;
use serde_json::json;
use vsphere_module::RemedyHosts;

use crate::examine::Examination;
use crate::observe::Found;
use crate::report::{self, Basis, Finding, Report};

const ARTICLE: [&str; 3] = [
    "2011-07-31T17:31:39.314Z| vcpu-0| [vob.vmotion.stream.keepalive.read.fail] vMotion migration [ac1e0050:1312133702562144] failed to read stream keepalive: Connection closed by remote host, possibly due to timeout",
    "2011-07-31T17:31:39.314Z| vcpu-0| [msg.checkpoint.precopyfailure] Migration to host <> failed with error Connection closed by remote host, possibly due to timeout (0xbad003f).",
    "2011-07-31T17:31:39.324Z| vcpu-0| Migrate: secondary failure during migration: error Connection closed by remote host, possibly due to timeout.",
];

/// A line as another release would write it.
type Variant<'a> = &'a dyn Fn(&str) -> String;

fn catalogue() -> Rc<Catalogue> {
    Rc::new(Catalogue::known().unwrap())
}

fn observed(logs: &[(&str, &str)]) -> Found {
    let catalogue = catalogue();
    let mut examination = Examination::new(&catalogue, Instant::now() + Duration::from_secs(60));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (file, text) in logs {
        runtime.block_on(examination.read(file, &mut text.as_bytes(), Some(0), 0)).unwrap();
    }
    Found { examined: examination.conclude().unwrap(), catalogue: Some(catalogue), ..Found::default() }
}

fn judged(observed: &Found) -> Report {
    report::report(observed, catalogue().signatures())
}

fn diagnosed(text: &str) -> Report {
    judged(&observed(&[("vmware.log", text)]))
}

fn only(report: Report) -> Finding {
    let [finding] = <[Finding; 1]>::try_from(report.findings).unwrap();
    finding
}

#[test]
fn the_three_lines_of_the_article_are_one_finding_whatever_stands_before_them() {
    let variants: [(&str, Variant<'_>); 7] = [
        ("as printed", &str::to_owned),
        ("an older copy", &|line| line.replace("[vob.vmotion.stream.keepalive.read.fail]", "[]")),
        ("4.x", &|line| line.replace("2011-07-31T17", "Jul 31 17").replace("Z| vcpu-0|", ": vcpu-0|")),
        ("5.1", &|line| line.replace("vcpu-0| ", "vcpu-0| W110: ")),
        ("8.x", &|line| line.replace("Z| vcpu-0| ", "Z Wa(03) vcpu-0 - ")),
        ("CRLF", &|line| format!("{line}\r")),
        ("no prefix", &|line| line.split("vcpu-0| ").nth(1).unwrap().to_owned()),
    ];
    for (name, variant) in variants {
        let text = ARTICLE.map(|line| variant(line) + "\n").concat();
        let finding = only(diagnosed(&format!("healthy\n{text}healthy\n")));
        assert_eq!((finding.id.as_str(), finding.line, finding.count), ("stream_keepalive", 2, 3), "{name}");
        let migration = finding.migration.unwrap();
        assert_eq!(migration.id, 1_312_133_702_562_144, "{name}");
        assert_eq!(migration.started, "2011-07-31T17:35:02.562Z", "{name}");
        assert_eq!(migration.peer.as_deref(), Some("172.30.0.80"), "{name}");
        let status = finding.status.unwrap();
        assert_eq!((status.hex.as_str(), status.decimal), ("0xbad003f", 195_887_167), "{name}");
        let timeless = ["4.x", "no prefix"].contains(&name);
        assert_eq!(finding.first_time.is_none(), timeless, "{name}");
        let note = "203 seconds after the migration's first log line (vmware.log, line 2)";
        assert_eq!(finding.note.is_some_and(|told| told.contains(note)), !timeless, "{name}");
    }
}

#[test]
fn only_a_migration_that_failed_before_it_began_is_a_matter_of_clocks() {
    // The article's line, logged this many seconds before or after the id was made.
    for (logged, noted) in [
        ("2011-07-31T17:31:39.314Z", true),
        ("2011-07-31T17:34:01.000Z", true),
        ("2011-07-31T17:34:03.000Z", false),
        ("2011-07-31T17:35:02.562Z", false),
        // A migration may go on for long.
        ("2011-07-31T17:40:00.000Z", false),
        ("2011-08-02T00:00:00.000Z", false),
    ] {
        let finding = only(diagnosed(&ARTICLE[0].replace("2011-07-31T17:31:39.314Z", logged)));
        assert_eq!(finding.note.is_some(), noted, "{logged}: {:?}", finding.note);
    }
    // The line that is named is the one whose time it is, wherever it was found.
    let later = ARTICLE[0].replace("17:31:39", "17:33:00");
    let logs = [("esx1:vmkernel", format!("healthy\n{later}\n")), ("vmware.log", format!("{}\n", ARTICLE[0]))];
    let finding = only(judged(&observed(&logs.each_ref().map(|(file, text)| (*file, text.as_str())))));
    assert!(
        finding
            .note
            .is_some_and(|note| note.contains("203 seconds after the migration's first log line (vmware.log, line 1)"))
    );
}

#[test]
fn the_lines_of_a_migration_belong_together_across_logs_and_those_of_two_do_not() {
    let primary = ARTICLE.join("\n");
    let source = "2011-07-31T17:31:39.300Z cpu0:4123)WARNING: VMotion: 3680: 1312133702562144 S: failed to read stream keepalive: gone";
    let other = source.replace("1312133702562144", "1312133702999999").replace(" S:", " D:");
    let report = judged(&observed(&[
        ("vmware.log", &primary),
        ("esx1:vmkernel", &format!("{source}\n{other}\n")),
        ("esx2:vmkernel", source),
    ]));
    let found: Vec<(u64, u64)> =
        report.findings.iter().map(|it| (it.migration.as_ref().map_or(0, |it| it.id), it.count)).collect();
    assert_eq!(found, [(1_312_133_702_562_144, 5), (1_312_133_702_999_999, 1)]);
}

#[test]
fn what_follows_a_failure_comes_after_it_where_no_migration_ties_them_together() {
    let filler = "healthy\n".repeat(20);
    let report = diagnosed(&format!("{}\n{filler}{}\n", ARTICLE[1], ARTICLE[0]));
    let ids: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["stream_keepalive", "precopy_failure"]);
}

#[test]
fn every_pattern_and_every_code_is_found_in_any_notation_and_case() {
    for signature in catalogue().signatures() {
        let decimal = |code: &String| u32::from_str_radix(&code[2..], 16).unwrap().to_string();
        let notations = |code: &String| [format!("({code})"), code[2..].to_owned(), decimal(code)];
        let codes = signature.codes.iter().flat_map(notations);
        for text in signature.patterns.iter().cloned().chain(codes) {
            for text in [text.clone(), text.to_uppercase(), text.to_lowercase()] {
                let text = text.replace('…', "of the logging");
                let finding = only(diagnosed(&format!("2024-01-02T03:04:05.678Z In(05) vmx - {text} and more")));
                assert_eq!(finding.id, signature.id, "{text}");
                assert!(!finding.remedies.is_empty() && !finding.cause.is_empty() && !finding.source.is_empty());
            }
        }
    }
}

#[test]
fn every_text_of_the_field_is_known_with_the_prefixes_of_its_era() {
    const BARE: &str = "";
    const V4: &str = "Jul 31 17:31:39 host vmkernel: 0:01:02:03.456 cpu1:4123)WARNING: ";
    const V50: &str = "2011-07-31T17:31:39.314Z| vcpu-0| ";
    const I125: &str = "2018-02-15T02:55:01.542Z| vcpu-0| I125: ";
    const IN: &str = "2023-04-05T06:07:08.123Z In(05) vmx - ";
    let closed = "[vob.vmotion.chkpt.toobig] vMotion migration [ac1e0050:1312133702562144] failed. The checkpoint data length (16384 bytes) or the offset (16776528 bytes) exceeds the maximum checkpoint data length (16777216 byte).";
    let cases: [(&str, &[&str], &str); 17] = [
        (
            "Migrate_SetFailure: Failed waiting for data. Error bad0006. Limit exceeded.",
            &[V50, I125, IN],
            "checkpoint_too_big",
        ),
        ("Failed waiting for data. Error 195887110. Limit exceeded.", &[BARE], "checkpoint_too_big"),
        (closed, &[V50, I125, IN, BARE], "checkpoint_too_big"),
        (
            "[msg.checkpoint.migration.writefail] Failed to write checkpoint data (offset 25151361, size 16384): Limit exceeded.",
            &[I125, BARE],
            "checkpoint_too_big",
        ),
        ("A general system error occurred: Failed to flush checkpoint data!", &[BARE], "checkpoint_too_big"),
        (
            "FSR: 690: 1313159068180024 S: Maximum switchover time (100 seconds) reached. Failing migration; VM should resume on source.",
            &[V4, BARE],
            "switchover_time",
        ),
        (
            "The migration has exceeded the maximum switchover time of 100 second(s). ESX has preemptively failed the migration.",
            &[I125, IN, BARE],
            "switchover_time",
        ),
        ("[msg.loader.biosfd] Could not open bios.440.rom (No such file or directory).", &[I125, BARE], "rom_missing"),
        ("The source and destination hosts have different vMotion vNIC MTU configurations.", &[BARE], "mtu_mismatch"),
        ("The virtual machine's current configuration does not support Fault Tolerance.", &[BARE], "powered_on"),
        ("   reason = \"replayNotSupported\",", &[BARE], "powered_on"),
        (
            "Cannot power on the Fault Tolerance Secondary VM for virtual machine inner. Refer to the errors list for details.",
            &[BARE],
            "secondary_power_on",
        ),
        (
            "MigrateSetState: Transitioning from state MIGRATE_TO_VMX_WAIT_HANDSHAKE (5) to MIGRATE_TO_VMX_FINISHED (6).",
            &[IN, BARE],
            "migration_ended",
        ),
        ("Migrate_SetFailureMsgList: switching to new log file.", &[IN, BARE], "log_switched"),
        (
            "2017-04-04T23:44:57.864Z error vpxd[7F5B381E6700] [Originator@6876 sub=HTTP session map] Out of HTTP sessions: Limited to 2000",
            &[BARE],
            "sessions_exhausted",
        ),
        (
            "User session count is limited to 550. Existing session count is 550 for user user@domain",
            &[BARE],
            "sessions_exhausted",
        ),
        (
            "Migrate: 296: 1313159068180024 D: Failed: Maximum switchover time for migration exceeded(0xbad0109) @0x41800f61cee2",
            &[V4, BARE],
            "switchover_time",
        ),
    ];
    for (text, eras, expected) in cases {
        for era in eras {
            let report = diagnosed(&format!("healthy\n{era}{text}\nhealthy\n"));
            let info = expected == "migration_ended" || expected == "log_switched";
            assert_eq!(report.healthy, info, "{era}{text}");
            let finding = only(report);
            assert_eq!((finding.id.as_str(), finding.line), (expected, 2), "{era}{text}");
        }
    }
    // A virtual machine that cannot be replayed at all has another reason.
    assert!(diagnosed("reason = \"recordReplayNotSupported\"").findings.is_empty());
}

#[test]
fn a_failed_migration_that_goes_on_in_a_new_log_is_one_finding() {
    let lines = [
        "MigrateSetState: Transitioning from state MIGRATE_TO_VMX_WAIT_HANDSHAKE (5) to MIGRATE_TO_VMX_FINISHED (6).",
        "Migrate_SetFailureMsgList: switching to new log file.",
    ];
    let reason = "[msg.checkpoint.migration.maxSwitchoverTimeExceeded] The migration has exceeded the maximum switchover time of 100 second(s).";
    let prefixed = |line: &&str| format!("2026-01-01T00:00:00.000Z In(05) vmx - {line}\n");
    let old = lines.iter().map(prefixed).collect::<String>();
    let finding = only(diagnosed(&format!("{old}{}", prefixed(&reason))));
    assert_eq!((finding.id.as_str(), finding.count), ("switchover_time", 3));
    // Without the new log, the finding asks for it.
    let report = diagnosed(&old);
    let told = report::message(&report);
    assert!(report.healthy && told.contains("The reason is in the next log (vmware.log, line 2)"), "{told}");
}

#[test]
fn the_lines_read_are_counted() {
    for (text, says) in [("a\n", "the 1 line read from"), ("a\nb\n", "the 2 lines read from")] {
        let told = report::message(&diagnosed(text));
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn the_lines_before_say_what_a_signature_does_not() {
    let text = (1..=30).map(|number| format!("line {number}\n")).collect::<Vec<_>>().concat();
    let finding = only(diagnosed(&format!("{text}[msg.moduletable.powerOnFailed] Module Disk power on failed.\n")));
    let before: Vec<(u64, &str)> = finding.before.iter().map(|line| (line.line, line.text.as_str())).collect();
    assert_eq!((before.len(), before.first(), before.last()), (20, Some(&(11, "line 11")), Some(&(30, "line 30"))));
}

#[test]
fn a_failure_that_repeats_is_counted_and_its_first_and_last_lines_are_kept() {
    let text = (0..100).map(|number| format!("{number} insufficientBandwidth\n")).collect::<Vec<_>>().concat();
    let finding = only(diagnosed(&text));
    assert_eq!((finding.count, finding.lines.len()), (100, 20));
    assert_eq!((finding.lines[0].line, finding.lines[1].line, finding.lines[19].line), (1, 82, 100));

    let many: Vec<String> = (0..80).map(|number| ARTICLE[0].replace("2562144", &format!("{number:07}"))).collect();
    let observed = observed(&[("vmware.log", &many.join("\n"))]);
    assert_eq!((observed.examined.incidents.len(), observed.examined.dropped), (50, 30));
    assert_eq!(judged(&observed).findings[0].line, 80, "the newest comes first");
}

#[test]
fn remedies_depend_on_the_release_and_name_the_place() {
    let cluster = RemedyHosts::Cluster { name: "Cluster".into(), datacenter: None };
    let names = RemedyHosts::Names(vec!["esxi01".into(), "esxi02".into()]);
    let options = json!({ "Migrate.VMotionStreamDisable": 1 });
    // The version, the hosts, and the arguments for host_option; `None`: the remedy is not for that version.
    let cases = [
        (Some("5.0"), Some(cluster.clone()), Some(json!({ "cluster_name": "Cluster", "options": options }))),
        (Some("7.0 U1"), Some(names), Some(json!({ "esxi_hostname": ["esxi01", "esxi02"], "options": options }))),
        (None, Some(cluster.clone()), Some(json!({ "cluster_name": "Cluster", "options": options }))),
        (None, None, Some(json!(null))),
        (Some("7.0.2"), Some(cluster.clone()), None),
        (Some("9.0"), Some(cluster), None),
    ];
    for (version, hosts, expected) in cases {
        let mut observed = observed(&[("vmware.log", ARTICLE[0])]);
        observed.release = version.map(|version| version.parse().unwrap());
        observed.hosts = hosts;
        let remedies = only(judged(&observed)).remedies;
        let streams = remedies.iter().map(|it| &it.remedy).find(|it| it.module.as_deref() == Some("host_option"));
        assert_eq!(streams.map(|remedy| json!(remedy.args)), expected, "{version:?}");
        if expected == Some(json!(null)) {
            assert!(streams.unwrap().text.contains("`cluster_name`"), "{remedies:?}");
        }
        let newer = version != Some("5.0") && version != Some("7.0 U1");
        for remedy in ["physical CPU", "MAC addresses"] {
            assert_eq!(remedies.iter().any(|it| it.remedy.text.contains(remedy)), newer, "{version:?} {remedy}");
        }
    }
}

#[test]
fn what_no_document_says_is_told_as_such() {
    let finding = only(diagnosed("VMotion failed: 195887371"));
    assert_eq!(serde_json::to_value(finding.basis).unwrap(), json!("knowledge"));
    // Some advice for this finding is documented and some is not.
    let finding = only(diagnosed(ARTICLE[0]));
    let told: Vec<serde_json::Value> =
        finding.remedies.iter().map(|advice| serde_json::to_value(advice.basis).unwrap()).collect();
    assert_eq!(told, ["documented", "knowledge", "knowledge", "documented", "knowledge"]);
    assert!(finding.remedies.iter().all(|advice| advice.basis != Basis::Documented || advice.source.contains("Lam")));
}

proptest! {
    #[test]
    fn no_log_is_too_much(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(ARTICLE.to_vec()).prop_map(str::to_owned),
            "\\PC{0,80}",
            "[\\[\\]:0-9a-f SD|.-]{0,60}",
            Just("0xbad0109 [ffffffff:9999999999999999]".to_owned()),
            Just("\n".to_owned()),
        ], 0..80),
    ) {
        let observed = observed(&[("a", &pieces.concat()), ("b", &pieces.concat())]);
        let report = judged(&observed);
        prop_assert_eq!(report.healthy, report.findings.is_empty());
        for finding in &report.findings {
            prop_assert!(finding.lines.len() as u64 <= finding.count && finding.lines.len() <= 20);
            prop_assert!(finding.lines.iter().all(|line| line.text.chars().count() <= 500));
            prop_assert!(!finding.remedies.is_empty());
        }
        // Another look finds the same.
        prop_assert_eq!(judged(&observed).findings, report.findings);
    }
}
