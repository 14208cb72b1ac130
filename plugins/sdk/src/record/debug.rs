//! A constraint system out of its `Debug` form.
//!
//! halo2 keeps the fields to itself, but derives `Debug`, and hashes that very form into every
//! verifying key: it cannot drift without every key in the ecosystem changing. Fields that are
//! not needed are passed over by name, and the figures halo2 does tell are compared.

use std::collections::HashMap;

use aureole_ir::{
    Column, ColumnKind, Constraint, ConstraintSystem, Expression, FieldElement, Gate, Lookup,
    NodeIndex, Query, Selector, unprintable,
};
use halo2_proofs::plonk;
use pasta_curves::Fp;

use super::tokens::Tokens;

/// Bytes of a recorded name: the platform's limit, a line of a message.
const NAME_BYTES_MAX: usize = 256;

/// Stands where a name was cut.
const CUT: char = '\u{2026}';

/// Where the debug form is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{expected} was expected at byte {at}")]
pub struct ParseError {
    /// What was expected.
    pub expected: String,
    /// Where.
    pub at: usize,
}

/// Reads everything.
pub(super) fn parse(cs: &plonk::ConstraintSystem<Fp>) -> Result<ConstraintSystem, ParseError> {
    let parsed = parse_text(&format!("{cs:?}"), true)?;
    // The two figures that halo2 tells and the validator computes.
    let agrees = u32::try_from(cs.blinding_factors()) == Ok(parsed.blinding_factors());
    match agrees {
        true => Ok(parsed),
        false => Err(ParseError {
            expected: "as many advice queries as halo2 counts".into(),
            at: 0,
        }),
    }
}

/// Reads the columns and the constants only: what laying out a witness takes.
pub(super) fn parse_without_gates(
    cs: &plonk::ConstraintSystem<Fp>,
) -> Result<ConstraintSystem, ParseError> {
    parse_text(&format!("{cs:?}"), false)
}

fn parse_text(text: &str, gates: bool) -> Result<ConstraintSystem, ParseError> {
    let mut tokens = Tokens::new(text);
    let mut parser = Parser::default();
    let mut selectors = 0;
    let mut seen = 0;
    tokens.fields("ConstraintSystem", |t, field| {
        let cs = &mut parser.cs;
        match field {
            "num_fixed_columns" => cs.fixed_columns = t.number()?,
            "num_advice_columns" => cs.advice_columns = t.number()?,
            "num_instance_columns" => cs.instance_columns = t.number()?,
            "num_selectors" => selectors = t.number()?,
            "gates" if gates => cs.gates = t.list(|t| parser.nodes.gate(t))?,
            "lookups" if gates => cs.lookups = t.list(|t| parser.nodes.lookup(t))?,
            "advice_queries" => cs.advice_queries = t.list(query)?,
            "instance_queries" => cs.instance_queries = t.list(query)?,
            "fixed_queries" => cs.fixed_queries = t.list(query)?,
            "permutation" => t.fields("Argument", |t, field| match field {
                "columns" => {
                    cs.permutation = t.list(column)?;
                    Ok(())
                }
                _ => t.skip(),
            })?,
            "constants" => {
                cs.constants = t.list(|t| column(t).map(|column| column.index))?;
            }
            "minimum_degree" => cs.minimum_degree = minimum_degree(t)?,
            "gates" | "lookups" => t.skip()?,
            _ => return t.skip(),
        }
        seen += 1;
        Ok(())
    })?;
    tokens.end()?;
    if seen != 12 {
        return Err(ParseError {
            expected: "twelve known fields".into(),
            at: 0,
        });
    }
    parser.finish(selectors)
}

#[derive(Default)]
struct Parser {
    cs: ConstraintSystem,
    nodes: Nodes,
}

/// The flat expression list as it grows; equal nodes are one.
#[derive(Default)]
struct Nodes {
    list: Vec<Expression>,
    index: HashMap<Expression, NodeIndex>,
    simple: HashMap<u32, bool>,
}

/// A node whose operands are still being read.
enum Open {
    Negated,
    Scaled,
    Sum,
    SumWith(NodeIndex),
    Product,
    ProductWith(NodeIndex),
}

// === impl Parser ===

