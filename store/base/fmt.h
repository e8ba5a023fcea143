/* SPDX-License-Identifier: MIT */
/* fmt - figures for people. Unknown (negative EVENT_UNKNOWN) is never printed as a number: callers pass "-"'s place. */
#ifndef MT_BASE_FMT_H
#define MT_BASE_FMT_H

#include "store/base/buf.h"

#include <stdint.h>

/* fmt_count - "1,234"; n < 0 (unknown): "?" */
void fmt_count(struct buf *out, int64_t n);
/* fmt_count_short - at most 5 columns, never rounding up to a wrong power: "999", "12.4k", "1.23M"; unknown "?". */
void fmt_count_short(struct buf *out, int64_t n);
/* fmt_signed - "+41", "-3", "0". */
void fmt_signed(struct buf *out, int64_t n);
/* fmt_pct - part of whole as "96.1%"; whole 0 or anything unknown: "-". "100.0%" only if all, "<0.1%" if not none. */
void fmt_pct(struct buf *out, int64_t part, int64_t whole);
/* fmt_bytes - "5360" (up to 9999), "12.4k", "3.1M", "512M"; powers of 1024, at most 5 columns; unknown "?". */
void fmt_bytes(struct buf *out, int64_t bytes);
/* fmt_cs - centiseconds as a delay: "0.04s" "4.1s" "48s" "12m" "3h04m" "3d04h"; cut, not rounded; unknown "?". */
void fmt_cs(struct buf *out, int64_t cs);
/* fmt_dsn - "5.1.1" from DSN_MAKE form; 0: "". fmt_code_key - the code_key as a person reads it; 0: "none". */
void fmt_dsn(struct buf *out, int64_t dsn);
void fmt_code_key(struct buf *out, int64_t key);

#endif
