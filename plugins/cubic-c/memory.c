/* See memory.h. Also what compilers call behind one's back, and the canonical ABI's allocator. */
#include "memory.h"

#include <stdint.h>

#include "contract.h"

#define PAGE 65536u

extern unsigned char __heap_base; /* where the linker's data ends */

void *allocate(size_t size, size_t align) {
    static uintptr_t next;
    if (next == 0) next = (uintptr_t)&__heap_base;
    uintptr_t start = (next + align - 1) & ~(uintptr_t)(align - 1);
    uint64_t end = (uint64_t)start + size;
    uint64_t have = (uint64_t)__builtin_wasm_memory_size(0) * PAGE;
    if (end > have) {
        size_t pages = (size_t)((end - have + PAGE - 1) / PAGE);
        if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1) {
            static const char message[] = "out of memory";
            log_write(LOG_ERROR, message, sizeof message - 1);
            __builtin_trap();
        }
    }
    next = (uintptr_t)end;
    return (void *)start;
}

/* The host asks for room for the strings it hands over. */
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    unsigned char *fresh = allocate(size, align);
    const unsigned char *from = old;
    for (size_t at = 0; at < old_size && at < size; at++) fresh[at] = from[at];
    return fresh;
}

/* `-ffreestanding` keeps the compiler from seeing in these loops the functions that they are. */
void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *target = to;
    const unsigned char *source = from;
    for (size_t at = 0; at < size; at++) target[at] = source[at];
    return to;
}

void *memset(void *to, int value, size_t size) {
    unsigned char *target = to;
    for (size_t at = 0; at < size; at++) target[at] = (unsigned char)value;
    return to;
}
