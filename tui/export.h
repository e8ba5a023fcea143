/* SPDX-License-Identifier: MIT */
/*
 * export - `mtatop export`: the cache's figures in the Prometheus text format 0.0.4: once on standard output, into a file
 * for node_exporter's textfile collector (whole or not at all), or over HTTP on loopback.
 *
 * Counters are all that was ever counted (read_ever): they do not fall at a restart or when retention takes old days.
 * Labels are bounded whatever strangers send: at most EXPORT_SERVICES_MAX services, codes by class and subject alone.
 */
#ifndef MT_TUI_EXPORT_H
#define MT_TUI_EXPORT_H

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/err.h"

#define EXPORT_SERVICES_MAX 64 /* of a provider; further ones are service="other" */
#define EXPORT_INTERVAL_MS 15000
#define EXPORT_DELAY_WINDOW_MS 3600000 /* of the delay percentiles */

struct export_options {
	const char *cache_path;
	const char *output; /* file; NULL: see listen */
	const char *listen; /* [ADDRESS:]PORT of loopback; NULL: once to standard output */
	int64_t interval_ms; /* with output: write again this often; 0: once */
	const struct clock *clock;
};

/* export_text - append all figures. MT_ENOENT: no cache; MT_ELIMIT. */
int export_text(const char *cache_path, int64_t now_ms, struct buf *out,
	struct mt_error *reterr) MT_MUST_CHECK;
/* export_once - to standard output or the file. The file is world-readable: it holds counts alone. */
int export_once(const struct export_options *o, struct mt_error *reterr) MT_MUST_CHECK;
/* export_loop - export_once every interval until *stop is set; a failure is told in log and tried again. */
int export_loop(const struct export_options *o, const volatile int *stop,
	struct mt_error *reterr) MT_MUST_CHECK;

/* export_listen - a listening socket. Gives *ret_fd. MT_ECONFIG: not an address of loopback, MT_EBUSY: in use. */
int export_listen(const char *where, int *ret_fd, struct mt_error *reterr) MT_MUST_CHECK;
/* export_serve - answer GET /metrics until *stop is set. Closes fd. */
int export_serve(const struct export_options *o, int fd, const volatile int *stop,
	struct mt_error *reterr) MT_MUST_CHECK;

#endif
