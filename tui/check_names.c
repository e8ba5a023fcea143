/* SPDX-License-Identifier: MIT */
/* check_names - `mtatop check dnsbl`; see check.h. */
#include "tui/check_private.h"

#include "store/base/utf8.h"

#include <inttypes.h>

/* Own addresses on block lists, as far as is known last; lists that can't be asked are said, never counted. */
int check_dnsbl(struct check *c, struct found *f)
{
	struct listings l;
	int rc = read_listings(c->reader, &c->arena, &l, &c->error);

	if (rc < 0)
		return rc;
	f->of = "DNS check";
	f->looked_ms = l.t_ms > 0 ? l.t_ms : EVENT_UNKNOWN;
	f->max_age_ms = NAME_STALE_MS;
	buf_printf(&f->more, " cant_check=%" PRId64 ";;;0", l.cant);
	if (l.checked == 0 || (l.listed == 0 && l.cant >= l.checked)) {
		f->reason = "no block list could be checked (see mtatop dns)";
		return 0;
	}
	f->value = (double)l.listed;
	if (l.listed == 0) {
		buf_printf(&f->text, "no own address is on a block list, %" PRId64 " looked up",
			l.checked - l.cant);
	} else {
		(void)utf8_show_text(&f->text, l.first_address, false);
		buf_add_z(&f->text, " is listed at ");
		(void)utf8_show_text(&f->text, l.first_list, false);
		if (l.listed > 1)
			buf_printf(&f->text, " and %" PRId64 " more", l.listed - 1);
	}
	if (l.cant > 0)
		buf_printf(&f->text, "; %" PRId64 " can't be checked", l.cant);
	return 0;
}
