/* SPDX-License-Identifier: MIT */
/* helper_private - what the two sides of the helper's socket agree on. */
#ifndef MT_BACKENDS_HELPER_PRIVATE_H
#define MT_BACKENDS_HELPER_PRIVATE_H

#include "backends/helper.h"

#include <stddef.h>
#include <stdint.h>

#define HELPER_REQUEST_MAX_BYTES 16384 /* postconf with its 21 names takes 500 */
#define HELPER_ARGS_MAX 64
#define HELPER_FDS 4 /* stdin, stdout, stderr, and the child's own socket back */
#define HELPER_SAY_TERM 'T'
#define HELPER_SAY_KILL 'K'

/* helper_serve - the helper's whole life; exits at the end of fd. */
_Noreturn void helper_serve(int fd, const struct helper_options *options);

#endif
