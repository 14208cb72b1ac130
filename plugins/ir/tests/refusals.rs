//! One test for each rule that a circuit may break: the code, the item and the limit.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use aureole_ir::{
    Circuit, ColumnKind, Constraint, Copy, Expression, Fill, FixedCell, Gate, Limits, Lookup,
    PublicInput, Selector, SelectorRow,
};
use common::{assert_refused, circuit, column, element, modulus, query, refusal, refusal_within};

fn nodes(circuit: &mut Circuit) -> &mut Vec<Expression> {
    &mut circuit.constraint_system.expressions
}

/// Appends a node and a gate whose only constraint it is.
fn constrain(circuit: &mut Circuit, node: Expression) {
    nodes(circuit).push(node);
    let expression = nodes(circuit).len() as u32 - 1;
    circuit.constraint_system.gates.push(Gate {
        name: "added".into(),
        constraints: vec![Constraint {
            name: String::new(),
            expression,
        }],
    });
}

#[test]
fn the_sample_circuit_keeps_every_rule_and_has_the_figures_halo2_would_give() {
    let checked = circuit().check(&Limits::default()).unwrap();
    let shape = checked.shape();
    assert_eq!((shape.k, shape.rows, shape.rows_usable), (5, 32, 26));
    // Three queries of advice column 0, and two more.
    assert_eq!(shape.blinding_factors, 5);
    // The lookup: two, a complex selector times a cell, and the table.
    assert_eq!((shape.degree, shape.extended_k), (5, 7));
    assert_eq!(shape.rows_used, 11);
    assert_eq!(shape.instance_lengths, [2]);
    assert_eq!(shape.expanded_expressions, 8 + 3 + 4);
    assert_eq!(checked.digest(), circuit().digest());
}

#[test]
fn k_of_zero_and_k_too_small_for_the_blinding_rows_are_refused() {
    for k in [0, 1, 2] {
        let refusal = refusal(|circuit| circuit.k = k);
        assert_refused(&refusal, "ir.k", &["k:", "at least 8"]);
    }
}

#[test]
fn k_above_the_limit_is_refused() {
    for k in [15, 33, 255, u32::MAX] {
        assert_refused(
            &refusal(|circuit| circuit.k = k),
            "ir.k",
            &[&k.to_string(), "limit of 14"],
        );
    }
}

#[test]
fn k_is_capped_even_when_the_limit_is_not() {
    let limits = Limits {
        k_max: u32::MAX,
        ..Limits::default()
    };
    assert_refused(
        &refusal_within(&limits, |circuit| circuit.k = 32),
        "ir.k",
        &["limit of 25"],
    );
}

#[test]
fn too_many_columns_are_refused() {
    for columns in [512, 100_000, u32::MAX] {
        let refusal = refusal(|circuit| circuit.constraint_system.advice_columns = columns);
        assert_refused(&refusal, "ir.column", &["columns", "limit of 512"]);
    }
}

#[test]
fn a_query_of_a_column_out_of_range_is_refused() {
    let refusal = refusal(|circuit| circuit.constraint_system.advice_queries.push(query(2, 0)));
    assert_refused(
        &refusal,
        "ir.column",
        &["advice query 4 (column 2)", "2 advice columns"],
    );
}

#[test]
fn a_query_twice_is_refused() {
    let refusal = refusal(|circuit| circuit.constraint_system.advice_queries.push(query(0, 1)));
    assert_refused(&refusal, "ir.column", &["advice query 4", "already"]);
}

#[test]
fn a_rotation_beyond_half_of_the_rows_is_refused() {
    for rotation in [16, -16, 32, -32, i32::MAX, i32::MIN] {
        let refusal =
            refusal(|circuit| circuit.constraint_system.advice_queries[3].rotation = rotation);
        assert_refused(
            &refusal,
            "ir.rotation",
            &[
                "advice query 3",
                &rotation.to_string(),
                "limit of 15",
                "32 rows",
            ],
        );
    }
}

#[test]
fn a_rotation_beyond_the_limit_is_refused_however_many_rows_there_are() {
    let limits = Limits {
        rotation_max: 128,
        ..Limits::default()
    };
    let refusal = refusal_within(&limits, |circuit| {
        circuit.k = 12;
        circuit
            .constraint_system
            .instance_queries
            .push(query(0, 129));
    });
    assert_refused(
        &refusal,
        "ir.rotation",
        &["instance query 1", "limit of 128"],
    );
}

