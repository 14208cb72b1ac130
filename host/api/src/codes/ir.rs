//! Codes of a circuit description that the validator refuses.

codes! {
    K = "ir.k", 422, "k is out of range",
        "k is 0 or over the limit.",
        "Make the circuit smaller; the detail has the number and the limit.";
    DEGREE = "ir.degree", 422, "the degree is too high",
        "A gate or lookup has a degree over the limit; it sets the size of the proving key.",
        "Split the constraint over helper cells.";
    ROTATION = "ir.rotation", 422, "a rotation is out of range",
        "A query reads a row too far away.",
        "Lay the cells out closer.";
    COLUMN = "ir.column", 422, "a column does not exist or there are too many",
        "An index names no column, a list names one twice, or a count is over the limit.",
        "The detail names the column.";
    SELECTOR = "ir.selector", 422, "a selector is misused",
        "A simple selector stands twice in an expression, in a sum, or in a lookup.",
        "Use a complex selector there.";
    EXPRESSION = "ir.expression", 422, "an expression is malformed",
        "A node names a later node, a missing query, or a gate has no polynomial.",
        "Record the circuit with the SDK.";
    SIZE = "ir.size", 422, "the description is too large",
        "Nodes, gates, names, fills or copies are over the limit that the detail names.",
        "Make the circuit smaller.";
    COPY = "ir.copy", 422, "a copy is not possible",
        "A copy names a column without equality, or a row outside the usable ones.",
        "Call enable_equality, or use fewer rows.";
    LOOKUP = "ir.lookup", 422, "a lookup is malformed",
        "Its table is empty, overfull or assigned twice, or the number of columns differs.",
        "The detail names the lookup.";
    FIELD_NON_CANONICAL = "ir.field_non_canonical", 422, "a field element is not canonical",
        "32 bytes hold a number that is not below the field's modulus.",
        "Reduce it.";
    LAYOUT = "ir.layout", 422, "the layout is not possible",
        "A fixed cell or selector row is outside the usable rows, or assigned twice.",
        "The detail names the cell.";
    PUBLIC_INPUTS = "ir.public_inputs", 422, "the public inputs are described wrongly",
        "A public input names no instance column, overlaps, or has no rows.",
        "Correct public_inputs in the plugin.";
    NAME = "ir.name", 422, "a name is malformed",
        "A gate's, constraint's or public input's name is empty, too long, or has forbidden characters.",
        "Rename it.";
    MALFORMED = "ir.malformed", 422, "the circuit's bytes cannot be read",
        "The bytes are truncated or not in the canonical form.",
        "Take them from GET /api/v1/circuits/{id}/ir unchanged.";
}
