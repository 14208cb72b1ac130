//! What a made-up circuit is, as data drawn from a seed.
//!
//! Every constraint is `guard * (expression - balance)` with a fixed column of its own for the
//! balance, and every lookup's input likewise: whatever the witness, [`Spec::solve`] makes both
//! hold. Values under a copy are equal from the start.

use std::collections::{BTreeMap, BTreeSet};

use aureole_circuits::Dice;
use aureole_ir::PublicInput;
use pasta_curves::Fp;

/// Rows above and below that an expression reads.
const REACH: i32 = 3;

/// An expression over a row.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Constant(Fp),
    Advice(usize, i32),
    Fixed(usize),
    Instance(usize, i32),
    /// A complex selector.
    Selector(usize),
    Negated(Box<Expr>),
    Sum(Box<Expr>, Box<Expr>),
    Product(Box<Expr>, Box<Expr>),
    Scaled(Box<Expr>, Fp),
}

/// `guard * (expression - balance)`
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) expression: Expr,
    pub(crate) balance: usize,
}

/// Constraints under one selector.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) guard: usize,
    pub(crate) constraints: Vec<Constraint>,
    /// Whether the guard stands on the right of the product.
    pub(crate) guard_last: bool,
}

/// `guard * (expression - balance) + default`, for each of the table's columns.
#[derive(Clone, Debug)]
pub(crate) struct Lookup {
    pub(crate) guard: usize,
    pub(crate) table: usize,
    pub(crate) inputs: Vec<Constraint>,
}

/// Rows of a lookup table; one that is not loaded has a single row of zeros.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) columns: usize,
    pub(crate) rows: Vec<Vec<Fp>>,
    pub(crate) loaded: bool,
}

/// An advice cell of a region.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) column: usize,
    pub(crate) offset: usize,
    pub(crate) value: Fp,
    /// Given as a fraction with this denominator.
    pub(crate) over: Option<Fp>,
    /// Held to its value by a constant.
    pub(crate) constant: bool,
}

/// A region: every cell of its first and last rows is there.
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) cells: Vec<Cell>,
    pub(crate) fixed: Vec<(usize, usize, Fp)>,
    /// Selector and offset.
    pub(crate) on: Vec<(usize, usize)>,
}

/// A step of `configure`; their order is part of the circuit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Gate(usize),
    Lookup(usize),
    EqualAdvice(usize),
    EqualFixed(usize),
    EqualInstance(usize),
    Constants(usize),
    /// A query that no expression uses.
    Query(usize, i32),
}

/// A region's cell.
pub(crate) type Place = (usize, usize);

/// A made-up circuit.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) advice: usize,
    /// Those that expressions read; balances follow them.
    pub(crate) fixed: usize,
    pub(crate) balances: usize,
    pub(crate) instance: Vec<Vec<Fp>>,
    /// Simple or not.
    pub(crate) selectors: Vec<bool>,
    pub(crate) tables: Vec<Table>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) steps: Vec<Step>,
    pub(crate) minimum_degree: Option<usize>,
    pub(crate) regions: Vec<Region>,
    pub(crate) copies: Vec<(Place, Place)>,
    /// A cell, an instance column and a row, which no public input may name.
    pub(crate) exposed: Vec<(Place, usize, usize)>,
    /// By balance, region and offset.
    pub(crate) solved: BTreeMap<(usize, usize, usize), Fp>,
}

// === impl Spec ===