#[test]
fn a_rotation_of_a_fixed_column_is_refused() {
    let refusal = refusal(|circuit| circuit.constraint_system.fixed_queries.push(query(0, 1)));
    assert_refused(
        &refusal,
        "ir.rotation",
        &["fixed query 3", "current row only"],
    );
}

#[test]
fn too_many_queries_are_refused() {
    let refusal = refusal(|circuit| {
        circuit
            .constraint_system
            .advice_queries
            .resize(3_000, query(0, 0));
    });
    assert_refused(&refusal, "ir.size", &["queries", "limit of 2048"]);
}

#[test]
fn a_permutation_column_out_of_range_twice_or_unqueried_is_refused() {
    let with = |added| refusal(|circuit| circuit.constraint_system.permutation.push(added));
    let out_of_range = with(column(ColumnKind::Instance, 1));
    assert_refused(
        &out_of_range,
        "ir.column",
        &["permutation column 3", "instance column 1"],
    );
    let twice = with(column(ColumnKind::Advice, 0));
    assert_refused(&twice, "ir.column", &["permutation column 3", "already"]);
    let unqueried = refusal(|circuit| {
        circuit.constraint_system.advice_columns = 3;
        circuit
            .constraint_system
            .permutation
            .push(column(ColumnKind::Advice, 2));
    });
    assert_refused(&unqueried, "ir.column", &["advice column 2", "rotation 0"]);
}

#[test]
fn a_constants_column_twice_or_without_equality_is_refused() {
    let twice = refusal(|circuit| circuit.constraint_system.constants.push(0));
    assert_refused(&twice, "ir.column", &["constants column 1", "already"]);
    let without = refusal(|circuit| circuit.constraint_system.constants.push(1));
    assert_refused(&without, "ir.column", &["constants column 1", "equality"]);
}

#[test]
fn queries_that_no_gate_made_are_refused() {
    let refusal = refusal(|circuit| {
        circuit.constraint_system.gates.clear();
        circuit.constraint_system.lookups.clear();
        circuit.constraint_system.expressions.clear();
    });
    assert_refused(&refusal, "ir.column", &["advice queries", "without gates"]);
}

#[test]
fn too_many_selectors_are_refused() {
    let refusal = refusal(|circuit| {
        circuit
            .constraint_system
            .selectors
            .resize(257, Selector::Complex);
    });
    assert_refused(&refusal, "ir.selector", &["257", "limit of 256"]);
}

#[test]
fn a_selector_out_of_range_is_refused_in_an_expression_and_in_the_layout() {
    let expression = refusal(|circuit| nodes(circuit)[0] = Expression::Selector(2));
    assert_refused(&expression, "ir.selector", &["expression 0", "selector 2"]);
    let layout = refusal(|circuit| {
        circuit.layout.selector_rows.push(SelectorRow {
            selector: 2,
            row: 0,
        });
    });
    assert_refused(&layout, "ir.selector", &["selector 2", "2 selectors"]);
}

#[test]
fn a_simple_selector_in_a_sum_is_refused() {
    let refusal = refusal(|circuit| constrain(circuit, Expression::Sum(1, 7)));
    assert_refused(&refusal, "ir.selector", &["expression 13", "sum"]);
}

#[test]
fn two_simple_selectors_in_a_product_are_refused() {
    let refusal = refusal(|circuit| constrain(circuit, Expression::Product(0, 7)));
    assert_refused(
        &refusal,
        "ir.selector",
        &["expression 13", "two simple selectors"],
    );
}

#[test]
fn a_simple_selector_in_a_lookup_is_refused() {
    let refusal = refusal(|circuit| circuit.constraint_system.lookups[0].inputs[1] = 7);
    assert_refused(
        &refusal,
        "ir.selector",
        &["input 1 of lookup 0", "simple selector"],
    );
}

#[test]
fn an_operand_that_is_no_earlier_node_is_refused() {
    for operand in [3, 4, u32::MAX] {
        let refusal = refusal(|circuit| nodes(circuit)[3] = Expression::Negated(operand));
        assert_refused(
            &refusal,
            "ir.expression",
            &["expression 3", &operand.to_string()],
        );
    }
}

