/* SPDX-License-Identifier: MIT */
/* probe_text - `mtatop probe`: what was found at each port, and the verdict on outbound port 25, as text or JSON. */
#ifndef MT_TUI_PROBE_TEXT_H
#define MT_TUI_PROBE_TEXT_H

#include "store/base/err.h"
#include "store/probe.h"

#include <stdio.h>

struct probe_print {
	const struct probe_result *results; /* borrowed */
	size_t n;
	int64_t now_ms;
	bool json;
	FILE *out;
};

/* probe_print - print them all. MT_EIO, MT_ELIMIT. */
int probe_print(const struct probe_print *p, struct mt_error *reterr) MT_MUST_CHECK;

/* probe_us - a step's time: "0.4 ms", "62 ms", "12.3 s"; "?" when not known. */
void probe_us(struct buf *out, int64_t us);
/* probe_cert_line - "mx.example.com by R3, names mx.example.com, 61 days left"; empty when none was read. Shown text. */
void probe_cert_line(struct buf *out, const struct probe_result *r, int64_t now_ms);
/* probe_steps_line - "connect 12 ms, greeting 0.5 ms ...": the steps that were reached. */
void probe_steps_line(struct buf *out, const struct probe_result *r);
/* probe_row_id - of a target, whatever else is probed. */
uint64_t probe_row_id(const struct probe_result *r);
/* probe_offers_line - "STARTTLS, AUTH only inside TLS"; what is not known is not named. */
void probe_offers_line(struct buf *out, const struct probe_result *r);

#endif
