//! Records raw SOAP exchanges for the type judge in `tests/conformance`.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use http_body_util::BodyExt;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::json;

use super::http::Answer;

/// The file for the exchanges, if they are recorded.
pub struct Recorder(Option<Mutex<File>>);

impl Recorder {
    /// Records to `PID.jsonl` in the folder that the environment variable `SIM_RECORD` names.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn from_environment() -> std::io::Result<Self> {
        let Some(folder) = std::env::var_os("SIM_RECORD") else { return Ok(Self(None)) };
        let path = Path::new(&folder).join(format!("{}.jsonl", std::process::id()));
        Ok(Self(Some(Mutex::new(OpenOptions::new().create(true).append(true).open(path)?))))
    }

    /// Appends one exchange as a line of JSON. Its reply is null if an injected fault replaced it by something that is
    /// not SOAP.
    pub async fn record(&self, headers: &HeaderMap, request: &[u8], answer: Option<&Answer>) {
        let Some(file) = &self.0 else { return };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let reply = match answer.filter(|answer| is_xml(answer)) {
            Some(answer) => answer.body().clone().collect().await.ok(),
            None => None,
        };
        let reply = reply.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned());
        let line = json!({
            "action": header("soapaction"),
            "agent": header("user-agent"),
            "request": String::from_utf8_lossy(request),
            "reply": reply,
        });
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write per line, so that a killed simulator leaves whole lines.
        if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
            let _ = writeln!(std::io::stderr(), "simulator: cannot record: {error}");
        }
    }
}

fn is_xml(answer: &Answer) -> bool {
    answer.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/xml"))
}
