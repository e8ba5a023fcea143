/* SPDX-License-Identifier: MIT */
/*
 * alert - rules on figures, and what becomes of one when its figure moves. Pure; the configuration's part is in
 * alert_conf.c, reading figures in alert_eval.c.
 *
 * A rule fires when its figure has been over the line for a time, and clears when it has been at or under a lower line
 * for as long: between the lines nothing changes. Of a figure that alarms when it falls (certificate-days) under and over change
 * places. A figure that is not known changes nothing, but what was pending begins
 * anew. A rate of fewer than min_n is not over any line.
 */
#ifndef MT_STORE_ALERT_H
#define MT_STORE_ALERT_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/base/conf.h"
#include "store/vocab.h"

#define ALERTS_MAX 100
#define ALERT_TEXT_BYTES 240
#define ALERT_EVAL_INTERVAL_MS 5000 /* the collector looks this often at most */

/* FIGURE(ID, word, unit): what rules may be on. */
#define ALERT_FIGURE_LIST(X)                                                                       \
	X(BOUNCE_RATE, "bounce-rate", PERCENT)                                                     \
	X(DEFERRAL_RATE, "deferral-rate", PERCENT)                                                 \
	X(QUEUE, "queue", COUNT)                                                                   \
	X(QUEUE_INCOMING, "queue-incoming", COUNT)                                                 \
	X(QUEUE_ACTIVE, "queue-active", COUNT)                                                     \
	X(QUEUE_DEFERRED, "queue-deferred", COUNT)                                                 \
	X(QUEUE_HOLD, "queue-hold", COUNT)                                                         \
	X(QUEUE_CORRUPT, "queue-corrupt", COUNT)                                                   \
	X(QUEUE_AGE, "queue-age", TIME)                                                            \
	X(SILENCE, "silence", TIME)                                                                \
	X(HEALTH, "health", COUNT)                                                                 \
	X(GATE, "gate", COUNT)                                                                     \
	X(NEW_SIGNATURE, "new-signature", COUNT)                                                   \
	X(LISTING, "listing", COUNT)                                                               \
	X(CERTIFICATE_DAYS, "certificate-days", COUNT)                                             \
	X(METRIC, "", COUNT)
enum alert_figure {
#define ALERT_FIGURE_ENUM(id, word, unit) ALERT_FIGURE_##id,
	ALERT_FIGURE_LIST(ALERT_FIGURE_ENUM)
#undef ALERT_FIGURE_ENUM
		ALERT_FIGURE__COUNT
};
enum alert_unit { ALERT_COUNT, ALERT_PERCENT, ALERT_TIME /* ms */ };

enum alert_severity { ALERT_WARNING, ALERT_CRITICAL }; /* on disk, as the next two */
enum alert_phase { ALERT_QUIET, ALERT_PENDING, ALERT_FIRING };
enum alert_event {
	ALERT_NOTHING,
	ALERT_FIRED,
	ALERT_CLEARED,
	ALERT_ACKNOWLEDGED,
	ALERT_HOOK_FAILED
};

struct alert_rule { /* texts borrowed from the configuration, or static */
	const char *name;
	enum alert_figure figure;
	enum metric metric; /* of METRIC: that many in the window */
	const char *word; /* as the configuration has the figure */
	const char *provider; /* name; "" all together */
	double over,
		clear; /* of the figure's unit: %, ms, a number; clear <= over, of one that falls >= */
	int64_t min_n; /* of rates */
	int64_t window_ms; /* of rates, counts, new signatures */
	int64_t for_ms;
	enum alert_severity severity;
	const char *hook; /* absolute path; "" none */
	int64_t hook_interval_ms; /* at most one run in this time */
	bool syslog;
};

struct alert_rules {
	struct alert_rule rule[ALERTS_MAX];
	size_t n;
};

struct alert_value {
	bool known;
	double value;
	int64_t n; /* of a rate; EVENT_UNKNOWN: no rate */
	int64_t newest; /* of NEW_SIGNATURE: the newest wording met */
	char text[ALERT_TEXT_BYTES]; /* "bounce rate 6.1% of 812"; may quote strangers' bytes */
};

struct alert_state {
	enum alert_phase phase;
	int64_t since_ms; /* of FIRING; 0 none */
	int64_t pending_ms; /* over the line since; 0 not */
	int64_t below_ms; /* FIRING: at or under the lower line since; 0 not */
	int64_t mark; /* NEW_SIGNATURE: the newest wording that is not new; 0 none yet */
};

/* alert_step - the state moves on to now. Returns what happened. */
enum alert_event alert_step(const struct alert_rule *rule, struct alert_state *s,
	const struct alert_value *v, int64_t now_ms);

enum alert_unit alert_unit(const struct alert_rule *rule);
/* alert_falls - does the rule fire when its figure is under the line? */
bool alert_falls(const struct alert_rule *rule);
/* alert_condition - "bounce-rate > 5% for 5m". alert_number - a value in the figure's unit. */
void alert_condition(struct buf *out, const struct alert_rule *rule);
void alert_number(struct buf *out, enum alert_unit unit, double value);
const char *alert_phase_word(enum alert_phase phase);
const char *alert_event_word(enum alert_event event);
const char *alert_severity_word(enum alert_severity severity);

/* --- configuration --- */
/* alert_conf_table - the keys of [alert NAME]. Borrowed for ever. */
struct conf_table alert_conf_table(void);
/*
 * alert_rules_load - the default set, with [alert NAME] sections over it: one of a default's name replaces it, enabled =
 * no takes it away. Borrows conf. MT_ECONFIG with section, key and fix: an unknown figure, one that this mtatop does not
 * measure, a lower line over the upper one, a hook that is no absolute path.
 */
int alert_rules_load(
	const struct conf *conf, struct alert_rules *out, struct mt_error *reterr) MT_MUST_CHECK;

#endif
