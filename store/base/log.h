/* SPDX-License-Identifier: MIT */
/* log - diagnostics of mtatop itself, to a file, stderr (collect in the foreground) or nowhere; never to a screen. */
#ifndef MT_BASE_LOG_H
#define MT_BASE_LOG_H

#include "store/base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_target { LOG_TARGET_NONE, LOG_TARGET_STDERR, LOG_TARGET_FILE };

/* log_open - where to, from which level on. path only for FILE (0600, appended). May be called again. */
int log_open(enum log_target target, const char *path, enum log_level least,
	struct mt_error *reterr) MT_MUST_CHECK;
void log_close(void);
/* log_write - one line; control and other unfit bytes are made safe. Any thread. */
void log_write(enum log_level level, const char *fmt, ...) MT_PRINTF(2, 3);

/* log_repeat - complain about a repeating fault at growing intervals (1, 2, 4 ... 64 times), and log_recovered once. */
struct log_repeat {
	unsigned count, next;
};
void log_repeated(struct log_repeat *r, const char *fmt, ...) MT_PRINTF(2, 3);
void log_recovered(struct log_repeat *r, const char *fmt, ...) MT_PRINTF(2, 3);

#endif
