//! The messages of a session as a trace may show them: without passwords and without the keys of sessions.

use std::borrow::Cow;
use std::rc::Rc;

use crate::wire::endpoint::Trace;

/// Stands for a secret.
const HIDDEN: &str = "(hidden)";
/// The beginnings, in lower case, of the names of options whose values are shown: those of Fault Tolerance, HA, vMotion and
/// nested virtualization. Any other option may hold a secret, as `guestinfo.userdata` and `RemoteDisplay.vnc.key` do.
const SHOWN: [&str; 8] = ["checkpoint.", "das.", "ft.", "hypervisor.", "migrate.", "monitor", "replay.", "vhv."];

/// Hides the secrets from `trace`.
pub(super) fn without_secrets(trace: Trace) -> Trace {
    Rc::new(move |method, took, sent, received| {
        // The password, and the key of the session. A fault has neither.
        let login = method == "Login";
        let received =
            if login && received.contains("LoginResponse") { Cow::Borrowed(HIDDEN) } else { without_options(received) };
        trace(method, took, &if login { Cow::Borrowed(HIDDEN) } else { without_options(sent) }, &received);
    })
}

/// Hides the values of all options but those of [`SHOWN`]. In a message, the value follows the key.
fn without_options(message: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once("</key>") {
        let key = before.rsplit_once('>').map_or(before, |(_, key)| key).to_ascii_lowercase();
        let value = after.split_once("<value").and_then(|(between, value)| {
            let (tag, value) = value.split_once('>')?;
            let (value, _) = value.split_once("</value>")?;
            let is_next = between.trim().is_empty() && !tag.ends_with('/');
            is_next.then(|| (between.len() + "<value".len() + tag.len() + 1, value.len()))
        });
        let Some((start, length)) = value.filter(|_| !SHOWN.iter().any(|start| key.starts_with(start))) else {
            clean.extend([before, "</key>"]);
            rest = after;
            continue;
        };
        clean.extend([before, "</key>", &after[..start], HIDDEN]);
        rest = &after[start + length..];
    }
    if clean.is_empty() {
        return Cow::Borrowed(message);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::without_options;

    #[test]
    fn values_of_options_are_hidden_unless_they_are_known_to_be_harmless() {
        let option = |key: &str, value: &str| {
            format!("<OptionValue><key>{key}</key>\n<value xsi:type=\"xsd:string\">{value}</value></OptionValue>")
        };
        for (key, hidden) in [
            ("RemoteDisplay.vnc.password", true),
            ("RemoteDisplay.vnc.key", true),
            ("guestinfo.userdata", true),
            ("guestinfo.ovfEnv", true),
            ("my.replay.pwd", true),
            ("1", true),
            ("replay.supported", false),
            ("Migrate.VMotionStreamDisable", false),
            ("das.maxFtVmsPerHost", false),
            ("monitor_control.restrict_backdoor", false),
        ] {
            let other = option("replay.allowFT", "TRUE");
            let message = format!("{other}{}{other}", option(key, "hunter2"));
            let shown = format!("{other}{}{other}", option(key, if hidden { "(hidden)" } else { "hunter2" }));
            assert_eq!(without_options(&message), shown);
        }
        for odd in
            ["", "<key>password</key>", "</key><value", "<key>password</key><value/>", "<key>a.password</key><value>x"]
        {
            assert_eq!(without_options(odd), odd);
        }
    }
}