#[test]
fn a_query_that_does_not_exist_is_refused() {
    for (kind, node) in [
        ("advice", Expression::Advice(4)),
        ("fixed", Expression::Fixed(3)),
        ("instance", Expression::Instance(1)),
    ] {
        let refusal = refusal(|circuit| nodes(circuit)[1] = node);
        assert_refused(&refusal, "ir.expression", &["expression 1", kind, "query"]);
    }
}

#[test]
fn a_constraint_and_a_lookup_of_no_expression_are_refused() {
    let gate = refusal(|circuit| circuit.constraint_system.gates[0].constraints[0].expression = 13);
    assert_refused(
        &gate,
        "ir.expression",
        &["constraint 0 of gate 0", "only 13"],
    );
    let lookup = refusal(|circuit| circuit.constraint_system.lookups[0].inputs[0] = 99);
    assert_refused(&lookup, "ir.expression", &["input 0 of lookup 0", "99"]);
}

#[test]
fn a_gate_without_constraints_is_refused() {
    let refusal = refusal(|circuit| circuit.constraint_system.gates[0].constraints.clear());
    assert_refused(&refusal, "ir.expression", &["gate 0", "at least one"]);
}

#[test]
fn a_degree_bomb_is_refused_at_the_node_that_passes_the_limit() {
    let refusal = refusal(|circuit| {
        for _ in 0..40 {
            let last = nodes(circuit).len() as u32 - 1;
            nodes(circuit).push(Expression::Product(last, last));
        }
    });
    // Node 12 has degree 1, node 13 degree 2, and so on in powers of two.
    assert_refused(
        &refusal,
        "ir.degree",
        &["expression 20", "256", "limit of 129"],
    );
}

#[test]
fn a_lookup_and_a_minimum_degree_above_the_limit_are_refused() {
    let limits = Limits {
        degree_max: 4,
        degree_small_max: 4,
        ..Limits::default()
    };
    let lookup = refusal_within(&limits, |_| {});
    assert_refused(&lookup, "ir.degree", &["lookup 0", "5", "limit of 4"]);
    let minimum = refusal(|circuit| circuit.constraint_system.minimum_degree = Some(130));
    assert_refused(
        &minimum,
        "ir.degree",
        &["minimum degree", "130", "limit of 129"],
    );
}

#[test]
fn a_high_degree_is_refused_where_its_domain_would_be_large() {
    let refusal = refusal(|circuit| {
        circuit.k = 14;
        circuit.constraint_system.minimum_degree = Some(18);
    });
    assert_refused(
        &refusal,
        "ir.degree",
        &["18 with k = 14", "524288 points", "262144 at most"],
    );
    let mut small = circuit();
    small.constraint_system.minimum_degree = Some(129);
    let checked = small.check(&Limits::default()).unwrap();
    assert_eq!(
        (checked.shape().degree, checked.shape().extended_k),
        (129, 12)
    );
}

#[test]
fn a_domain_that_the_field_does_not_have_is_refused() {
    let limits = Limits {
        k_max: 25,
        degree_max: 1 << 20,
        ..Limits::default()
    };
    let refusal = refusal_within(&limits, |circuit| {
        circuit.k = 20;
        circuit.constraint_system.minimum_degree = Some(1 << 20);
    });
    assert_refused(&refusal, "ir.degree", &["2^40", "2^32"]);
}

#[test]
fn an_expression_too_deep_is_refused() {
    let refusal = refusal(|circuit| {
        for _ in 0..1_100 {
            let last = nodes(circuit).len() as u32 - 1;
            nodes(circuit).push(Expression::Negated(last));
        }
    });
    assert_refused(&refusal, "ir.size", &["depth of 1025", "limit of 1024"]);
}

#[test]
fn shared_nodes_that_expand_beyond_the_limit_are_refused() {
    let refusal = refusal(|circuit| {
        for _ in 0..60 {
            let last = nodes(circuit).len() as u32 - 1;
            nodes(circuit).push(Expression::Sum(last, last));
        }
        constrain(circuit, Expression::Negated(72));
    });
    assert_refused(
        &refusal,
        "ir.size",
        &["constraint 0 of gate 1", "limit of 262144"],
    );
}

