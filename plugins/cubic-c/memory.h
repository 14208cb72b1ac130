/* Memory without a C library: it only grows, because an instance answers one call. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Never null: a plugin that finds no memory says so in its log and traps. */
void *allocate(size_t size, size_t align);

#endif
