/* SPDX-License-Identifier: MIT */
/* codes_priv - between codes.c (built-in tables) and codes_file.c (a person's own rules). */
#ifndef MT_TUI_CODES_PRIV_H
#define MT_TUI_CODES_PRIV_H

#include "tui/codes.h"

/* codes_has - needle in hay, ASCII letters without case; an empty needle is in everything. */
bool codes_has(struct str hay, struct str needle);
/* codes_host_ends - ".google.com" fits mx.google.com and google.com; what follows '[' in host does not count. */
bool codes_host_ends(struct str host, struct str suffix);
/* codes_own - the first own rule that fits, false if none. provider: name of the host's mailbox provider, "" none. */
bool codes_own(const struct codes *own, int64_t key, struct str host, const char *provider,
	struct str reply, struct code_info *out);

#endif