impl Parser {
    fn finish(mut self, selectors: u32) -> Result<ConstraintSystem, ParseError> {
        self.cs.expressions = self.nodes.list;
        self.cs.selectors = (0..selectors)
            .map(|index| match self.nodes.simple.get(&index) {
                Some(true) => Selector::Simple,
                _ => Selector::Complex,
            })
            .collect();
        match self.nodes.simple.keys().all(|index| *index < selectors) {
            true => Ok(self.cs),
            false => Err(ParseError {
                expected: format!("{selectors} selectors"),
                at: 0,
            }),
        }
    }
}

// === impl Nodes ===

impl Nodes {
    fn gate(&mut self, t: &mut Tokens<'_>) -> Result<Gate, ParseError> {
        let mut name = String::new();
        let mut names = Vec::new();
        let mut expressions = Vec::new();
        t.fields("Gate", |t, field| {
            match field {
                "name" => name = printable(t.text()?),
                "constraint_names" => names = t.list(|t| t.text().map(printable))?,
                "polys" => expressions = t.list(|t| self.expression(t))?,
                "queried_selectors" => {
                    t.list(|t| self.selector(t))?;
                }
                _ => t.skip()?,
            }
            Ok(())
        })?;
        if names.len() != expressions.len() {
            return Err(t.expected("as many constraint names as polynomials"));
        }
        let constraints = names
            .into_iter()
            .zip(expressions)
            .map(|(name, expression)| Constraint { name, expression })
            .collect();
        Ok(Gate { name, constraints })
    }

    fn lookup(&mut self, t: &mut Tokens<'_>) -> Result<Lookup, ParseError> {
        let mut lookup = Lookup {
            inputs: Vec::new(),
            table: Vec::new(),
        };
        t.fields("Argument", |t, field| {
            match field {
                "input_expressions" => lookup.inputs = t.list(|t| self.expression(t))?,
                "table_expressions" => {
                    lookup.table = t.list(|t| {
                        t.name("Fixed")?;
                        cell(t).map(|(_, column)| column)
                    })?;
                }
                _ => t.skip()?,
            }
            Ok(())
        })?;
        Ok(lookup)
    }

    /// Reads one expression without recursion: `open` holds the nodes around the current one.
    fn expression(&mut self, t: &mut Tokens<'_>) -> Result<NodeIndex, ParseError> {
        let mut open = Vec::new();
        loop {
            let head = t.word()?;
            let leaf = match head {
                "Fixed" => Expression::Fixed(cell(t)?.0),
                "Advice" => Expression::Advice(cell(t)?.0),
                "Instance" => Expression::Instance(cell(t)?.0),
                "Constant" | "Selector" | "Negated" | "Scaled" | "Sum" | "Product" => {
                    t.mark('(')?;
                    match head {
                        "Constant" => {
                            let value = element(t)?;
                            t.mark(')')?;
                            Expression::Constant(value)
                        }
                        "Selector" => {
                            let index = self.selector(t)?;
                            t.mark(')')?;
                            Expression::Selector(index)
                        }
                        "Negated" => {
                            open.push(Open::Negated);
                            continue;
                        }
                        "Scaled" => {
                            open.push(Open::Scaled);
                            continue;
                        }
                        "Sum" => {
                            open.push(Open::Sum);
                            continue;
                        }
                        _ => {
                            open.push(Open::Product);
                            continue;
                        }
                    }
                }
                _ => return Err(t.expected("an expression")),
            };
            let mut node = self.intern(leaf);
            // Close every node that this one completes.
            loop {
                let complete = match open.pop() {
                    None => return Ok(node),
                    Some(Open::Sum) => {
                        t.mark(',')?;
                        open.push(Open::SumWith(node));
                        break;
                    }
                    Some(Open::Product) => {
                        t.mark(',')?;
                        open.push(Open::ProductWith(node));
                        break;
                    }
                    Some(Open::Negated) => Expression::Negated(node),
                    Some(Open::Scaled) => {
                        t.mark(',')?;
                        Expression::Scaled(node, element(t)?)
                    }
                    Some(Open::SumWith(left)) => Expression::Sum(left, node),
                    Some(Open::ProductWith(left)) => Expression::Product(left, node),
                };
                t.mark(')')?;
                node = self.intern(complete);
            }
        }
    }

