/* SPDX-License-Identifier: MIT */
/*
 * secret - bytes that must not get out: keys of providers.
 *
 * Each lies in pages of its own that are in no core file, in no child process and, where the limit allows, never
 * swapped; freed means overwritten. Never print one, never put one into an error text: secret_scrub is for texts that
 * strangers wrote and that may quote it.
 */
#ifndef MT_BASE_SECRET_H
#define MT_BASE_SECRET_H

#include "store/base/str.h"

#include <stdbool.h>

#define SECRET_MAX_BYTES 1024

struct secret;

/* secret_new - a copy of at most SECRET_MAX_BYTES; NULL when there is no memory, nothing, or too much. Gives. */
struct secret *secret_new(struct str bytes);
/* secret_free - overwrite and free; NULL accepted. */
void secret_free(struct secret *s);
/* secret_z - the bytes, NUL-terminated; borrowed, to be handed on at once. "" for NULL. */
const char *secret_z(const struct secret *s);
/* secret_scrub - overwrite every occurrence in text (NUL-terminated, changed in place) with '*'. */
void secret_scrub(const struct secret *s, char *text);
/*
 * secret_wipe_stack - overwrite what returned calls left below the caller's frame, SECRET_STACK_BYTES deep: libraries that
 * were handed a key keep parts of it there (libcurl and what it calls leave a request some 47 KiB down).
 */
#define SECRET_STACK_BYTES (96u << 10)
void secret_wipe_stack(void);

/*
 * secret_take_environment - move the values of all variables MTATOP_*_KEY into this process's memory, out of the
 * environment: no child has them, and /proc/PID/environ does not show them any more. Call once, before the first
 * child and the first thread.
 */
void secret_take_environment(void);
/* secret_of_environment - a copy of the value taken from variable name; NULL when it was not set. Gives. Any thread. */
struct secret *secret_of_environment(const char *name);

#endif
