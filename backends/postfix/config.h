/* SPDX-License-Identifier: MIT */
/*
 * postfix/config - what a Postfix says about itself: its instances, and of each the parameters
 * mtatop needs, had from one run of postconf.
 *
 * Owns the [postfix] keys of mtatop.conf. Runs only programs found in system folders, never by the
 * PATH of the user. Does not read main.cf itself: only Postfix knows its syntax and defaults.
 */
#ifndef MT_BACKENDS_POSTFIX_CONFIG_H
#define MT_BACKENDS_POSTFIX_CONFIG_H

#include "backends/backend.h"
#include "store/base/arena.h"
#include "store/base/buf.h"

#include <time.h>

struct postfix_config {
	struct arena arena; /* owns every text below */
	const char *dir; /* config_directory */
	/* texts: never NULL, "" when empty or not given */
	const char *authorized_mailq_users;
	const char *command_directory;
	const char *empty_address_recipient; /* what postqueue prints for the sender <> */
	const char *hash_queue_names;
	const char *inet_interfaces;
	const char *mail_version;
	const char *maillog_file;
	const char *multi_instance_name;
	const char *mydestination;
	const char *mydomain;
	const char *myhostname;
	const char *queue_directory;
	const char *smtp_bind_address;
	const char *smtp_bind_address6;
	const char *smtp_helo_name;
	const char *smtpd_service_name; /* where postscreen hands its clients to */
	const char *syslog_name;
	const char *virtual_mailbox_domains;
	/* figures: EVENT_UNKNOWN when not given */
	int64_t bounce_queue_lifetime_ms;
	int64_t hash_queue_depth;
	int64_t maximal_backoff_ms;
	int64_t maximal_queue_lifetime_ms;
	int64_t minimal_backoff_ms;
	int64_t qmgr_message_active_limit;
	int64_t queue_run_delay_ms;
	int64_t smtp_tls_loglevel;
	int64_t smtpd_tls_loglevel;
	int64_t smtpd_tls_wrappermode; /* 1, 0 */
};

/* postfix_keys - the [postfix] section, alphabetized; for backend_ops.keys. */
#define POSTFIX_NKEYS 8
extern const struct conf_key postfix_keys[POSTFIX_NKEYS];

/*
 * postfix_time_ms - a Postfix time value: digits and an optional unit s m h d w.
 * default_unit   the unit of a bare number, as postconf(5) states for the parameter.
 * Returns 0 or MT_EINVAL (not a time, or over 100 years). Source: postconf(5), "Time units".
 */
int postfix_time_ms(struct str s, char default_unit, int64_t *ret_ms) MT_MUST_CHECK;

/* postfix_config_init - nothing known yet, of the instance in dir. End with postfix_config_done. */
void postfix_config_init(struct postfix_config *c, const char *dir);
void postfix_config_done(struct postfix_config *c);

/* postfix_config_parse - take the "name = value" lines of postconf(1). Unknown names and bad values are ignored. */
void postfix_config_parse(struct postfix_config *c, struct str lines);

/*
 * postfix_config_load - run postconf for the instance in dir.
 * Fills *c (initialised here, also on failure; end with postfix_config_done).
 * Returns 0, MT_ENOENT (no postconf), MT_ECONFIG (postconf refused; text has its words), or as spawn_run.
 */
int postfix_config_load(
	struct postfix_config *c, const char *dir, struct mt_error *reterr) MT_MUST_CHECK;

/* postfix_config_older - mail_version is known and below major.minor. */
bool postfix_config_older(const struct postfix_config *c, int major, int minor);

/* postfix_tool - path of one of the instance's commands ("postqueue"), from its command_directory. Gives. */
char *postfix_tool(const struct postfix_config *c, const char *name);

/* postfix_run_text - blocking: run argv, stdout into out. Exit code >= 0 or negative; ret_complaint (may be NULL)
 * gets the first line of stderr worth reading. */
int postfix_run_text(const char *const *argv, struct str input, struct buf *out,
	struct buf *ret_complaint, struct mt_error *reterr) MT_MUST_CHECK;

/* postfix_complaint - the most telling line of a Postfix command's stderr: the last fatal: or error:, else the first. */
struct str postfix_complaint(struct str stderr_bytes);

/* postfix_multi_parse - call each(ctx, config_directory) for every line of `postmulti -l`; returns their number. */
size_t postfix_multi_parse(struct str lines, void (*each)(void *ctx, struct str dir), void *ctx);

/* postfix_discover - backend_ops.discover. */
int postfix_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx,
	struct mt_error *reterr);

/* postfix_main_cf_time - when dir/main.cf was changed last; zero: it can't be looked at. */
struct timespec postfix_main_cf_time(const char *dir);

#endif
