/* SPDX-License-Identifier: MIT */
/*
 * backend - the interface of a source of mail facts. A provider family is one file (or folder) and
 * one name in the meson option `backends`; the registry is generated from that list.
 *
 * parse is pure: no clock, no I/O, no allocation a record; all it knows is its state, made from
 * struct parse_options. That gives every family fixture tests, split tests, fuzzing, benchmarks and
 * `mtatop --replay NAME FILE` with no code of its own.
 * The other slots return OK or an error class; schedule.c alone decides what follows.
 */
#ifndef MT_BACKENDS_BACKEND_H
#define MT_BACKENDS_BACKEND_H

#include "store/base/buf.h"
#include "store/base/clock.h"
#include "store/base/conf.h"
#include "store/event.h"
#include "store/service.h"
#include "store/store_write.h"

#include <poll.h>

/* An instance of a family on this machine: one provider. All strings borrowed. */
struct instance_def {
	const char *family; /* backend_ops.name */
	const char *name; /* provider name: "postfix", "postfix-out" */
	const char *host; /* this host's name as the MTA logs it, or NULL */
	const char *config_dir; /* Postfix config_directory, or NULL when only files were given */
	const char *spool_dir; /* Postfix queue_directory, or NULL */
	const char
		*syslog_name; /* its lines' tags begin with this and a slash ("postfix"); or NULL */
	const char *const *others; /* names of those that write into the same log */
	size_t nothers;
	bool rest; /* takes the lines that are of none of them; always so when it has its log alone */
	const char *const
		*logs; /* log files in order of preference; the first that exists is followed */
	size_t nlogs;
	bool folders; /* logs are folders, all of them followed: files that are added to, new ones beside them */
	bool all_logs; /* --log FILE...: read every one of logs, not the first that exists */
	bool made_up; /* the demo's: a Postfix as it comes, whose configuration nobody can be asked for */
	bool journal; /* read the systemd journal when no file exists (or when configured) */
	const char *journal_folder; /* of journal files; NULL = this machine's */
	const char *
		section; /* providers behind an API: instance of their section of mtatop.conf, NULL plain */
	const char *key_path, *ca_path; /* files it reads besides, or NULL */
};

struct backend_env { /* what a source may use; all borrowed for the source's life */
	struct store *store;
	const struct clock *clock;
	const struct conf *conf;
	const struct backend_ops *family;
	const struct instance_def *def;
	int provider, source; /* store ids */
	int64_t read_back_ms; /* first start: how far back to read what files still hold; -1: all there is */
	bool until_caught_up; /* one pass, then done */
	bool *store_failed; /* set by a source whose failure was the store's: the batch is undone */
};

/* What is due within this is done in the same round: one wake-up for all sources. */
#define ROUND_SLACK_MS 250
#define WAIT_SLACK_MS 50 /* of one that waits for an instant of its own (STEP_WAIT) */

enum step_result {
	STEP_DONE = 0, /* round finished; call again after the interval */
	STEP_AGAIN =
		1, /* more work is ready now (catching up): call again soon, after others had a turn */
	STEP_WAIT = 2 /* waits on its fds or its next_wish */
};

struct queue_lister;

struct source_ops {
	const char *name; /* "log", "queue" */
	int64_t interval_ms; /* default time between rounds */
	size_t state_bytes;
	int (*init)(void *state, const struct backend_env *env, struct mt_error *reterr);
	/* step - a bounded slice of work (<= ~20 ms). enum step_result or a negative mt_err. */
	int (*step)(void *state, struct mt_error *reterr);
	/* fds - what to poll while waiting; returns how many were filled. May be NULL. */
	size_t (*fds)(const void *state, struct pollfd *out, size_t max);
	/* interval - the wish for the next round, ms; 0 = default. May be NULL. */
	int64_t (*interval)(const void *state);
	/* wait - after STEP_WAIT: how long at most until the next step, ms, whatever the fds say. NULL: STEP_GAP_MS. */
	int64_t (*wait)(const void *state);
	/* health - add detail, newest_ms, done/total bytes to what the schedule knows. May be NULL. */
	void (*health)(const void *state, struct source_health *out);
	void (*done)(void *state);
};