    /// `Selector(index, simple)`
    fn selector(&mut self, t: &mut Tokens<'_>) -> Result<u32, ParseError> {
        let (index, simple) = t.wrapped("Selector", |t| {
            let index = t.number()?;
            t.mark(',')?;
            Ok((index, t.number::<bool>()?))
        })?;
        match self.simple.insert(index, simple) {
            Some(before) if before != simple => Err(t.expected("one kind for each selector")),
            _ => Ok(index),
        }
    }

    fn intern(&mut self, expression: Expression) -> NodeIndex {
        *self.index.entry(expression).or_insert_with(|| {
            self.list.push(expression);
            u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

/// ` { query_index: 0, column_index: 0, rotation: Rotation(0) }` after its name.
fn cell(t: &mut Tokens<'_>) -> Result<(u32, u32), ParseError> {
    t.mark('{')?;
    t.name("query_index")?;
    t.mark(':')?;
    let query = t.number()?;
    t.mark(',')?;
    t.name("column_index")?;
    t.mark(':')?;
    let column = t.number()?;
    t.mark(',')?;
    t.name("rotation")?;
    t.mark(':')?;
    rotation(t)?;
    t.mark('}')?;
    Ok((query, column))
}

fn rotation(t: &mut Tokens<'_>) -> Result<i32, ParseError> {
    t.wrapped("Rotation", Tokens::number)
}

/// `(Column { index: 0, column_type: Advice }, Rotation(0))`
fn query(t: &mut Tokens<'_>) -> Result<Query, ParseError> {
    t.mark('(')?;
    let column = column(t)?;
    t.mark(',')?;
    let rotation = rotation(t)?;
    t.mark(')')?;
    Ok(Query {
        column: column.index,
        rotation,
    })
}

/// `Column { index: 0, column_type: Advice }`
fn column(t: &mut Tokens<'_>) -> Result<Column, ParseError> {
    let mut index = None;
    let mut kind = None;
    t.fields("Column", |t, field| {
        match field {
            "index" => index = Some(t.number()?),
            "column_type" => {
                kind = match t.word()? {
                    "Advice" => Some(ColumnKind::Advice),
                    "Fixed" => Some(ColumnKind::Fixed),
                    "Instance" => Some(ColumnKind::Instance),
                    _ => None,
                }
            }
            _ => t.skip()?,
        }
        Ok(())
    })?;
    match (kind, index) {
        (Some(kind), Some(index)) => Ok(Column { kind, index }),
        _ => Err(t.expected("a column")),
    }
}

/// A name as one line of a message can show it: what is unprintable as its escape, what is long
/// cut. halo2 takes any text, and no key depends on it.
fn printable(name: String) -> String {
    if name.len() <= NAME_BYTES_MAX && !name.contains(unprintable) {
        return name;
    }
    let mut shown = String::new();
    for character in name.chars() {
        let before = shown.len();
        match unprintable(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
        if shown.len() + CUT.len_utf8() > NAME_BYTES_MAX {
            shown.truncate(before);
            shown.push(CUT);
            break;
        }
    }
    shown
}

/// `0x` and 64 hex digits.
fn element(t: &mut Tokens<'_>) -> Result<FieldElement, ParseError> {
    let word = t.word()?;
    FieldElement::from_hex(word).ok_or_else(|| t.expected("a field element"))
}

/// `None` or `Some(5)`
fn minimum_degree(t: &mut Tokens<'_>) -> Result<Option<u32>, ParseError> {
    match t.word()? {
        "None" => Ok(None),
        "Some" => {
            t.mark('(')?;
            let degree = t.number()?;
            t.mark(')')?;
            Ok(Some(degree))
        }
        _ => Err(t.expected("`None` or `Some`")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use halo2_proofs::plonk::Expression;
    use halo2_proofs::poly::Rotation;

    use super::*;

    /// Two columns, a gate of the given name, a lookup.
    fn constraint_system(name: &'static str) -> plonk::ConstraintSystem<Fp> {
        let mut cs = plonk::ConstraintSystem::default();
        let (advice, fixed) = (cs.advice_column(), cs.fixed_column());
        let (selector, table) = (cs.complex_selector(), cs.lookup_table_column());
        cs.enable_constant(fixed);
        cs.create_gate(name, |cells| {
            let cell = cells.query_advice(advice, Rotation(-3));
            vec![(name, cells.query_selector(selector) * -cell * Fp::from(7))]
        });
        cs.lookup(|cells| vec![(cells.query_advice(advice, Rotation::cur()), table)]);
        cs
    }

    #[test]
    fn every_prefix_of_a_debug_form_is_an_error_and_never_a_panic() {
        let text = format!("{:?}", constraint_system("a \"name\" \u{1f9ea} \u{301}"));
        for (end, _) in text.char_indices() {
            assert!(parse_text(&text[..end], true).is_err(), "{end}");
            assert!(parse_text(&text[..end], false).is_err(), "{end}");
        }
        assert!(parse_text(&text, true).is_ok());
    }

    #[test]
    fn a_field_renamed_missing_or_of_another_form_is_an_error() {
        let text = format!("{:?}", constraint_system("gate"));
        for (from, to) in [
            ("ConstraintSystem {", "Circuit {"),
            ("num_selectors", "selectors"),
            ("num_selectors: 1", "num_selectors: 0"),
            ("minimum_degree: None", "minimum_degree: Nothing"),
            ("Negated(", "Minus("),
            ("Rotation(-3)", "Rotation(x)"),
            (
                "[Column { index: 0, column_type: Fixed",
                "[Column { index: 0, column_type: Challenge",
            ),
            (
                "Selector(0, false)], queried_cells",
                "Selector(0, true)], queried_cells",
            ),
            ("constraint_names: [\"gate\"]", "constraint_names: []"),
            ("0x00000000", "0x"),
            ("name: \"gate\"", "name: \"\\q\""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(parse_text(&changed, true).is_err(), "{to}");
        }
        assert!(parse_text(&format!("{text} more"), true).is_err());
    }

    #[test]
    fn a_field_that_is_not_known_is_passed_over() {
        let text = format!("{:?}", constraint_system("gate"));
        let added = "ConstraintSystem { phases: [(First, \"]}\"), {}], ";
        let changed = text.replacen("ConstraintSystem { ", added, 1);
        assert_eq!(parse_text(&changed, true), parse_text(&text, true));
    }

    #[test]
    fn the_form_without_gates_has_the_same_columns_and_constants() {
        let cs = constraint_system("gate");
        let (whole, part) = (parse(&cs).unwrap(), parse_without_gates(&cs).unwrap());
        assert_eq!(part.constants, whole.constants);
        assert_eq!(part.permutation, whole.permutation);
        assert_eq!(
            (part.advice_columns, part.fixed_columns),
            (whole.advice_columns, whole.fixed_columns)
        );
        assert!(part.gates.is_empty() && part.lookups.is_empty());
    }

    #[test]
    fn names_come_out_on_one_line_and_no_longer_than_the_platform_takes() {
        for (name, shown) in [
            ("plain \u{1f9ea}", "plain \u{1f9ea}"),
            ("two\nlines\u{7}", "two\\nlines\\u{7}"),
            ("\u{202e}turned", "\\u{202e}turned"),
        ] {
            assert_eq!(printable(name.to_owned()), shown);
        }
        assert_eq!(printable("x".repeat(256)), "x".repeat(256));
        let long = printable("\n".repeat(300));
        assert_eq!((long.len(), long.chars().last()), (255, Some(CUT)));
        let parsed = parse(&constraint_system("a\tb")).unwrap();
        assert_eq!(parsed.gates[0].name, "a\\tb");
        assert_eq!(parsed.gates[0].constraints[0].name, "a\\tb");
    }

    #[test]
    fn a_long_expression_is_read_without_recursion() {
        let mut cs = plonk::ConstraintSystem::<Fp>::default();
        let advice = cs.advice_column();
        cs.create_gate("long", |cells| {
            let cell = cells.query_advice(advice, Rotation::cur());
            // The tree itself: adding would walk it each time.
            let sum = |left, right| Expression::Sum(Box::new(left), Box::new(right));
            vec![(0..1_000).fold(cell.clone(), |left, _| sum(left, cell.clone()))]
        });
        let parsed = parse(&cs).unwrap();
        assert_eq!(parsed.expressions.len(), 1_001);
        assert_eq!(parsed.gates[0].constraints[0].expression, 1_000);
    }
}