#[test]
fn too_many_nodes_gates_constraints_and_lookups_are_refused() {
    let expressions = refusal(|circuit| {
        nodes(circuit).resize(65_537, Expression::Constant(element(0)));
    });
    assert_refused(
        &expressions,
        "ir.size",
        &["expressions", "65537", "limit of 65536"],
    );
    let gates = refusal(|circuit| {
        let gate = circuit.constraint_system.gates[0].clone();
        circuit.constraint_system.gates.resize(1_025, gate);
    });
    assert_refused(&gates, "ir.size", &["gates", "limit of 1024"]);
    let constraints = refusal(|circuit| {
        let constraints = &mut circuit.constraint_system.gates[0].constraints;
        let constraint = constraints[0].clone();
        constraints.resize(4_097, constraint);
    });
    assert_refused(&constraints, "ir.size", &["constraints", "limit of 4096"]);
    let lookups = refusal(|circuit| {
        let lookup = circuit.constraint_system.lookups[0].clone();
        circuit.constraint_system.lookups.resize(65, lookup);
    });
    assert_refused(&lookups, "ir.lookup", &["lookups", "limit of 64"]);
}

#[test]
fn columns_that_take_too_much_memory_in_extended_form_are_refused() {
    let refusal = refusal(|circuit| {
        circuit.k = 14;
        circuit.constraint_system.advice_columns = 500;
        circuit.constraint_system.minimum_degree = Some(17);
    });
    assert_refused(
        &refusal,
        "ir.size",
        &["extended form", "bytes", "limit of 2147483648"],
    );
}

#[test]
fn a_constant_that_is_not_below_the_modulus_is_refused_wherever_it_stands() {
    let constant = refusal(|circuit| nodes(circuit)[10] = Expression::Constant(modulus()));
    assert_refused(&constant, "ir.field_non_canonical", &["expression 10"]);
    let scaled = refusal(|circuit| nodes(circuit)[11] = Expression::Scaled(2, modulus()));
    assert_refused(&scaled, "ir.field_non_canonical", &["expression 11"]);
    let cell = refusal(|circuit| circuit.layout.fixed_cells[0].value = modulus());
    assert_refused(
        &cell,
        "ir.field_non_canonical",
        &["fixed cell at column 0, row 0"],
    );
    let fill = refusal(|circuit| circuit.layout.fixed_fills[1].value = modulus());
    assert_refused(&fill, "ir.field_non_canonical", &["fill of fixed column 2"]);
}

#[test]
fn a_lookup_of_uneven_arity_or_without_columns_is_refused() {
    let uneven = refusal(|circuit| {
        circuit.constraint_system.lookups[0].table.pop();
    });
    assert_refused(&uneven, "ir.lookup", &["lookup 0", "2 inputs and 1 table"]);
    let none = refusal(|circuit| {
        circuit.constraint_system.lookups[0] = Lookup {
            inputs: vec![],
            table: vec![],
        };
    });
    assert_refused(&none, "ir.lookup", &["lookup 0", "0 inputs"]);
    let wide = refusal(|circuit| {
        circuit.constraint_system.lookups[0] = Lookup {
            inputs: vec![1; 33],
            table: vec![1; 33],
        };
    });
    assert_refused(&wide, "ir.lookup", &["columns of lookup 0", "limit of 32"]);
}

#[test]
fn a_table_column_out_of_range_or_unqueried_is_refused() {
    let out_of_range = refusal(|circuit| circuit.constraint_system.lookups[0].table[0] = 3);
    assert_refused(&out_of_range, "ir.lookup", &["lookup 0, fixed column 3"]);
    let unqueried = refusal(|circuit| {
        circuit.constraint_system.fixed_queries.pop();
    });
    assert_refused(
        &unqueried,
        "ir.lookup",
        &["fixed column 2", "fixed queries"],
    );
}

