/* SPDX-License-Identifier: MIT */
/* actor - who asked for an action: for the log of actions. */
#ifndef MT_BACKENDS_ACTOR_H
#define MT_BACKENDS_ACTOR_H

#include <stddef.h>

#define ACTOR_MAX_BYTES 256

/* actor_name - the user's name; behind sudo the login that called it, as "name (sudo)": root alone names nobody. */
void actor_name(char *ret, size_t max);

#endif
