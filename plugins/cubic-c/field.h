/* The Pallas base field: integers below
 * p = 0x40000000000000000000000000000000224698fc094cf91b992d30ed00000001. */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stdint.h>

/* The canonical integer, least significant limb first; in wasm's byte order these are the 32
 * bytes that the contract asks for. */
typedef struct { uint32_t limbs[8]; } element;

element element_from(uint64_t value);
/* 64 hex digits, most significant first; false unless the integer is below p. */
bool element_from_hex(const char *digits, element *out);
element element_add(element left, element right);
element element_multiply(element left, element right);

#endif
