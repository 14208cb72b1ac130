/* See json.h. The platform has checked documents against the schemas before a plugin sees them;
 * what is still wrong here is refused, not guessed at. */
#include "json.h"

typedef struct { const char *at, *end; } cursor;

static void skip_space(cursor *c) {
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(cursor *c, char expected) {
    skip_space(c);
    if (c->at == c->end || *c->at != expected) return false;
    c->at++;
    return true;
}

/* A string without escapes: neither names nor values here need any. */
static bool take_string(cursor *c, text *out) {
    if (!take(c, '"')) return false;
    out->items = c->at;
    while (c->at < c->end && *c->at != '"') {
        if (*c->at == '\\' || (unsigned char)*c->at < 0x20) return false;
        c->at++;
    }
    out->length = (uint32_t)(c->at - out->items);
    return take(c, '"');
}

static bool is_number(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static bool equals(text left, const char *right) {
    uint32_t at = 0;
    while (at < left.length && right[at] != 0 && left.items[at] == right[at]) at++;
    return at == left.length && right[at] == 0;
}

json_kind json_only_member(text document, const char *name, text *value) {
    cursor c = {document.items, document.items + document.length};
    if (!take(&c, '{')) return JSON_MALFORMED;
    json_kind kind = JSON_ABSENT;
    if (!take(&c, '}')) {
        text key;
        if (!take_string(&c, &key) || !equals(key, name) || !take(&c, ':')) return JSON_MALFORMED;
        skip_space(&c);
        if (c.at < c.end && *c.at == '"') {
            kind = JSON_STRING;
            if (!take_string(&c, value)) return JSON_MALFORMED;
        } else {
            kind = JSON_NUMBER;
            value->items = c.at;
            while (c.at < c.end && is_number(*c.at)) c.at++;
            value->length = (uint32_t)(c.at - value->items);
        }
        if (!take(&c, '}')) return JSON_MALFORMED;
    }
    skip_space(&c);
    return c.at == c.end ? kind : JSON_MALFORMED;
}

bool json_integer(text number, uint64_t *out) {
    uint64_t value = 0;
    if (number.length == 0 || number.length > 16) return false;
    for (uint32_t at = 0; at < number.length; at++) {
        char digit = number.items[at];
        if (digit < '0' || digit > '9') return false;
        value = value * 10 + (uint64_t)(digit - '0');
    }
    *out = value;
    return value < (1ull << 53);
}
