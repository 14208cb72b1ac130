/* As much JSON as this plugin's documents have: one object, flat. */
#ifndef JSON_H
#define JSON_H

#include "contract.h"

typedef enum { JSON_ABSENT, JSON_NUMBER, JSON_STRING, JSON_MALFORMED } json_kind;

/* The member of a flat object, whose only member it may be: a string without its quotes, or the
 * characters of a number. JSON_MALFORMED for every other document. */
json_kind json_only_member(text document, const char *name, text *value);
/* A number without sign, fraction and exponent, up to 2^53 - 1; false for others. */
bool json_integer(text number, uint64_t *out);

#endif