struct job_output { /* collects the lines of a job; add copies */
	int (*add)(void *ctx, struct str line, int64_t offset);
	bool (*canceled)(void *ctx);
	void *ctx;
	const struct conf *conf; /* in force; borrowed */
	const char *
		cache_path; /* where a family logs an action it took (store_action_at); NULL: no action is taken */
	int64_t asked, done; /* ids of an action; set by the family */
	char summary[160];
};

/* What doctor prints; texts are clean already. bad returns 1. */
struct check_report {
	void (*good)(const char *what, const char *value);
	void (*note)(const char *what, const char *text);
	int (*bad)(const char *what, const char *why, const char *fix);
};

enum backend_cap {
	BACKEND_CAP_LOG = 1, /* has parse: reads a log */
	BACKEND_CAP_QUEUE = 2, /* depth and listing */
	BACKEND_CAP_ACT = 4, /* hold, release, requeue, delete, expire, flush */
	BACKEND_CAP_DETAIL = 8 /* one message on demand */
};

struct parse_options {
	int64_t now_utc_ms; /* reference for stamps without a year: no line is later than this + 1 day */
	const char *timezone; /* zone of stamps without one, tz(3) syntax; NULL = the system's */
};

struct backend_ops {
	const char *name; /* "postfix" */
	const char *summary; /* one line for --help and the providers view */
	const struct conf_key *keys; /* its section of mtatop.conf; alphabetized */
	size_t nkeys;
	unsigned caps; /* enum backend_cap */

	/* parsing */
	size_t parse_state_bytes;
	void (*parse_init)(void *state, const struct parse_options *options);
	/* parse_now - the reference for stamps without a year has moved on (a log followed into a new year). May be NULL. */
	void (*parse_now)(void *state, int64_t now_utc_ms);
	/*
	 * parse - consume complete records from bytes and emit their events, one or more a line.
	 * final   no more bytes will follow: an unterminated last line is a record too.
	 * *ret_consumed   bytes used; the caller gives the rest again with more behind it.
	 * Each event carries line_offset = offset of its line within bytes.
	 * Returns 0 or what the sink returned. Never fails on input: what it can't read is EVENT_UNPARSED.
	 */
	int (*parse)(void *state, struct str bytes, bool final, const struct event_sink *sink,
		size_t *ret_consumed);
	void (*parse_done)(void *state);
	/*
	 * replay_body - families with a web API, in place of parse: one whole body into JSON lines, for --replay. Pure.
	 * MT_EINVAL (not known what this is an answer to), MT_EPROTO (not the shape it should have).
	 */
	int (*replay_body)(struct str body, struct buf *out, struct mt_error *reterr);
	/* looks_like - 0..100: how sure that these first bytes of a file are this family's log. */
	int (*looks_like)(struct str head);

	/* running: the kinds of source an instance has ("log" is generic, see logsource.h) */
	const struct source_ops *const *sources; /* NULL-terminated */
	const struct queue_lister *
		lister; /* how the source `queue` lists its queue (queuesource.h); NULL: not by it */
	/* discover - find instances on this machine or in conf; call found for each (strings borrowed
	 * during the call). Returns the number found or a negative mt_err. NULL: no discovery. */
	int (*discover)(const struct conf *conf,
		int (*found)(void *ctx, const struct instance_def *def), void *ctx,
		struct mt_error *reterr);
	/* services - write the service -> port map of an instance into the store (store_services). May be NULL. */
	int (*services)(struct store *store, int provider, const struct instance_def *def,
		struct mt_error *reterr);
	/* check - for doctor, of a provider behind an API: key, network, certificate, rights. May block. Returns the number
	 * of problems told. May be NULL. */
	int (*check)(const struct conf *conf, const struct instance_def *def,
		const struct check_report *report);
	/* job - run one on-demand job to its end (own thread; may block); lines go to out. May be NULL. */
	int (*job)(const struct instance_def *def, const struct job_request *request,
		struct job_output *out, struct mt_error *reterr);
};

#endif
