//! Gates and lookups as formulas: infix, columns by name, selectors in front.
//!
//! Expressions are a flat list whose operands come first, so texts are built from the first node
//! on, without recursion; a part that grows too long becomes `(...)`.

use std::collections::BTreeMap;

use aureole_ir::{
    Column, ColumnKind, ConstraintSystem, Expression, Field, FieldElement, NodeIndex, Query,
};
use serde::Serialize;

use crate::limits::{FORMULA_CHARS_MAX, FORMULA_NODES_MAX};
use crate::names::{column_name, selector_name};

/// A constraint system in readable form.
#[derive(Debug)]
pub struct Formulas<'a> {
    system: &'a ConstraintSystem,
    field: Field,
}

/// A polynomial that is zero on every row on which its selectors are on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Formula {
    /// Selectors that are factors of the whole.
    pub when: Vec<String>,
    /// The rest.
    pub polynomial: String,
}

/// A lookup: the inputs' tuple stands in the table on each row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LookupFormula {
    /// Input expressions.
    pub inputs: Vec<String>,
    /// Names of the table's columns.
    pub table: Vec<String>,
}

/// A node's text, in the form that its user needs.
#[derive(Clone)]
enum Form {
    /// Terms with their signs; `true` is minus.
    Sum(Vec<(bool, String)>),
    /// Factors, and whether the product is negated.
    Product(bool, Vec<String>),
}

// === impl Formulas ===

impl<'a> Formulas<'a> {
    /// Formulas of a constraint system over a field.
    #[must_use]
    pub fn new(system: &'a ConstraintSystem, field: Field) -> Self {
        Self { system, field }
    }

    /// The polynomial under a node.
    #[must_use]
    pub fn polynomial(&self, root: NodeIndex) -> Formula {
        let Form::Product(negative, factors) = self.form(root) else {
            let polynomial = self.form(root).text();
            return Formula {
                when: Vec::new(),
                polynomial,
            };
        };
        let selectors: Vec<String> = (0..)
            .zip(&self.system.selectors)
            .map(|(index, _)| selector_name(index))
            .collect();
        let (when, rest): (Vec<String>, Vec<String>) = factors
            .into_iter()
            .partition(|factor| selectors.contains(factor));
        // A sum in parentheses alone needs none.
        let polynomial = match rest.as_slice() {
            [] => String::from("1"),
            [only] if !negative => bare(only).to_owned(),
            _ => Form::Product(negative, rest).text(),
        };
        Formula { when, polynomial }
    }

    /// A lookup.
    #[must_use]
    pub fn lookup(&self, lookup: &aureole_ir::Lookup) -> LookupFormula {
        let name = |index: &u32| {
            column_name(Column {
                kind: ColumnKind::Fixed,
                index: *index,
            })
        };
        LookupFormula {
            inputs: lookup
                .inputs
                .iter()
                .map(|root| self.form(*root).text())
                .collect(),
            table: lookup.table.iter().map(name).collect(),
        }
    }

    fn form(&self, root: NodeIndex) -> Form {
        let nodes = self.reachable(root);
        if nodes.len() > FORMULA_NODES_MAX {
            return atom(format!("(an expression of {} nodes)", nodes.len()));
        }
        let mut forms: BTreeMap<NodeIndex, Form> = BTreeMap::new();
        for node in nodes {
            let of = |index: &NodeIndex| forms.get(index).cloned().unwrap_or_else(|| atom("?"));
            let form = match self.system.expressions.get(node as usize) {
                None => atom("?"),
                Some(Expression::Constant(value)) => self.constant(value),
                Some(Expression::Selector(index)) => atom(selector_name(*index)),
                Some(Expression::Fixed(index)) => {
                    query(ColumnKind::Fixed, &self.system.fixed_queries, *index)
                }
                Some(Expression::Advice(index)) => {
                    query(ColumnKind::Advice, &self.system.advice_queries, *index)
                }
                Some(Expression::Instance(index)) => {
                    query(ColumnKind::Instance, &self.system.instance_queries, *index)
                }
                Some(Expression::Negated(a)) => of(a).negated(),
                Some(Expression::Sum(a, b)) => of(a).plus(of(b)),
                Some(Expression::Product(a, b)) => of(a).times(of(b)),
                Some(Expression::Scaled(a, by)) => self.constant(by).times(of(a)),
            };
            forms.insert(node, form.bounded());
        }
        forms.remove(&root).unwrap_or_else(|| atom("?"))
    }

    /// Nodes under a root, operands before their users.
    fn reachable(&self, root: NodeIndex) -> Vec<NodeIndex> {
        let mut wanted = vec![root];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(node) = wanted.pop() {
            if !seen.insert(node) {
                continue;
            }
            match self.system.expressions.get(node as usize) {
                Some(Expression::Negated(a) | Expression::Scaled(a, _)) => wanted.push(*a),
                Some(Expression::Sum(a, b) | Expression::Product(a, b)) => {
                    wanted.extend([*a, *b]);
                }
                _ => {}
            }
        }
        seen.into_iter().collect()
    }

