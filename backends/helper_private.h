/* SPDX-License-Identifier: MIT */
/* helper_private - what the two sides of the helper's socket agree on. */
#ifndef MT_BACKENDS_HELPER_PRIVATE_H
#define MT_BACKENDS_HELPER_PRIVATE_H

#include "backends/helper.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HELPER_REQUEST_MAX_BYTES 16384 /* postconf with its 21 names takes 500 */
#define HELPER_ARGS_MAX 64
#define HELPER_FDS 4 /* stdin, stdout, stderr, and the child's own socket back */
#define HELPER_SAY_TERM 'T'
#define HELPER_SAY_KILL 'K'

/*
 * helper_allows_mta - may this run of exim(8), exim_dumpdb(8) or smtpctl(8) be: the name (base) and every word of argv are as mtatop
 * asks them. Whether the file is root's alone is not looked at.
 */
bool helper_allows_mta(const char *base, const char *const *argv, bool read_write);
/* helper_lasting - does it deliver mail, so that nobody may end it half-way? Of an argv that is allowed. */
bool helper_lasting(const char *const *argv);

/* helper_serve - the helper's whole life; exits at the end of fd. */
_Noreturn void helper_serve(int fd, const struct helper_options *options);

#endif
