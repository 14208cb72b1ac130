/* See field.h. Montgomery multiplication with 32-bit limbs: any C compiler has the 64-bit
 * products. Inputs are witnesses, so there is no branch on a value but that on being canonical. */
#include "field.h"

#define LIMBS 8

static const element MODULUS = {{
    0x00000001, 0x992d30ed, 0x094cf91b, 0x224698fc, 0, 0, 0, 0x40000000,
}};
/* 2^512 mod p: takes a product out of Montgomery form again. */
static const element R_SQUARED = {{
    0x0000000f, 0x8c78ecb3, 0x8b0de0e7, 0xd7d30dbd, 0xc3c95d18, 0x7797a99b, 0x7b9cb714, 0x096d41af,
}};
/* -1/p mod 2^32; p is 1 mod 2^32. */
static const uint32_t INVERSE = 0xffffffff;

/* left - right, and 1 if that is below zero. */
static uint32_t subtract(const element *left, const element *right, element *out) {
    uint32_t borrow = 0;
    for (int at = 0; at < LIMBS; at++) {
        uint64_t difference = (uint64_t)left->limbs[at] - right->limbs[at] - borrow;
        out->limbs[at] = (uint32_t)difference;
        borrow = (uint32_t)(difference >> 32) & 1;
    }
    return borrow;
}

/* A value below 2p, made smaller than p. */
static element reduce(element value) {
    element less;
    uint32_t keep = 0u - subtract(&value, &MODULUS, &less);
    for (int at = 0; at < LIMBS; at++)
        less.limbs[at] = (value.limbs[at] & keep) | (less.limbs[at] & ~keep);
    return less;
}

/* left * right / 2^256. */
static element montgomery(const element *left, const element *right) {
    uint32_t sum[LIMBS + 2] = {0};
    for (int row = 0; row < LIMBS; row++) {
        uint64_t carry = 0;
        for (int at = 0; at < LIMBS; at++) {
            carry += (uint64_t)left->limbs[at] * right->limbs[row] + sum[at];
            sum[at] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += sum[LIMBS];
        sum[LIMBS] = (uint32_t)carry;
        sum[LIMBS + 1] = (uint32_t)(carry >> 32);

        uint32_t factor = sum[0] * INVERSE;
        carry = ((uint64_t)factor * MODULUS.limbs[0] + sum[0]) >> 32;
        for (int at = 1; at < LIMBS; at++) {
            carry += (uint64_t)factor * MODULUS.limbs[at] + sum[at];
            sum[at - 1] = (uint32_t)carry;
            carry >>= 32;
        }
        carry += sum[LIMBS];
        sum[LIMBS - 1] = (uint32_t)carry;
        sum[LIMBS] = sum[LIMBS + 1] + (uint32_t)(carry >> 32);
    }
    /* p is below 2^255, so the sum is below 2p and fits. */
    element product;
    for (int at = 0; at < LIMBS; at++) product.limbs[at] = sum[at];
    return reduce(product);
}

element element_from(uint64_t value) {
    return (element){{(uint32_t)value, (uint32_t)(value >> 32)}};
}

bool element_from_hex(const char *digits, element *out) {
    element value = {{0}};
    for (int at = 0; at < 64; at++) {
        char digit = digits[at];
        uint32_t nibble;
        if (digit >= '0' && digit <= '9') nibble = (uint32_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') nibble = (uint32_t)(digit - 'a') + 10;
        else if (digit >= 'A' && digit <= 'F') nibble = (uint32_t)(digit - 'A') + 10;
        else return false;
        int place = 63 - at;
        value.limbs[place / 8] |= nibble << (place % 8 * 4);
    }
    *out = value;
    element less;
    return subtract(&value, &MODULUS, &less) == 1;
}

element element_add(element left, element right) {
    element sum;
    uint64_t carry = 0;
    for (int at = 0; at < LIMBS; at++) {
        carry += (uint64_t)left.limbs[at] + right.limbs[at];
        sum.limbs[at] = (uint32_t)carry;
        carry >>= 32;
    }
    return reduce(sum);
}

element element_multiply(element left, element right) {
    element reduced = montgomery(&left, &right);
    return montgomery(&reduced, &R_SQUARED);
}