    /// A constant, short when it or its negation is small or a power of two.
    fn constant(&self, value: &FieldElement) -> Form {
        let negated = negate(value, self.field);
        let short = |value: &FieldElement| {
            let limbs = value.to_limbs();
            if let [low, 0, 0, 0] = limbs
                && low <= 0xffff_ffff
            {
                return Some(low.to_string());
            }
            let ones: u32 = limbs.iter().map(|limb| limb.count_ones()).sum();
            let bit = limbs.iter().position(|limb| *limb != 0)?;
            let zeros = limbs.get(bit)?.trailing_zeros();
            (ones == 1).then(|| format!("2^{}", bit as u32 * 64 + zeros))
        };
        if let Some(text) = short(value) {
            return atom(text);
        }
        if let Some(text) = short(&negated) {
            return Form::Product(true, vec![text]);
        }
        let hex = value.to_hex();
        let (head, tail) = (
            hex.get(..8).unwrap_or_default(),
            hex.get(60..).unwrap_or_default(),
        );
        atom(format!("{head}..{tail}"))
    }
}

fn atom(text: impl Into<String>) -> Form {
    Form::Product(false, vec![text.into()])
}

fn query(kind: ColumnKind, queries: &[Query], index: u32) -> Form {
    let Some(query) = queries.get(index as usize) else {
        return atom("?");
    };
    let name = column_name(Column {
        kind,
        index: query.column,
    });
    match query.rotation {
        0 => atom(name),
        rotation => atom(format!("{name}[{rotation:+}]")),
    }
}

/// The modulus minus a value.
fn negate(value: &FieldElement, field: Field) -> FieldElement {
    let mut negated = [0_u8; 32];
    let mut borrow = false;
    for ((out, modulus), byte) in negated.iter_mut().zip(field.modulus()).zip(value.0) {
        let (first, under) = modulus.overflowing_sub(byte);
        let (second, again) = first.overflowing_sub(borrow.into());
        (*out, borrow) = (second, under || again);
    }
    FieldElement(negated)
}

/// A text without the parentheses around all of it.
fn bare(text: &str) -> &str {
    text.strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .map_or(text, |inner| {
            let mut depth = 0_i32;
            let closes_early = inner.chars().any(|character| {
                match character {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                depth < 0
            });
            if closes_early || inner == "..." {
                text
            } else {
                inner
            }
        })
}

// === impl Form ===

impl Form {
    fn negated(self) -> Self {
        match self {
            Self::Product(negative, factors) => Self::Product(!negative, factors),
            Self::Sum(terms) => Self::Sum(
                terms
                    .into_iter()
                    .map(|(minus, text)| (!minus, text))
                    .collect(),
            ),
        }
    }

    fn plus(self, other: Self) -> Self {
        let mut terms = self.terms();
        terms.extend(other.terms());
        Self::Sum(terms)
    }

    fn times(self, other: Self) -> Self {
        let (left, mut factors) = self.factors();
        let (right, more) = other.factors();
        factors.extend(more);
        if factors.len() > 1 {
            factors.retain(|factor| factor != "1");
            if factors.is_empty() {
                factors.push(String::from("1"));
            }
        }
        Self::Product(left != right, factors)
    }

    fn terms(self) -> Vec<(bool, String)> {
        match self {
            Self::Sum(terms) => terms,
            Self::Product(negative, factors) => vec![(negative, powers(&factors))],
        }
    }

    fn factors(self) -> (bool, Vec<String>) {
        match self {
            Self::Product(negative, factors) => (negative, factors),
            Self::Sum(_) => (false, vec![format!("({})", self.text())]),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Product(negative, factors) => {
                let sign = if *negative { "-" } else { "" };
                format!("{sign}{}", powers(factors))
            }
            Self::Sum(terms) => sum(terms),
        }
    }

    fn bounded(self) -> Self {
        let length: usize = match &self {
            Self::Product(_, factors) => factors.iter().map(|factor| factor.len() + 3).sum(),
            Self::Sum(terms) => terms.iter().map(|(_, term)| term.len() + 3).sum(),
        };
        if length > FORMULA_CHARS_MAX {
            atom("(...)")
        } else {
            self
        }
    }
}

/// Terms with their signs, beginning with one that has none if there is one.
fn sum(terms: &[(bool, String)]) -> String {
    let first = terms.iter().position(|(minus, _)| !minus).unwrap_or(0);
    let mut text = String::new();
    let lead = terms.iter().skip(first).take(1);
    let rest = terms
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != first);
    for (minus, term) in lead.chain(rest.map(|(_, term)| term)) {
        text.push_str(match (text.is_empty(), minus) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        });
        text.push_str(term);
    }
    text
}

/// Factors with equal ones as a power.
fn powers(factors: &[String]) -> String {
    let mut counted: Vec<(&str, u32)> = Vec::new();
    for factor in factors {
        match counted.iter_mut().find(|(known, _)| known == factor) {
            Some((_, count)) => *count += 1,
            None => counted.push((factor, 1)),
        }
    }
    let written: Vec<String> = counted
        .into_iter()
        .map(|(factor, count)| match count {
            1 => factor.to_owned(),
            count if factor.contains('^') => format!("({factor})^{count}"),
            count => format!("{factor}^{count}"),
        })
        .collect();
    written.join(" * ")
}

// === impl Formula ===

impl std::fmt::Display for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.when.is_empty() {
            write!(f, "{}: ", self.when.join(" * "))?;
        }
        write!(f, "{} = 0", self.polynomial)
    }
}

// === impl LookupFormula ===

impl std::fmt::Display for LookupFormula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "({}) in ({})",
            self.inputs.join(", "),
            self.table.join(", ")
        )
    }
}
