/* SPDX-License-Identifier: MIT */
/* dns_text - `mtatop dns`: results of checks in the DNS, as text or JSON. */
#ifndef MT_TUI_DNS_TEXT_H
#define MT_TUI_DNS_TEXT_H

#include "store/base/clock.h"
#include "store/base/err.h"
#include "store/names.h"

#include <stdbool.h>
#include <stdio.h>

/* dns_text_print - MT_ELIMIT: more than fits; MT_EIO. */
int dns_text_print(FILE *out, const struct name_result *rows, size_t n, bool json,
	const struct clock *clock, struct mt_error *reterr) MT_MUST_CHECK;

#endif
