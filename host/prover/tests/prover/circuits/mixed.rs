//! Many simple selectors that halo2 combines, a complex one, constants, three instance columns,
//! a minimum degree, rational witness values and an unused selector.

use aureole_ir::PublicInput;
use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    plonk::{
        Advice, Assigned, Circuit, Column, ConstraintSystem, Constraints, Error, Expression, Fixed,
        Instance, Selector,
    },
    poly::Rotation,
};
use pasta_curves::Fp;

use crate::case::{Case, public_input};

pub struct Mixed;

/// Adds, multiplies and divides two numbers, scales one, and adds a constant.
pub struct MixedCircuit {
    pub a: Value<Fp>,
    pub b: Value<Fp>,
}

#[derive(Clone, Copy)]
pub struct Config {
    advice: [Column<Advice>; 3],
    instance: [Column<Instance>; 3],
    factors: Column<Fixed>,
    add: Selector,
    multiply: Selector,
    divide: Selector,
    scale: Selector,
    either: Selector,
}

impl Circuit<Fp> for MixedCircuit {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;

    fn without_witnesses(&self) -> Self {
        Self {
            a: Value::unknown(),
            b: Value::unknown(),
        }
    }

    fn configure(meta: &mut ConstraintSystem<Fp>) -> Config {
        let advice = [
            meta.advice_column(),
            meta.advice_column(),
            meta.advice_column(),
        ];
        let instance = [
            meta.instance_column(),
            meta.instance_column(),
            meta.instance_column(),
        ];
        let (factors, constants) = (meta.fixed_column(), meta.fixed_column());
        let add = meta.selector();
        let either = meta.complex_selector();
        let multiply = meta.selector();
        let _unused = meta.selector();
        let divide = meta.selector();
        let scale = meta.selector();
        meta.enable_constant(constants);
        for column in advice {
            meta.enable_equality(column);
        }
        for column in instance {
            meta.enable_equality(column);
        }
        meta.set_minimum_degree(6);

        meta.create_gate("add", |cells| {
            let [a, b, c] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            let on = cells.query_selector(add);
            vec![on * (a + b - c)]
        });
        meta.create_gate("multiply", |cells| {
            let on = cells.query_selector(multiply);
            let [a, b, c] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            // `a` is used twice: a shared node in the recording.
            let product = a.clone() * b;
            Constraints::with_selector(
                on,
                [
                    ("product", product.clone() - c.clone()),
                    ("again", a * (product - c)),
                ],
            )
        });
        meta.create_gate("divide", |cells| {
            let on = cells.query_selector(divide);
            let [a, b, c] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            vec![on * (b * c - a)]
        });
        meta.create_gate("scale", |cells| {
            let on = cells.query_selector(scale);
            let factor = cells.query_fixed(factors);
            let [a, _, c] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            vec![on * (-(a * Fp::from(3)) * factor + c)]
        });
        meta.create_gate("either", |cells| {
            let on = cells.query_selector(either);
            let [a, _, c] = advice.map(|column| cells.query_advice(column, Rotation::cur()));
            let one = Expression::Constant(Fp::one());
            vec![(
                "off or equal",
                on.clone() * (a - c) + (one - on) * Fp::zero(),
            )]
        });
        Config {
            advice,
            instance,
            factors,
            add,
            multiply,
            divide,
            scale,
            either,
        }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fp>) -> Result<(), Error> {
        let results = layouter.assign_region(
            || "arithmetic",
            |mut region| {
                let [a, b, c] = config.advice;
                let quotient: Value<Assigned<Fp>> =
                    self.a.zip(self.b).map(|(a, b)| Assigned::Rational(a, b));
                let sum = self.a + self.b;
                let product = self.a * self.b;
                let mut cells = Vec::new();
                for (row, on) in [config.add, config.multiply, config.divide, config.scale]
                    .iter()
                    .enumerate()
                {
                    on.enable(&mut region, row)?;
                    let left = region.assign_advice(|| "a", a, row, || self.a)?;
                    region.assign_advice(|| "b", b, row, || self.b)?;
                    if let Some(first) = cells.first() {
                        region.constrain_equal(left.cell(), *first)?;
                    }
                    cells.push(left.cell());
                }
                region.assign_fixed(
                    || "factor",
                    config.factors,
                    3,
                    || Value::known(Fp::from(5)),
                )?;
                let sum = region.assign_advice(|| "sum", c, 0, || sum)?;
                let product = region.assign_advice(|| "product", c, 1, || product)?;
                region.assign_advice(|| "quotient", c, 2, || quotient)?;
                let scaled = self.a.map(|a| a * Fp::from(15));
                region.assign_advice(|| "scaled", c, 3, || scaled)?;
                config.either.enable(&mut region, 4)?;
                region.assign_advice_from_constant(|| "eleven", a, 4, Fp::from(11))?;
                region.assign_advice_from_constant(|| "eleven", c, 4, Fp::from(11))?;
                // A denominator of zero makes zero.
                let nothing = Value::known(Assigned::Rational(Fp::from(9), Fp::zero()));
                region.assign_advice(|| "nothing", b, 4, || nothing)?;
                Ok((sum.cell(), product.cell(), cells[0]))
            },
        )?;
        layouter.constrain_instance(results.0, config.instance[0], 0)?;
        layouter.constrain_instance(results.1, config.instance[0], 1)?;
        layouter.constrain_instance(results.2, config.instance[2], 0)
    }
}

impl Case for Mixed {
    type Circuit = MixedCircuit;

    /// Column 1 has none, and column 2 stands between the entries of column 0.
    fn public_inputs() -> Vec<PublicInput> {
        vec![
            public_input("sum", 0, 1),
            public_input("a", 2, 1),
            public_input("product", 0, 1),
        ]
    }

    fn empty() -> MixedCircuit {
        MixedCircuit {
            a: Value::unknown(),
            b: Value::unknown(),
        }
    }

    fn filled() -> (MixedCircuit, Vec<Vec<Fp>>) {
        let (a, b) = (Fp::from(20), Fp::from(3));
        let circuit = MixedCircuit {
            a: Value::known(a),
            b: Value::known(b),
        };
        (circuit, vec![vec![a + b, a * b], vec![], vec![a]])
    }
}
