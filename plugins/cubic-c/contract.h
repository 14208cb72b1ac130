/* wit/circuit.wit in C: every record as the canonical ABI lays it out in a 32-bit memory.
 *
 * The canonical ABI aligns like C does, so the structs below are the contract itself: a list or
 * a string is a pointer and a length, an option or a result is a tag and what it holds, an enum
 * is one byte. The assertions hold the sizes to it. What an exported function returns is read
 * through the pointer it gives; nobody frees it, because an instance answers one call.
 */
#ifndef AUREOLE_CONTRACT_H
#define AUREOLE_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* list<T> and string: pointer and number of items. */
#define LIST(T)          \
    struct {             \
        const T *items;  \
        uint32_t length; \
    }

typedef LIST(char) text;     /* UTF-8, no terminating zero */
typedef LIST(uint8_t) bytes; /* little-endian, unpadded */
typedef LIST(uint32_t) indices;

#define TEXT(literal) {literal, sizeof(literal) - 1}
#define LIST_OF(array) {array, sizeof(array) / sizeof((array)[0])}

typedef struct { text name, summary; } public_input_description;
typedef LIST(public_input_description) public_input_descriptions;

enum { HALO2_IPA = 0 };
enum { PALLAS_BASE = 0 };

typedef struct {
    text name, version, summary;
    uint8_t backend, field;
    text params_schema, input_schema;
    struct { bool some; text value; } default_params;
    public_input_descriptions public_inputs;
} description;

typedef struct { text name; uint32_t column, rows; } public_input;
typedef LIST(public_input) public_inputs;

enum { ADVICE = 0, FIXED = 1, INSTANCE = 2 };
typedef struct { uint8_t kind; uint32_t index; } column;
typedef LIST(column) columns;

typedef struct { uint32_t column; int32_t rotation; } query;
typedef LIST(query) queries;

/* Four 64-bit limbs of the canonical integer, least significant first. */
typedef struct { uint64_t limbs[4]; } limbs;

enum {
    E_CONSTANT, E_SELECTOR, E_FIXED, E_ADVICE, E_INSTANCE,
    E_NEGATED, E_SUM, E_PRODUCT, E_SCALED,
};
typedef struct {
    uint8_t tag;
    union {
        limbs constant;
        uint32_t index; /* selector, query, or the node that is negated */
        struct { uint32_t left, right; } operands;
        struct { uint32_t node; limbs by; } scaled;
    };
} expression;
typedef LIST(expression) expressions;

typedef struct { text name; uint32_t expression; } constraint;
typedef LIST(constraint) constraints;
typedef struct { text name; constraints constraints; } gate;
typedef LIST(gate) gates;
typedef struct { indices inputs, table; } lookup;
typedef LIST(lookup) lookups;
typedef LIST(bool) flags;

typedef struct {
    uint32_t fixed_columns, advice_columns, instance_columns;
    flags simple_selectors;
    queries advice_queries, instance_queries, fixed_queries;
    expressions expressions;
    gates gates;
    lookups lookups;
    columns permutation;
    indices constants;
    struct { bool some; uint32_t value; } minimum_degree;
} constraint_system;

typedef struct { uint32_t column, from_row; limbs value; } fill;
typedef LIST(fill) fills;

typedef struct {
    fills fixed_fills;
    bytes fixed_cells, selector_rows, copies;
} layout;

typedef struct {
    uint32_t k;
    constraint_system constraint_system;
    layout layout;
    public_inputs public_inputs;
} circuit;

typedef struct { text name; columns columns; uint32_t first_row, rows; } region;
typedef LIST(region) annotations;

typedef struct {
    indices advice_rows;
    bytes advice_values, denominators, public_inputs;
} witness;

enum { BAD_PARAMS = 0, BAD_INPUT = 1, BAD_PLUGIN = 2 };
typedef struct {
    uint8_t tag;
    union {
        struct { text path, message; } problem; /* BAD_PARAMS, BAD_INPUT */
        text internal;                          /* BAD_PLUGIN */
    };
} error;

/* result<T, error> */
typedef struct { bool failed; union { circuit ok; error error; }; } circuit_result;
typedef struct { bool failed; union { annotations ok; error error; }; } annotations_result;
typedef struct { bool failed; union { witness ok; error error; }; } witness_result;

#define EXPORT(name) __attribute__((export_name("aureole:circuit/plugin@0.1.0#" name)))

/* The one import; a plugin that does not call it does not have it. */
enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
__attribute__((import_module("aureole:circuit/log@0.1.0"), import_name("write")))
void log_write(uint32_t level, const char *message, uint32_t length);

_Static_assert(sizeof(void *) == 4, "plugins are compiled for wasm32");
_Static_assert(sizeof(expression) == 48, "tag, node, four limbs");
_Static_assert(sizeof(fill) == 40, "column, row, four limbs");
_Static_assert(sizeof(error) == 20, "tag, two strings");
_Static_assert(sizeof(constraint_system) == 92, "three counts, nine lists, an option");
_Static_assert(sizeof(circuit) == 136, "k, constraint system, four lists, a list");

#endif
