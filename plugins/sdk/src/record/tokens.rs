//! Reads Rust's derived `Debug` form token by token.
//!
//! Texts are unescaped, so a name may hold quotes, braces or commas. Nothing here recurses: a
//! value is skipped by counting brackets.

use super::debug::ParseError;

/// One token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name or a number.
    Word(&'a str),
    /// A quoted text.
    Text(String),
    /// One of `{}[]():,`.
    Mark(char),
}

/// What is left of a debug form.
pub(super) struct Tokens<'a> {
    text: &'a str,
    rest: &'a str,
}

// === impl Tokens ===

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    pub(super) fn next(&mut self) -> Result<Token<'a>, ParseError> {
        self.rest = self.rest.trim_start_matches(' ');
        let Some(first) = self.rest.chars().next() else {
            return Err(self.expected("a token"));
        };
        match first {
            '"' => self.quoted().map(Token::Text),
            '{' | '}' | '[' | ']' | '(' | ')' | ':' | ',' => {
                self.rest = &self.rest[1..];
                Ok(Token::Mark(first))
            }
            _ => {
                let end = self
                    .rest
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
                    .unwrap_or(self.rest.len());
                if end == 0 {
                    return Err(self.expected("a token"));
                }
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                Ok(Token::Word(word))
            }
        }
    }

    pub(super) fn mark(&mut self, mark: char) -> Result<(), ParseError> {
        if self.next_is(mark) {
            return Ok(());
        }
        Err(self.expected(format!("`{mark}`")))
    }

    /// Takes a mark if it comes next.
    pub(super) fn next_is(&mut self, mark: char) -> bool {
        self.rest = self.rest.trim_start_matches(' ');
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn word(&mut self) -> Result<&'a str, ParseError> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            _ => Err(self.expected("a name or a number")),
        }
    }

    pub(super) fn name(&mut self, name: &str) -> Result<(), ParseError> {
        match self.word()? == name {
            true => Ok(()),
            false => Err(self.expected(format!("`{name}`"))),
        }
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Result<T, ParseError> {
        let word = self.word()?;
        word.parse().map_err(|_| self.expected("a number"))
    }

    pub(super) fn text(&mut self) -> Result<String, ParseError> {
        match self.next()? {
            Token::Text(text) => Ok(text),
            _ => Err(self.expected("a text")),
        }
    }

    /// `[item, item]`
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        self.mark('[')?;
        let mut items = Vec::new();
        while !self.next_is(']') {
            if !items.is_empty() {
                self.mark(',')?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `Name { field: value, field: value }`; the closure reads each value or leaves it to
    /// [`skip`](Self::skip).
    pub(super) fn fields(
        &mut self,
        name: &str,
        mut field: impl FnMut(&mut Self, &str) -> Result<(), ParseError>,
    ) -> Result<(), ParseError> {
        self.name(name)?;
        self.mark('{')?;
        let mut first = true;
        while !self.next_is('}') {
            if !first {
                self.mark(',')?;
            }
            first = false;
            let name = self.word()?;
            self.mark(':')?;
            field(self, name)?;
        }
        Ok(())
    }

    /// `Name(value)`
    pub(super) fn wrapped<T>(
        &mut self,
        name: &str,
        value: impl FnOnce(&mut Self) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        self.name(name)?;
        self.mark('(')?;
        let value = value(self)?;
        self.mark(')')?;
        Ok(value)
    }

    /// Passes over one value, up to the comma or closing bracket after it.
    pub(super) fn skip(&mut self) -> Result<(), ParseError> {
        let mut depth = 0_usize;
        loop {
            let before = self.rest;
            match self.next()? {
                Token::Mark('{' | '[' | '(') => depth += 1,
                Token::Mark('}' | ']' | ')' | ',') if depth == 0 => {
                    self.rest = before;
                    return Ok(());
                }
                Token::Mark('}' | ']' | ')') => depth -= 1,
                _ => {}
            }
        }
    }

    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        match self.rest.trim_start_matches(' ') {
            "" => Ok(()),
            _ => Err(self.expected("the end")),
        }
    }

    pub(super) fn expected(&self, what: impl Into<String>) -> ParseError {
        ParseError {
            expected: what.into(),
            at: self.text.len() - self.rest.len(),
        }
    }

    /// A text as `str`'s `Debug` writes it.
    fn quoted(&mut self) -> Result<String, ParseError> {
        let mut text = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, character)) = chars.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(text);
                }
                '\\' => {
                    let escaped = chars.next().map(|(_, escaped)| escaped);
                    text.push(match escaped {
                        Some('n') => '\n',
                        Some('r') => '\r',
                        Some('t') => '\t',
                        Some('0') => '\0',
                        Some(same @ ('\\' | '"' | '\'')) => same,
                        Some('u') => {
                            let digits: String = chars
                                .by_ref()
                                .map(|(_, digit)| digit)
                                .skip(1)
                                .take_while(|digit| *digit != '}')
                                .collect();
                            u32::from_str_radix(&digits, 16)
                                .ok()
                                .and_then(char::from_u32)
                                .ok_or_else(|| self.expected("a character's number"))?
                        }
                        _ => return Err(self.expected("an escaped character")),
                    });
                }
                plain => text.push(plain),
            }
        }
        Err(self.expected("a closing quote"))
    }
}
