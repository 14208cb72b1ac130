//! Server-sent events: the text of a stream cut into events. Pure; where the bytes come from is
//! [`crate::events`]' business.
//!
//! Lines end with a line feed, with or without a carriage return before it, as a node writes them.

use crate::Error;

/// Bytes of one event, and of a line that has not ended. A node's largest, the end of a failed task,
/// is a few kilobytes.
pub(crate) const EVENT_MAX: usize = 256 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The name of it, by which a reader that comes back says what it has.
    pub(crate) id: Option<String>,
    /// What kind of event.
    pub(crate) kind: String,
    /// What it says.
    pub(crate) data: String,
}

/// Cuts a stream into events.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// What came and is not read yet.
    unread: Vec<u8>,
    /// Bytes of `unread` that are known to hold no line feed.
    searched: usize,
    /// The event whose end has not come.
    begun: Told,
}

// === impl Parser ===

impl Parser {
    /// Takes the next bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole event; `None` until more bytes have come.
    ///
    /// # Errors
    /// [`Error::TooLarge`] when an event does not end within [`EVENT_MAX`].
    pub(crate) fn next(&mut self) -> Result<Option<Told>, Error> {
        while let Some(line) = self.line() {
            if !line.is_empty() {
                self.read(&line);
            } else if !self.begun.data.is_empty() {
                return Ok(Some(std::mem::take(&mut self.begun)));
            } else {
                self.begun = Told::default();
            }
            self.check()?;
        }
        self.check()?;
        Ok(None)
    }

    fn check(&self) -> Result<(), Error> {
        let bytes = self.searched.max(self.begun.data.len());
        if bytes <= EVENT_MAX {
            return Ok(());
        }
        Err(Error::TooLarge {
            max: EVENT_MAX as u64,
        })
    }

    fn line(&mut self) -> Option<String> {
        let mut rest = self.unread.iter().skip(self.searched);
        let Some(end) = rest.position(|byte| *byte == b'\n') else {
            self.searched = self.unread.len();
            return None;
        };
        let mut line: Vec<u8> = self.unread.drain(..=self.searched + end).collect();
        self.searched = 0;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    fn read(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.begun.id = Some(value.to_owned()),
            "event" => value.clone_into(&mut self.begun.kind),
            "data" => {
                if !self.begun.data.is_empty() {
                    self.begun.data.push('\n');
                }
                self.begun.data.push_str(value);
            }
            // A comment, which has no field, and what this reader does not know.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    //! Streams cut at every place.

    use super::{EVENT_MAX, Parser, Told};

    fn told(id: &str, kind: &str, data: &str) -> Told {
        Told {
            id: (!id.is_empty()).then(|| id.to_owned()),
            kind: kind.to_owned(),
            data: data.to_owned(),
        }
    }

    fn all(parser: &mut Parser) -> Vec<Told> {
        std::iter::from_fn(|| parser.next().ok().flatten()).collect()
    }

    #[test]
    fn a_stream_cut_anywhere_gives_the_same_events() {
        let text = ": alive\n\nid: 1\nevent: task\ndata: {\"a\":1}\n\nevent: none\n\n\
                    event:stopping\r\ndata:{}\r\n\r\nnovel: x\ndata: a\ndata: b\n\ndata: cut";
        let expected = [
            told("1", "task", "{\"a\":1}"),
            told("", "stopping", "{}"),
            told("", "", "a\nb"),
        ];
        for at in 0..text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            let mut parser = Parser::default();
            parser.push(head);
            let mut found = all(&mut parser);
            parser.push(tail);
            found.extend(all(&mut parser));
            assert_eq!(found, expected, "cut at {at}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        for text in ["x".repeat(1024), format!("data: {}\n", "x".repeat(1024))] {
            let mut parser = Parser::default();
            let lines = EVENT_MAX / text.len();
            for _ in 0..lines {
                parser.push(text.as_bytes());
                assert!(matches!(parser.next(), Ok(None)));
            }
            parser.push(text.as_bytes());
            parser.push(text.as_bytes());
            let refused = parser.next().err().map(|error| error.to_string());
            assert!(refused.is_some_and(|said| said.contains(&EVENT_MAX.to_string())));
        }
    }
}
