//! Messages about many objects: an equal cause appears once, with the names of the objects.

/// The number of names that a message lists.
const NAMED: usize = 5;

/// Merges messages that differ only in the name of the object that they are about. Each message comes with that name.
pub(crate) fn group(messages: &[(String, String)]) -> Vec<String> {
    // A name is left out of its message to compare it with the others.
    let mut groups: Vec<(String, Vec<&(String, String)>)> = Vec::new();
    for message in messages {
        let (name, text) = message;
        let cause = if name.is_empty() { text.clone() } else { text.replace(name.as_str(), "\0") };
        match groups.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, members)) => members.push(message),
            None => groups.push((cause, vec![message])),
        }
    }
    groups.into_iter().map(|(_, members)| told(&members)).collect()
}

fn told(members: &[&(String, String)]) -> String {
    let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    match members {
        // Without a name it is about no object.
        [(name, text), ..] if name.is_empty() => text.clone(),
        [(name, text)] if text.contains(name.as_str()) => text.clone(),
        [(name, text), others @ ..] if text.contains(name.as_str()) => {
            format!("{}; the same for {} more: {}", text.trim_end_matches('.'), others.len(), few(&names[1..]))
        }
        [(_, text), ..] => format!("{}: {text}", few(&names)),
        [] => String::new(),
    }
}

/// The first names, and the number of the others.
fn few(names: &[&str]) -> String {
    match names.split_at_checked(NAMED) {
        Some((first, rest)) if rest.len() > 1 => format!("{} and {} more", first.join(", "), rest.len()),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::group;

    #[test]
    fn an_equal_cause_is_told_once() {
        let about = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let hosts =
            |count: usize| (1..=count).map(|at| about(&format!("esx{at}"), &format!("esx{at} is not responding")));
        let cases = [
            (hosts(1).collect::<Vec<_>>(), vec!["esx1 is not responding"]),
            (hosts(3).collect(), vec!["esx1 is not responding; the same for 2 more: esx2, esx3"]),
            (
                hosts(9).collect(),
                vec!["esx1 is not responding; the same for 8 more: esx2, esx3, esx4, esx5, esx6 and 3 more"],
            ),
            (vec![about("a", "no licence"), about("b", "no licence")], vec!["a, b: no licence"]),
            (vec![about("a", "no licence"), about("b", "timed out")], vec!["a: no licence", "b: timed out"]),
        ];
        for (messages, expected) in cases {
            assert_eq!(group(&messages), expected);
        }
    }
}
