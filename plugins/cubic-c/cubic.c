/* The plugin: somebody knows an x with x^3 + x + constant = y, for a public y.
 *
 *     row   a     b    c         f          on
 *     0     x     x    x^2                  multiply   c = a b
 *     1     x^2   x    x^3                  multiply
 *     2     x^3   x    y         constant   add        c = a + b + f
 *
 * Every cell that repeats a value is a copy of the first one, and c in row 2 is the public input.
 * The same circuit in Rust, against which its key is held, is tests/tests/e2e/cubic.rs.
 */
#include "contract.h"
#include "field.h"
#include "json.h"
#include "memory.h"

enum { A, B, C, ADVICE_COLUMNS };
enum { ROWS = 3 };

// === What it says of itself ===

#define PATTERN "\"pattern\":\"^0x[0-9a-fA-F]{64}$\""
#define INTEGER "\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991"

static const public_input_description NAMES[] = {
    {TEXT("y"), TEXT("x^3 + x + constant")},
};

static const description DESCRIPTION = {
    .name = TEXT("cubic-c"),
    .version = TEXT("0.1.0"),
    .summary = TEXT("Proves knowledge of a root of x^3 + x + constant = y; written in C."),
    .backend = HALO2_IPA,
    .field = PALLAS_BASE,
    .params_schema = TEXT(
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
        "\"constant\":{\"default\":5,\"description\":\"What is added.\"," INTEGER "}}}"),
    .input_schema = TEXT(
        "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"x\"],"
        "\"properties\":{\"x\":{\"description\":\"The private root: an integer, or an element of"
        " the Pallas base field as 0x and 64 hex digits, most significant first, below the"
        " field's modulus.\",\"anyOf\":[{" INTEGER "},{\"type\":\"string\"," PATTERN "}]}}}"),
    .default_params = {true, TEXT("{}")},
    .public_inputs = LIST_OF(NAMES),
};

EXPORT("describe")
const description *describe(void) { return &DESCRIPTION; }

// === The documents ===

static error problem(uint8_t whose, const char *path, uint32_t path_length, const char *message,
                     uint32_t message_length) {
    return (error){.tag = whose,
                   .problem = {{path, path_length}, {message, message_length}}};
}

#define PROBLEM(whose, path, message) \
    problem(whose, path, sizeof(path) - 1, message, sizeof(message) - 1)

static bool read_params(text document, uint64_t *constant, error *wrong) {
    text value;
    *constant = 5;
    switch (json_only_member(document, "constant", &value)) {
    case JSON_ABSENT:
        return true;
    case JSON_NUMBER:
        if (json_integer(value, constant)) return true;
        /* fall through */
    case JSON_STRING:
        *wrong = PROBLEM(BAD_PARAMS, "/constant", "must be an integer from 0 to 2^53 - 1");
        return false;
    default:
        *wrong = PROBLEM(BAD_PARAMS, "", "must be an object with at most one member, `constant`");
        return false;
    }
}

static bool read_input(text document, element *x, error *wrong) {
    text value;
    uint64_t integer;
    switch (json_only_member(document, "x", &value)) {
    case JSON_NUMBER:
        if (json_integer(value, &integer)) {
            *x = element_from(integer);
            return true;
        }
        *wrong = PROBLEM(BAD_INPUT, "/x", "must be an integer from 0 to 2^53 - 1, or a string");
        return false;
    case JSON_STRING:
        if (value.length == 66 && value.items[0] == '0' && value.items[1] == 'x' &&
            element_from_hex(value.items + 2, x))
            return true;
        *wrong = PROBLEM(BAD_INPUT, "/x",
                         "must be 0x and 64 hex digits, and below the modulus "
                         "0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001");
        return false;
    default:
        *wrong = PROBLEM(BAD_INPUT, "", "must be an object with one member, `x`");
        return false;
    }
}

// === The circuit ===

/* Nodes refer to earlier ones, by index; the same node stands here once. */
static const expression EXPRESSIONS[] = {
    /* multiply: s0 * (a * b - c) */
    [0] = {E_SELECTOR, .index = 0},
    [1] = {E_ADVICE, .index = A},
    [2] = {E_ADVICE, .index = B},
    [3] = {E_PRODUCT, .operands = {1, 2}},
    [4] = {E_ADVICE, .index = C},
    [5] = {E_NEGATED, .index = 4},
    [6] = {E_SUM, .operands = {3, 5}},
    [7] = {E_PRODUCT, .operands = {0, 6}},
    /* add: s1 * (a + b + f - c) */
    [8] = {E_SELECTOR, .index = 1},
    [9] = {E_SUM, .operands = {1, 2}},
    [10] = {E_FIXED, .index = 0},
    [11] = {E_SUM, .operands = {9, 10}},
    [12] = {E_SUM, .operands = {11, 5}},
    [13] = {E_PRODUCT, .operands = {8, 12}},
};

