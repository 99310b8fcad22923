//! Logs of hosts: the `DiagnosticManager`.

use crate::session::error::Error;
use crate::session::state::Session;
use crate::soap::element::Element;
use crate::soap::error::SoapError;
use crate::soap::moref::Moref;
use crate::soap::reply::returned;
use crate::soap::request::Request;

/// A log that a server offers (`DiagnosticManagerLogDescriptor`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDescription {
    /// The key for requests, e.g. `vmkernel`.
    pub key: String,
    /// Its file on the host, e.g. `/var/log/vmkernel.log`.
    pub file_name: String,
}

/// Longest end of a log, in bytes.
const TAIL: usize = 16 << 20;

/// Some lines of a log (`DiagnosticManagerLogHeader`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    /// The number of the first line, from 1.
    pub start: i32,
    /// The number of the last line.
    pub end: i32,
    /// The lines.
    pub lines: Vec<String>,
}

impl LogPage {
    pub(crate) fn parse(element: &Element) -> Self {
        let number = |name| element.child(name).and_then(Element::int).and_then(|it| it.try_into().ok()).unwrap_or(0);
        Self {
            start: number("lineStart"),
            end: number("lineEnd"),
            lines: element.children("lineText").map(|line| line.text().to_owned()).collect(),
        }
    }
}

impl Session {
    /// Lists the logs of a host (`QueryDescriptions`).
    pub async fn log_descriptions(&self, host: &Moref) -> Result<Vec<LogDescription>, Error> {
        let request = self.ask_logs("QueryDescriptions", host)?;
        let response = self.query(&request).await?;
        let text = |element: &Element, name| element.child(name).map_or("", Element::text).to_owned();
        let descriptions = response.children("returnval");
        Ok(descriptions.map(|it| LogDescription { key: text(it, "key"), file_name: text(it, "fileName") }).collect())
    }

    /// Reads the last `count` lines of a host's log: one call of `BrowseDiagnosticLog` to find the end, and as many as it takes
    /// to read the lines. Needs the privilege `Global.Diagnostics`.
    ///
    /// vCenter Server returns at most 500 lines a call, and ESXi 1000. If the log is rotated meanwhile, the rest is returned.
    ///
    /// # Errors
    /// [`SoapError::TooLarge`] above 16 MiB.
    pub async fn log_tail(&self, host: &Moref, key: &str, count: u32) -> Result<LogPage, Error> {
        let most = if self.about().api_type.is_vcenter() { 500 } else { 1000 };
        // A page after the end holds only the number of the last line.
        let end = self.browse_log(host, key, i32::MAX, None).await?.end;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        let first = end.saturating_sub(count).max(0) + 1;
        let mut tail = LogPage { start: first, end: first - 1, lines: Vec::new() };
        let mut size = 0;
        while tail.end < end {
            let wanted = most.min(end - tail.end);
            let mut page = self.browse_log(host, key, tail.end + 1, Some(wanted)).await?;
            page.lines.truncate(usize::try_from(wanted).unwrap_or(0));
            size += page.lines.iter().map(String::len).sum::<usize>();
            if size > TAIL {
                return Err(SoapError::TooLarge { limit: TAIL }.into());
            }
            let Ok(got) = i32::try_from(page.lines.len()) else { break };
            if got == 0 {
                break;
            }
            tail.end = tail.end.saturating_add(got);
            tail.lines.extend(page.lines);
        }
        Ok(tail)
    }

    /// Reads some lines of a host's log (`BrowseDiagnosticLog`), counted from 1. With a `start` after the end, the page holds
    /// only the number of the last line.
    async fn browse_log(&self, host: &Moref, key: &str, start: i32, lines: Option<i32>) -> Result<LogPage, Error> {
        let mut request = self.ask_logs("BrowseDiagnosticLog", host)?;
        request.text("key", key);
        request.text("start", &start.to_string());
        if let Some(lines) = lines {
            request.text("lines", &lines.to_string());
        }
        let response = self.query(&request).await?;
        Ok(LogPage::parse(returned(&response)?))
    }

    /// Starts a call of the `DiagnosticManager`. vCenter Server needs the host's reference; ESXi must not get it.
    fn ask_logs(&self, method: &'static str, host: &Moref) -> Result<Request, Error> {
        let content = self.content();
        let manager = content.diagnostic_manager.as_ref().ok_or_else(|| {
            Error::Protocol("the server provides no logs of its hosts (no DiagnosticManager)".to_owned())
        })?;
        let mut request = Request::new(method, manager);
        if self.about().api_type.is_vcenter() {
            request.moref("host", host);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_numbers() {
        let page = "<returnval><lineStart>7</lineStart><lineEnd>8</lineEnd>\
                    <lineText>a &lt;b&gt;</lineText><lineText/></returnval>";
        let page = LogPage::parse(&Element::parse(page).unwrap());
        assert_eq!(page, LogPage { start: 7, end: 8, lines: vec!["a <b>".to_owned(), String::new()] });
        assert_eq!(LogPage::parse(&Element::parse("<returnval/>").unwrap()), LogPage::default());
    }
}
