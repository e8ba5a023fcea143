/* SPDX-License-Identifier: MIT */
/* api_show - rows of vendors' APIs as lines of JSON, one a row: for backend_ops.replay_body. ctx is a struct buf. */
#ifndef MT_BACKENDS_API_SHOW_H
#define MT_BACKENDS_API_SHOW_H

#include "store/base/buf.h"
#include "store/store_api.h"

/* Each appends one whole line and returns 0 or the buffer's error. Unknown figures and absent texts are left out. */
int api_show_counts(struct buf *out, int64_t day, const char *of, struct str key,
	const struct api_figure *figures,
	size_t n); /* day: civil day number; of: "total", "category" */
int api_show_event(void *ctx, const struct api_event *e);
int api_show_suppression(void *ctx, const struct api_suppression *s);
int api_show_account(void *ctx, struct str name, struct str value);

/* The parts, for rows of other shapes: begin, members, end. */
void api_show_begin(struct buf *out, const char *row);
void api_show_text(struct buf *out, const char *name, struct str value);
void api_show_number(struct buf *out, const char *name, int64_t n);
void api_show_time(struct buf *out, const char *name, int64_t t_ms);
int api_show_end(struct buf *out);

#endif