#[test]
fn a_table_that_is_empty_or_not_filled_to_the_end_is_refused() {
    let unfilled = refusal(|circuit| {
        circuit.layout.fixed_fills.pop();
    });
    assert_refused(
        &unfilled,
        "ir.lookup",
        &["fixed column 2", "not filled", "26 usable"],
    );
    let empty = refusal(|circuit| {
        circuit.layout.fixed_fills[1].from_row = 0;
        circuit.layout.fixed_cells.retain(|cell| cell.column != 2);
    });
    assert_refused(&empty, "ir.lookup", &["fixed column 2", "empty"]);
}

#[test]
fn a_table_with_a_hole_or_a_cell_after_its_end_is_refused() {
    let hole = refusal(|circuit| {
        circuit
            .layout
            .fixed_cells
            .retain(|cell| (cell.column, cell.row) != (1, 2));
    });
    assert_refused(&hole, "ir.lookup", &["fixed column 1", "every row before"]);
    let after = refusal(|circuit| {
        circuit.layout.fixed_cells.push(FixedCell {
            column: 2,
            row: 20,
            value: element(0),
        });
    });
    assert_refused(&after, "ir.lookup", &["fixed column 2", "none after"]);
}

#[test]
fn a_table_of_columns_that_were_loaded_apart_or_never_is_accepted_as_by_halo2() {
    let mut uneven = circuit();
    uneven.layout.fixed_fills[1].from_row = 3;
    uneven.layout.fixed_cells.pop();
    assert!(uneven.check(&Limits::default()).is_ok());
    let mut unloaded = circuit();
    unloaded.layout.fixed_fills.pop();
    unloaded.layout.fixed_cells.retain(|cell| cell.column != 2);
    assert!(unloaded.check(&Limits::default()).is_ok());
}

#[test]
fn a_fill_out_of_place_or_order_is_refused() {
    let column = refusal(|circuit| circuit.layout.fixed_fills[1].column = 3);
    assert_refused(&column, "ir.column", &["fill of fixed column 3"]);
    let row = refusal(|circuit| circuit.layout.fixed_fills[0].from_row = 26);
    assert_refused(
        &row,
        "ir.layout",
        &["fill of fixed column 1", "26 usable rows"],
    );
    let twice = refusal(|circuit| {
        circuit.layout.fixed_fills.push(Fill {
            column: 2,
            from_row: 9,
            value: element(0),
        });
    });
    assert_refused(&twice, "ir.layout", &["fill of fixed column 2", "once"]);
}

#[test]
fn a_fixed_cell_out_of_place_or_order_is_refused() {
    let cell = |column, row| FixedCell {
        column,
        row,
        value: element(0),
    };
    let column = refusal(|circuit| circuit.layout.fixed_cells.push(cell(3, 0)));
    assert_refused(
        &column,
        "ir.column",
        &["column 3, row 0", "3 fixed columns"],
    );
    for row in [26, 31, 32, u32::MAX] {
        let refusal = refusal(|circuit| circuit.layout.fixed_cells.insert(1, cell(0, row)));
        assert_refused(
            &refusal,
            "ir.layout",
            &[&format!("row {row}"), "26 usable rows"],
        );
    }
    let order = refusal(|circuit| circuit.layout.fixed_cells.swap(0, 1));
    assert_refused(&order, "ir.layout", &["column 0, row 0", "sorted"]);
    let twice = refusal(|circuit| circuit.layout.fixed_cells.insert(0, cell(0, 0)));
    assert_refused(&twice, "ir.layout", &["column 0, row 0", "once"]);
}

#[test]
fn a_selector_activation_out_of_the_usable_rows_or_order_is_refused() {
    let row = refusal(|circuit| circuit.layout.selector_rows[1].row = 26);
    assert_refused(&row, "ir.layout", &["selector 0 at row 26", "26 usable"]);
    let order = refusal(|circuit| circuit.layout.selector_rows.swap(0, 1));
    assert_refused(&order, "ir.layout", &["selector 0 at row 1", "sorted"]);
}

#[test]
fn a_copy_out_of_the_permutation_or_the_usable_rows_is_refused() {
    let column = refusal(|circuit| circuit.layout.copies[0].left_column = 3);
    assert_refused(&column, "ir.copy", &["left side of copy 0", "column 3"]);
    for row in [26, 31, u32::MAX] {
        let refusal = refusal(|circuit| circuit.layout.copies[1].right_row = row);
        assert_refused(
            &refusal,
            "ir.copy",
            &["right side of copy 1", &row.to_string()],
        );
    }
}

