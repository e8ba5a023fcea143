/* SPDX-License-Identifier: MIT */
/*
 * range - thresholds of monitoring plugins: [@]START:END as the Monitoring Plugins Development Guidelines
 * ("Threshold and Ranges") have them. Pure.
 */
#ifndef MT_TUI_RANGE_H
#define MT_TUI_RANGE_H

#include "store/base/buf.h"

#include <stdbool.h>

struct range {
	bool set; /* false: no threshold, nothing is outside */
	bool inside; /* @: alert within [start, end] instead of outside */
	double start, end; /* -INFINITY for ~, INFINITY for none */
};

/* range_parse - "10" is 0:10, "10:" 10 to infinity, "~:10" minus infinity to 10. MT_EINVAL: no range, or start > end. */
int range_parse(const char *text, struct range *out) MT_MUST_CHECK;
/* range_alerts - is the value one that the range warns of? Never for a range not set. */
bool range_alerts(const struct range *r, double value);

#endif
