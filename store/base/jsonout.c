/* SPDX-License-Identifier: MIT */
/* jsonout - see jsonout.h. */
#include "store/base/jsonout.h"

#include "store/base/timefmt.h"
#include "store/base/utf8.h"

#include <inttypes.h>

static void key(struct buf *out, const char *name)
{
	buf_printf(out, ",\"%s\":", name);
}

void jsonout_value(struct buf *out, struct str value)
{
	if (!str_present(value))
		buf_add_z(out, "null");
	else if (utf8_json(out, value) < 0)
		out->err = MT_ELIMIT;
}

void jsonout_text(struct buf *out, const char *name, struct str value)
{
	key(out, name);
	jsonout_value(out, value);
}

void jsonout_words(struct buf *out, const char *name, const char *value)
{
	jsonout_text(out, name, value ? str_of(value) : (struct str){NULL, 0});
}

void jsonout_number(struct buf *out, const char *name, int64_t n)
{
	key(out, name);
	if (n < 0)
		buf_add_z(out, "null");
	else
		buf_printf(out, "%" PRId64, n);
}

void jsonout_truth(struct buf *out, const char *name, int64_t value)
{
	key(out, name);
	buf_add_z(out, value < 0 ? "null" : value ? "true" : "false");
}

void jsonout_time(struct buf *out, const char *name, int64_t utc_ms)
{
	key(out, name);
	if (utc_ms <= 0) {
		buf_add_z(out, "null");
		return;
	}
	buf_add_char(out, '"');
	timefmt_rfc3339(out, utc_ms);
	buf_add_char(out, '"');
}
