//! One operation in words and types, as the tables of the document write it down.

use aureole_api::codes::Code;
use axum::http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::Access;

/// A verb of the API.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Its name, which generated clients use.
    pub(crate) id: &'static str,
    /// `GET` stands for `HEAD` too.
    pub(crate) method: Method,
    /// Whom it is for, as its row of the table of routes says.
    pub(crate) access: Access,
    /// The path with its parameters in braces, as the router has it.
    pub(crate) path: &'static str,
    /// The group it is shown under.
    pub(crate) tag: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// The rest.
    pub(crate) description: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    pub(crate) answers: Vec<Reply>,
    pub(crate) refusals: Vec<Code>,
    pub(crate) links: Vec<Link>,
}

/// A parameter of a path, a query or a head.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `path`, `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) description: String,
    pub(crate) schema: Value,
    pub(crate) example: Option<Value>,
    pub(crate) required: bool,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) description: &'static str,
    pub(crate) media: &'static [&'static str],
    pub(crate) shape: Shape,
    pub(crate) examples: Vec<(&'static str, Value)>,
}

/// What a body holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A document of a type.
    Type(fn(&mut SchemaGenerator) -> Schema),
    /// Any JSON value.
    Json,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// Nothing.
    Empty,
}

/// An answer that is no refusal.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) media: &'static str,
    pub(crate) shape: Shape,
    pub(crate) headers: &'static [Header],
}

/// A header of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Where the resource is.
    Location,
    /// The validator of what is answered.
    Etag,
}

/// Where an answer's id leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    pub(crate) operation: &'static str,
    pub(crate) parameter: &'static str,
    pub(crate) value: &'static str,
}

// === impl Operation ===

impl Operation {
    /// A verb by its name, method and path.
    pub(super) fn new(
        tag: &'static str,
        id: &'static str,
        method: Method,
        path: &'static str,
    ) -> Self {
        Self {
            id,
            method,
            access: Access::Open,
            path,
            tag,
            summary: "",
            description: "",
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Vec::new(),
            links: Vec::new(),
        }
    }

    pub(super) fn says(mut self, summary: &'static str, description: &'static str) -> Self {
        (self.summary, self.description) = (summary, description);
        self
    }

    pub(super) fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    pub(super) fn takes<T: JsonSchema>(mut self, description: &'static str) -> Self {
        self.body = Some(Body {
            description,
            media: &["application/json"],
            shape: Shape::Type(SchemaGenerator::subschema_for::<T>),
            examples: Vec::new(),
        });
        self
    }

    pub(super) fn takes_body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) fn example(mut self, name: &'static str, value: Value) -> Self {
        if let Some(body) = &mut self.body {
            body.examples.push((name, value));
        }
        self
    }

    pub(super) fn answers<T: JsonSchema>(
        self,
        status: u16,
        headers: &'static [Header],
        description: &'static str,
    ) -> Self {
        let shape = Shape::Type(SchemaGenerator::subschema_for::<T>);
        self.replies(status, "application/json", shape, headers, description)
    }

    pub(super) fn replies(
        mut self,
        status: u16,
        media: &'static str,
        shape: Shape,
        headers: &'static [Header],
        description: &'static str,
    ) -> Self {
        self.answers.push(Reply {
            status,
            description,
            media,
            shape,
            headers,
        });
        self
    }

    pub(super) fn refuses(mut self, codes: impl IntoIterator<Item = Code>) -> Self {
        self.refusals.extend(codes);
        self
    }

    pub(super) fn leads_to(
        mut self,
        operation: &'static str,
        parameter: &'static str,
        value: &'static str,
    ) -> Self {
        self.links.push(Link {
            operation,
            parameter,
            value,
        });
        self
    }

    /// The path as the document writes it: the rest of a path is a parameter like others there.
    pub(super) fn written_path(&self) -> String {
        self.path.replace("{*", "{")
    }

    /// Every code that it may answer with: its own and those of every request of its kind.
    pub(crate) fn codes(&self) -> Vec<Code> {
        let mut codes = self.refusals.clone();
        codes.extend(super::refusals::of_kind(self));
        codes.sort_unstable_by_key(|code| code.code);
        codes.dedup();
        codes
    }
}

// === impl Header ===

impl Header {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Location => "Location",
            Self::Etag => "ETag",
        }
    }

    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Location => "Where what was made is: a path on this node.",
            Self::Etag => "Changes with what is answered; goes into If-None-Match and If-Match.",
        }
    }
}
