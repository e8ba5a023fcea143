/* SPDX-License-Identifier: MIT */
/* range - see range.h. */
#include "tui/range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* number - all n bytes are a decimal number. */
static int number(const char *text, size_t n, double *ret)
{
	char copy[64];
	char *end;

	if (n == 0 || n >= sizeof(copy) || strspn(text, "+-.0123456789eE") < n)
		return MT_EINVAL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	*ret = strtod(copy, &end);
	return *end == '\0' && isfinite(*ret) ? 0 : MT_EINVAL;
}

int range_parse(const char *text, struct range *out)
{
	struct range r = {.set = true, .start = 0, .end = INFINITY};
	const char *colon;
	int rc = 0;

	if (*text == '@') {
		r.inside = true;
		text++;
	}
	colon = strchr(text, ':');
	if (colon) {
		if (colon == text + 1 && *text == '~')
			r.start = -INFINITY;
		else if (colon > text)
			rc = number(text, (size_t)(colon - text), &r.start);
		text = colon + 1;
	} else if (*text == '\0') {
		return MT_EINVAL;
	}
	if (rc == 0 && *text)
		rc = number(text, strlen(text), &r.end);
	if (rc < 0 || r.start > r.end)
		return MT_EINVAL;
	*out = r;
	return 0;
}

bool range_alerts(const struct range *r, double value)
{
	bool within = value >= r->start && value <= r->end;

	return r->set && within == r->inside;
}
