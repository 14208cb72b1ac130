//! Small circuits that between them use everything a recorder meets.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::marker::PhantomData;

use aureole_sdk::Fp;
use aureole_sdk::halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use aureole_sdk::halo2_proofs::plonk::{
    Advice, Assigned, Circuit, Column, ConstraintSystem, Constraints, Error, Fixed, FloorPlanner,
    Instance, Selector, TableColumn,
};
use aureole_sdk::halo2_proofs::poly::Rotation;

/// A name with everything that could confuse a reader of debug forms.
pub(crate) const AWKWARD: &str =
    "a \"gate\", }] Sum(Constant(0x1)), { name: \\ 'it', \u{e9}\u{301} \u{202e} \n\t\0 \u{1f9ea}";

/// x * y, x / y and the constant seven; a lookup of y in 0..8.
pub(crate) struct Everything<P> {
    pub(crate) x: Value<Fp>,
    pub(crate) y: Value<Fp>,
    planner: PhantomData<P>,
}

#[derive(Clone)]
pub(crate) struct EverythingConfig {
    a: Column<Advice>,
    b: Column<Advice>,
    fixed: Column<Fixed>,
    table: TableColumn,
    product: Column<Instance>,
    seven: Column<Instance>,
    multiply: Selector,
    divide: Selector,
    in_table: Selector,
}

impl<P> Everything<P> {
    pub(crate) fn new(x: u64, y: u64) -> Self {
        Self {
            x: Value::known(Fp::from(x)),
            y: Value::known(Fp::from(y)),
            planner: PhantomData,
        }
    }

    pub(crate) fn unknown() -> Self {
        Self {
            x: Value::unknown(),
            y: Value::unknown(),
            planner: PhantomData,
        }
    }
}

impl<P: FloorPlanner> Circuit<Fp> for Everything<P> {
    type Config = EverythingConfig;
    type FloorPlanner = P;

    fn without_witnesses(&self) -> Self {
        Self::unknown()
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> EverythingConfig {
        let (a, b) = (meta.advice_column(), meta.advice_column());
        let (constants, fixed) = (meta.fixed_column(), meta.fixed_column());
        let table = meta.lookup_table_column();
        let (product, seven) = (meta.instance_column(), meta.instance_column());
        let (multiply, _unused) = (meta.selector(), meta.selector());
        let (divide, in_table) = (meta.selector(), meta.complex_selector());

        meta.enable_equality(seven);
        meta.enable_constant(constants);
        meta.enable_equality(a);
        meta.enable_equality(product);
        meta.create_gate(AWKWARD, |meta| {
            let selector = meta.query_selector(multiply);
            let next = meta.query_advice(a, Rotation::next());
            let (x, y) = (
                meta.query_advice(a, Rotation::cur()),
                meta.query_advice(b, Rotation::cur()),
            );
            Constraints::with_selector(selector, [("x * y = next a", x * y - next)])
        });
        meta.create_gate("divide", |meta| {
            let selector = meta.query_selector(divide);
            let x = meta.query_advice(a, Rotation(-2));
            let y = meta.query_advice(b, Rotation(-2));
            let quotient = meta.query_advice(b, Rotation::cur());
            let doubled = meta.query_fixed(fixed);
            vec![selector * (quotient * y * Fp::from(2) - x * doubled)]
        });
        meta.lookup(|meta| {
            let selector = meta.query_selector(in_table);
            let y = meta.query_advice(b, Rotation::cur());
            vec![(selector * y, table)]
        });
        meta.set_minimum_degree(6);
        EverythingConfig {
            a,
            b,
            fixed,
            table,
            product,
            seven,
            multiply,
            divide,
            in_table,
        }
    }

    fn synthesize(
        &self,
        config: EverythingConfig,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_table(
            || "small numbers",
            |mut table| {
                (0..8).try_for_each(|row| {
                    let value = Fp::from(row as u64);
                    table.assign_cell(|| "", config.table, row, || Value::known(value))
                })
            },
        )?;
        let product = layouter.namespace(|| "inner").assign_region(
            || "multiply and divide",
            |mut region| {
                config.multiply.enable(&mut region, 0)?;
                config.in_table.enable(&mut region, 0)?;
                config.divide.enable(&mut region, 2)?;
                region.assign_fixed(|| "", config.fixed, 2, || Value::known(Fp::from(2)))?;
                region.assign_advice(|| "x", config.a, 0, || self.x)?;
                region.assign_advice(|| "y", config.b, 0, || self.y)?;
                region.assign_advice(
                    || "x / y",
                    config.b,
                    2,
                    || self.x.zip(self.y).map(Assigned::from),
                )?;
                region.assign_advice(|| "x * y", config.a, 1, || self.x * self.y)
            },
        )?;
        let seven = layouter.assign_region(
            || "seven",
            |mut region| region.assign_advice_from_constant(|| "", config.a, 0, Fp::from(7)),
        )?;
        layouter.constrain_instance(product.cell(), config.product, 0)?;
        layouter.constrain_instance(seven.cell(), config.seven, 0)
    }
}

/// No gate and no lookup: a public input copied `rows` times.
pub(crate) struct CopiesOnly {
    pub(crate) rows: usize,
}

impl Circuit<Fp> for CopiesOnly {
    type Config = (Column<Advice>, Column<Instance>);
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self { rows: self.rows }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Self::Config {
        let (advice, instance) = (meta.advice_column(), meta.instance_column());
        meta.enable_equality(instance);
        meta.enable_equality(advice);
        (advice, instance)
    }

    fn synthesize(
        &self,
        (advice, instance): Self::Config,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "copies",
            |mut region| {
                (0..self.rows).try_for_each(|row| {
                    region
                        .assign_advice_from_instance(|| "", instance, 0, advice, row)
                        .map(|_| ())
                })
            },
        )
    }
}

/// Nothing at all.
pub(crate) struct Empty;

impl Circuit<Fp> for Empty {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self
    }

    fn configure(_: &mut ConstraintSystem<Fp>) {}

    fn synthesize(&self, (): (), _: impl Layouter<Fp>) -> Result<(), Error> {
        Ok(())
    }
}

/// A fixed cell whose value is the witness: no circuit has a key for it.
pub(crate) struct FixedFromWitness(pub(crate) Value<Fp>);

impl Circuit<Fp> for FixedFromWitness {
    type Config = Column<Fixed>;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self(Value::unknown())
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Column<Fixed> {
        meta.fixed_column()
    }

    fn synthesize(
        &self,
        fixed: Column<Fixed>,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "",
            |mut region| region.assign_fixed(|| "", fixed, 3, || self.0).map(|_| ()),
        )
    }
}

/// A copy of a column without equality, or a row far away.
pub(crate) struct Careless {
    pub(crate) copy: bool,
    pub(crate) row: usize,
}

impl Circuit<Fp> for Careless {
    type Config = Column<Advice>;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self { ..*self }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Column<Advice> {
        meta.advice_column()
    }

    fn synthesize(
        &self,
        advice: Column<Advice>,
        mut layouter: impl Layouter<Fp>,
    ) -> Result<(), Error> {
        layouter.assign_region(
            || "",
            |mut region| {
                let cell =
                    region.assign_advice(|| "", advice, self.row, || Value::known(Fp::from(1)))?;
                match self.copy {
                    true => region.constrain_equal(cell.cell(), cell.cell()),
                    false => Ok(()),
                }
            },
        )
    }
}
