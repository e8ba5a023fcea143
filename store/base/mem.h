/* SPDX-License-Identifier: MIT */
/*
 * mem - allocations of small, fixed size that are allowed to end the program.
 *
 * Anything sized by input goes through buf, which fails softly. The handler lets the screen
 * restore the terminal before abort; it is the one mutable variable of this file.
 */
#ifndef MT_BASE_MEM_H
#define MT_BASE_MEM_H

#include <stddef.h>

/* xmalloc, xcalloc, xrealloc, xstrdup - as their namesakes; never return NULL. Gives the memory. */
void *xmalloc(size_t nbytes);
void *xcalloc(size_t count, size_t nbytes);
void *xrealloc(void *old, size_t nbytes);
char *xstrdup(const char *text);

/* xmemdup - a NUL-terminated copy of nbytes bytes. Gives the memory. */
char *xmemdup(const void *bytes, size_t nbytes);

/* xasprintf - formatted copy. Gives the memory. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* mem_on_failure - called once, before abort, when memory is out. NULL resets. */
void mem_on_failure(void (*handler)(void));

#endif