static const constraint MULTIPLY[] = {{TEXT("c = a b"), 7}};
static const constraint ADD[] = {{TEXT("c = a + b + f"), 13}};
static const gate GATES[] = {
    {TEXT("multiply"), LIST_OF(MULTIPLY)},
    {TEXT("add"), LIST_OF(ADD)},
};
static const query ADVICE_QUERIES[] = {{A, 0}, {B, 0}, {C, 0}};
static const query FIRST_COLUMN[] = {{0, 0}};
static const bool SIMPLE[] = {true, true};
/* Columns that copies may touch; a copy names them by their place in this list. */
static const column PERMUTATION[] = {{ADVICE, A}, {ADVICE, B}, {ADVICE, C}, {INSTANCE, 0}};
enum { Y = 3 };

static const struct { uint32_t selector, row; } SELECTOR_ROWS[] = {{0, 0}, {0, 1}, {1, 2}};
static const struct { uint32_t left, left_row, right, right_row; } COPIES[] = {
    {B, 0, A, 0}, /* x */
    {A, 1, C, 0}, /* x^2 */
    {B, 1, A, 0}, /* x */
    {A, 2, C, 1}, /* x^3 */
    {B, 2, A, 0}, /* x */
    {C, 2, Y, 0},
};
static const public_input PUBLIC_INPUTS[] = {{TEXT("y"), 0, 1}};

#define BYTES_OF(array) {(const uint8_t *)(array), sizeof(array)}

EXPORT("circuit")
const circuit_result *make_circuit(const char *params, uint32_t length) {
    static circuit_result result;
    uint64_t constant;
    if (!read_params((text){params, length}, &constant, &result.error)) {
        result.failed = true;
        return &result;
    }
    /* The one fixed cell: column, row, value. */
    static struct { uint32_t column, row; element value; } fixed_cells[1];
    fixed_cells[0].row = ROWS - 1;
    fixed_cells[0].value = element_from(constant);
    result.ok = (circuit){
        /* 16 rows: three, five for blinding and one that halo2 keeps are more than 8. */
        .k = 4,
        .constraint_system = {
            .fixed_columns = 1,
            .advice_columns = ADVICE_COLUMNS,
            .instance_columns = 1,
            .simple_selectors = LIST_OF(SIMPLE),
            .advice_queries = LIST_OF(ADVICE_QUERIES),
            .instance_queries = LIST_OF(FIRST_COLUMN),
            .fixed_queries = LIST_OF(FIRST_COLUMN),
            .expressions = LIST_OF(EXPRESSIONS),
            .gates = LIST_OF(GATES),
            .permutation = LIST_OF(PERMUTATION),
        },
        .layout = {
            .fixed_cells = BYTES_OF(fixed_cells),
            .selector_rows = BYTES_OF(SELECTOR_ROWS),
            .copies = BYTES_OF(COPIES),
        },
        .public_inputs = LIST_OF(PUBLIC_INPUTS),
    };
    return &result;
}

static const column GATE_COLUMNS[] = {{ADVICE, A}, {ADVICE, B}, {ADVICE, C}};
static const column SUM_COLUMNS[] = {{ADVICE, A}, {ADVICE, B}, {ADVICE, C}, {FIXED, 0}};
static const region REGIONS[] = {
    {TEXT("square"), LIST_OF(GATE_COLUMNS), 0, 1},
    {TEXT("cube"), LIST_OF(GATE_COLUMNS), 1, 1},
    {TEXT("sum"), LIST_OF(SUM_COLUMNS), 2, 1},
};

EXPORT("annotate")
const annotations_result *annotate(const char *params, uint32_t length) {
    static annotations_result result;
    uint64_t constant;
    result.failed = !read_params((text){params, length}, &constant, &result.error);
    if (!result.failed) result.ok = (annotations)LIST_OF(REGIONS);
    return &result;
}

// === The witness ===

EXPORT("witness")
const witness_result *make_witness(const char *params, uint32_t params_length, const char *input,
                                   uint32_t input_length) {
    static witness_result result;
    uint64_t constant;
    element x;
    if (!read_params((text){params, params_length}, &constant, &result.error) ||
        !read_input((text){input, input_length}, &x, &result.error)) {
        result.failed = true;
        return &result;
    }
    element square = element_multiply(x, x);
    element cube = element_multiply(square, x);
    element y = element_add(element_add(cube, x), element_from(constant));

    element *values = allocate(sizeof(element[ADVICE_COLUMNS][ROWS]), _Alignof(element));
    element rows[ADVICE_COLUMNS][ROWS] = {
        [A] = {x, square, cube},
        [B] = {x, x, x},
        [C] = {square, cube, y},
    };
    for (int column = 0; column < ADVICE_COLUMNS; column++)
        for (int row = 0; row < ROWS; row++) values[column * ROWS + row] = rows[column][row];
    static const uint32_t advice_rows[ADVICE_COLUMNS] = {ROWS, ROWS, ROWS};
    result.ok = (witness){
        .advice_rows = LIST_OF(advice_rows),
        .advice_values = {(const uint8_t *)values, sizeof rows},
        /* Nothing was divided, so there are no denominators. */
        .public_inputs = {(const uint8_t *)&values[C * ROWS + ROWS - 1], sizeof(element)},
    };
    return &result;
}