impl Spec {
    /// Draws a circuit.
    pub(crate) fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let mut spec = Self {
            advice: 1 + dice.below(5),
            fixed: dice.below(4),
            balances: 0,
            instance: Vec::new(),
            selectors: (0..1 + dice.below(6)).map(|_| dice.one_in(2)).collect(),
            tables: Vec::new(),
            gates: Vec::new(),
            lookups: Vec::new(),
            steps: Vec::new(),
            minimum_degree: dice.one_in(6).then(|| 1 + dice.below(10)),
            regions: Vec::new(),
            copies: Vec::new(),
            exposed: Vec::new(),
            solved: BTreeMap::new(),
        };
        for _ in 0..dice.below(4) {
            let rows = dice.below(5);
            spec.instance
                .push((0..rows).map(|_| dice.element()).collect());
        }
        spec.draw_tables(dice);
        spec.draw_gates(dice);
        spec.draw_lookups(dice);
        spec.draw_regions(dice);
        spec.draw_steps(dice);
        spec.draw_copies(dice);
        spec
    }

    /// A public input for each instance column that has values.
    pub(crate) fn public_inputs(&self) -> Vec<PublicInput> {
        let named = (0_u32..)
            .zip(&self.instance)
            .filter(|(_, values)| !values.is_empty());
        let input = |(column, values): (u32, &Vec<Fp>)| {
            PublicInput::new(
                format!("p{column}"),
                column,
                u32::try_from(values.len()).unwrap(),
            )
        };
        named.map(input).collect()
    }

    /// The instance columns.
    pub(crate) fn instance(&self) -> Vec<Vec<Fp>> {
        self.instance.clone()
    }

    fn draw_tables(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(3) {
            let (columns, loaded) = (1 + dice.below(3), !dice.one_in(5));
            let rows = match loaded {
                true => 1 + dice.below(6),
                false => 1,
            };
            let mut value = || match loaded {
                true if dice.one_in(3) => Fp::from(dice.number() % 5),
                true => dice.element(),
                false => Fp::zero(),
            };
            let rows = (0..rows)
                .map(|_| (0..columns).map(|_| value()).collect())
                .collect();
            self.tables.push(Table {
                columns,
                rows,
                loaded,
            });
        }
    }

    fn draw_gates(&mut self, dice: &mut Dice) {
        for _ in 0..dice.below(5) {
            let guard = dice.below(self.selectors.len());
            let constraints = (0..1 + dice.below(3)).map(|_| self.draw_constraint(dice, 3));
            let constraints = constraints.collect();
            self.gates.push(Gate {
                guard,
                constraints,
                guard_last: dice.one_in(3),
            });
        }
    }

    fn draw_lookups(&mut self, dice: &mut Dice) {
        let complex: Vec<_> = (0..self.selectors.len())
            .filter(|at| !self.selectors[*at])
            .collect();
        if complex.is_empty() || self.tables.is_empty() {
            return;
        }
        for _ in 0..dice.below(4) {
            let table = dice.below(self.tables.len());
            let guard = complex[dice.below(complex.len())];
            let columns = self.tables[table].columns;
            let inputs = (0..columns)
                .map(|_| self.draw_constraint(dice, 2))
                .collect();
            self.lookups.push(Lookup {
                guard,
                table,
                inputs,
            });
        }
    }

    fn draw_constraint(&mut self, dice: &mut Dice, height: usize) -> Constraint {
        let balance = self.balances;
        self.balances += 1;
        Constraint {
            expression: self.draw_expression(dice, height),
            balance,
        }
    }

    fn draw_expression(&self, dice: &mut Dice, height: usize) -> Expr {
        let at = |dice: &mut Dice| i32::try_from(dice.below(7)).unwrap() - REACH;
        if height == 0 || dice.one_in(5) {
            return match dice.below(8) {
                0 => Expr::Constant(Fp::from(dice.number() % 3)),
                1 if self.fixed > 0 => Expr::Fixed(dice.below(self.fixed)),
                2 if !self.instance.is_empty() => {
                    Expr::Instance(dice.below(self.instance.len()), at(dice))
                }
                3 => match dice.below(self.selectors.len()) {
                    simple if self.selectors[simple] => Expr::Constant(dice.element()),
                    complex => Expr::Selector(complex),
                },
                _ => Expr::Advice(dice.below(self.advice), at(dice)),
            };
        }
        let inner = |dice: &mut Dice| Box::new(self.draw_expression(dice, height - 1));
        match dice.below(5) {
            0 => Expr::Negated(inner(dice)),
            1 => Expr::Scaled(inner(dice), dice.element()),
            2 => Expr::Product(inner(dice), inner(dice)),
            _ => Expr::Sum(inner(dice), inner(dice)),
        }
    }

    fn draw_regions(&mut self, dice: &mut Dice) {
        for _ in 0..1 + dice.below(6) {
            let rows = 1 + dice.below(12);
            let columns: Vec<usize> = (0..self.advice).filter(|_| !dice.one_in(3)).collect();
            let columns = if columns.is_empty() { vec![0] } else { columns };
            let mut cells = Vec::new();
            for column in &columns {
                for offset in 0..rows {
                    if offset == 0 || offset + 1 == rows || !dice.one_in(4) {
                        let over = dice.one_in(8).then(|| dice.element());
                        cells.push(Cell {
                            column: *column,
                            offset,
                            value: dice.element(),
                            over,
                            constant: false,
                        });
                    }
                }
            }
            let mut fixed = Vec::new();
            for column in 0..self.fixed {
                let places = (0..rows).filter(|_| dice.one_in(3)).collect::<Vec<_>>();
                fixed.extend(
                    places
                        .into_iter()
                        .map(|offset| (column, offset, dice.element())),
                );
            }
            // Whatever is read from a row that a guard is on at stands inside the region.
            let reach = usize::try_from(REACH).unwrap();
            let inside = reach..rows.saturating_sub(reach).max(reach);
            let mut on = Vec::new();
            for selector in 0..self.selectors.len() {
                on.extend(
                    inside
                        .clone()
                        .filter(|_| dice.one_in(3))
                        .map(|at| (selector, at)),
                );
            }
            self.regions.push(Region { cells, fixed, on });
        }
    }

    fn draw_steps(&mut self, dice: &mut Dice) {
        let mut steps: Vec<Step> = (0..self.gates.len()).map(Step::Gate).collect();
        steps.extend((0..self.lookups.len()).map(Step::Lookup));
        steps.extend(
            (0..self.advice)
                .filter(|_| dice.one_in(2))
                .map(Step::EqualAdvice),
        );
        steps.extend(
            (0..self.fixed)
                .filter(|_| dice.one_in(3))
                .map(Step::EqualFixed),
        );
        steps.extend(
            (0..self.instance.len())
                .filter(|_| !dice.one_in(4))
                .map(Step::EqualInstance),
        );
        // A column for constants holds nothing else.
        let constants = (self.fixed..self.fixed + 2).filter(|_| dice.one_in(3));
        steps.extend(constants.map(Step::Constants));
        if !self.gates.is_empty() {
            steps.push(Step::Query(dice.below(self.advice), 5));
        }
        for left in (1..steps.len()).rev() {
            steps.swap(left, dice.below(left + 1));
        }
        self.steps = steps;
    }

    fn draw_copies(&mut self, dice: &mut Dice) {
        let equal: BTreeSet<usize> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::EqualAdvice(column) => Some(*column),
                _ => None,
            })
            .collect();
        let public: Vec<usize> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::EqualInstance(column) => Some(*column),
                _ => None,
            })
            .collect();
        let constants = self
            .steps
            .iter()
            .any(|step| matches!(step, Step::Constants(_)));
        let places: Vec<Place> = (0..self.regions.len())
            .flat_map(|region| {
                (0..self.regions[region].cells.len()).map(move |cell| (region, cell))
            })
            .filter(|(region, cell)| equal.contains(&self.regions[*region].cells[*cell].column))
            .collect();
        if places.is_empty() {
            return;
        }
        // Copies join places into classes; a class has one value, that of its first exposure.
        let mut class: BTreeMap<Place, Place> = places.iter().map(|at| (*at, *at)).collect();
        let find = |class: &BTreeMap<Place, Place>, mut at: Place| {
            while class[&at] != at {
                at = class[&at];
            }
            at
        };
        for _ in 0..dice.below(8) {
            let (left, right) = (
                places[dice.below(places.len())],
                places[dice.below(places.len())],
            );
            self.copies.push((left, right));
            let (root, other) = (find(&class, left), find(&class, right));
            class.insert(other, root);
        }
        let mut values: BTreeMap<Place, Fp> = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for _ in 0..dice.below(4) {
            let at = places[dice.below(places.len())];
            let Some(column) = public.get(dice.below(public.len().max(1))).copied() else {
                break;
            };
            // One beyond the column's values is zero to every verifier.
            let row = dice.below(self.instance[column].len() + 2);
            let root = find(&class, at);
            if !taken.insert((column, row)) || values.contains_key(&root) {
                continue;
            }
            let value = self.instance[column]
                .get(row)
                .copied()
                .unwrap_or(Fp::zero());
            values.insert(root, value);
            self.exposed.push((at, column, row));
        }
        for (region, cell) in &places {
            let root = find(&class, (*region, *cell));
            let drawn = self.regions[root.0].cells[root.1].value;
            let value = *values.entry(root).or_insert(drawn);
            let cell = &mut self.regions[*region].cells[*cell];
            cell.value = value;
            cell.constant = constants && dice.one_in(10);
        }
    }
}
