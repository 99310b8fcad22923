//! The stream of a caller's documents.

use std::fs::File;
use std::io;

use crate::encoding::Decoder;
use crate::system;

/// A stream of documents in UTF-8 or UTF-16.
#[derive(Debug)]
pub struct Source {
    /// Absent if it is known to be empty.
    file: Option<File>,
    decoder: Decoder,
}

impl Source {
    /// Makes a stream of an open file; of an empty one, if there is none.
    pub(crate) fn of(file: Option<File>) -> Self {
        Self { file, decoder: Decoder::default() }
    }

    /// Waits for more text and returns it in UTF-8; nothing at the end.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        while let Some(file) = &self.file {
            let bytes = system::read(file).await?;
            if bytes.is_empty() {
                self.file = None;
            }
            let text = self.decoder.decode(&bytes)?;
            if !text.is_empty() {
                return Ok(text);
            }
        }
        Ok(Vec::new())
    }
}