#[test]
fn a_copy_of_an_instance_row_that_is_no_public_input_is_accepted_as_by_halo2() {
    let mut beyond = circuit();
    beyond.layout.copies[2].left_row = 2;
    assert!(beyond.check(&Limits::default()).is_ok());
    let mut undeclared = circuit();
    undeclared.public_inputs.clear();
    assert!(undeclared.check(&Limits::default()).is_ok());
}

#[test]
fn too_many_cells_activations_or_copies_are_refused() {
    let limits = Limits {
        fixed_cells_max: 9,
        selector_rows_max: 3,
        copies_max: 3,
        ..Limits::default()
    };
    assert!(circuit().check(&limits).is_ok());
    let cells = refusal_within(&limits, |circuit| {
        let cell = circuit.layout.fixed_cells[0];
        circuit.layout.fixed_cells.push(cell);
    });
    assert_refused(&cells, "ir.size", &["fixed cells", "10", "limit of 9"]);
    let activations = refusal_within(&limits, |circuit| {
        let row = circuit.layout.selector_rows[0];
        circuit.layout.selector_rows.push(row);
    });
    assert_refused(
        &activations,
        "ir.size",
        &["selector activations", "limit of 3"],
    );
    let copies = refusal_within(&limits, |circuit| {
        let copy: Copy = circuit.layout.copies[0];
        circuit.layout.copies.push(copy);
    });
    assert_refused(&copies, "ir.size", &["copies", "limit of 3"]);
}

#[test]
fn a_public_input_of_no_column_or_no_row_is_refused() {
    let column = refusal(|circuit| circuit.public_inputs[1].column = 1);
    assert_refused(
        &column,
        "ir.public_inputs",
        &["`index`", "instance column 1"],
    );
    let rows = refusal(|circuit| circuit.public_inputs[0].rows = 0);
    assert_refused(&rows, "ir.public_inputs", &["`root`", "no row"]);
}

#[test]
fn more_public_inputs_than_rows_or_the_limit_are_refused() {
    let rows = refusal(|circuit| circuit.public_inputs[0].rows = 26);
    assert_refused(
        &rows,
        "ir.public_inputs",
        &["instance column 0", "27 rows", "26 are"],
    );
    let limit = refusal(|circuit| circuit.public_inputs[0].rows = u32::MAX);
    assert_refused(&limit, "ir.public_inputs", &["limit of 4096"]);
    let names = refusal(|circuit| {
        circuit.public_inputs = (0..65)
            .map(|index| PublicInput::new(format!("n{index}"), 0, 1))
            .collect();
    });
    assert_refused(&names, "ir.public_inputs", &["65", "limit of 64"]);
}

#[test]
fn an_ill_formed_or_repeated_public_name_is_refused() {
    for name in [
        "",
        "Root",
        "../root",
        "ro ot",
        "9th",
        "r\u{f6}ot",
        &"r".repeat(64),
    ] {
        let refusal = refusal(|circuit| circuit.public_inputs[0].name = name.into());
        assert_refused(&refusal, "ir.name", &["public input 0", "1 to 63"]);
    }
    let repeated = refusal(|circuit| circuit.public_inputs[0].name = "index".into());
    assert_refused(&repeated, "ir.name", &["`index`", "another"]);
}

#[test]
fn long_and_unprintable_gate_names_are_refused() {
    let long = refusal(|circuit| circuit.constraint_system.gates[0].name = "x".repeat(257));
    assert_refused(&long, "ir.name", &["gate 0", "257", "limit of 256"]);
    for character in ['\n', '\u{1b}', '\u{202e}'] {
        let refusal = refusal(|circuit| {
            circuit.constraint_system.gates[0].constraints[0].name = character.into();
        });
        let number = format!("U+{:04X}", u32::from(character));
        assert_refused(&refusal, "ir.name", &["constraint 0 of gate 0", &number]);
        assert!(!refusal.to_string().contains(character));
    }
    let limits = Limits {
        names_bytes_max: 10,
        ..Limits::default()
    };
    let total = refusal_within(&limits, |_| {});
    assert_refused(&total, "ir.name", &["all names", "limit of 10"]);
}
