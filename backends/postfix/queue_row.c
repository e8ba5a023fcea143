/* SPDX-License-Identifier: MIT */
/* postfix/queue_row - ids, names, recipients and the rules of retry and expiry; see queue_row.h. */
#include "backends/postfix/queue_row.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SHORT_ID_MIN 6 /* 5 digits of microseconds, at least 1 of inode */
#define SHORT_ID_MAX 22 /* 5 and a 64-bit inode with one to spare */
#define LONG_ID_MIN 12 /* 6 of seconds, 4 of microseconds, z, 1 of inode */
#define LONG_ID_MAX 32
#define LONG_ID_Z_MIN 10 /* index of the z while seconds have 6 digits, for centuries */
#define LONG_ID_USEC_DIGITS 4
#define BASE52 "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
#define FILE_PATH_MAX 64 /* "deferred/", 5 folders, an id of 32 */
#define MS_PER_S 1000
#define USEC_MAX 999999
#define RCPTS_FIRST 16

void queue_rcpts_done(struct queue_rcpts *r)
{
	free(r->addr);
	free(r->reason);
	*r = (struct queue_rcpts){0};
}

static int grow(struct queue_rcpts *r)
{
	size_t cap = r->cap ? r->cap * 2 : RCPTS_FIRST;
	struct str *grown = realloc(r->addr, cap * sizeof(*grown));

	if (!grown)
		return MT_ENOMEM;
	r->addr = grown;
	grown = realloc(r->reason, cap * sizeof(*grown));
	if (!grown)
		return MT_ENOMEM;
	r->reason = grown;
	r->cap = cap;
	return 0;
}

int queue_rcpts_add(struct queue_rcpts *r, struct str addr, struct str reason)
{
	if (r->n >= QUEUE_RCPTS_MAX)
		return MT_ELIMIT;
	if (r->n == r->cap && grow(r) < 0)
		return MT_ENOMEM;
	r->addr[r->n] = addr;
	r->reason[r->n++] = reason;
	return 0;
}

static const char *const names[QUEUE__COUNT] = {
	[QUEUE_MAILDROP] = "maildrop",
	[QUEUE_INCOMING] = "incoming",
	[QUEUE_ACTIVE] = "active",
	[QUEUE_DEFERRED] = "deferred",
	[QUEUE_HOLD] = "hold",
	[QUEUE_CORRUPT] = "corrupt",
};

int queue_name_of(struct str name)
{
	for (int i = 0; i < QUEUE__COUNT; i++)
		if (str_eq(name, str_of(names[i])))
			return i;
	return EVENT_UNKNOWN;
}

const char *queue_name_text(enum queue_name name)
{
	return names[name];
}

static bool is_upper_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

static int base52(char c)
{
	const char *hit = c ? strchr(BASE52, c) : NULL;

	return hit ? (int)(hit - BASE52) : -1;
}

static bool short_id_ok(struct str id)
{
	if (id.n < SHORT_ID_MIN || id.n > SHORT_ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!is_upper_hex(id.p[i]))
			return false;
	return true;
}

/* The inode comes after the last z: z is a digit of the time too, but not of the inode. */
static bool long_id_ok(struct str id, size_t *ret_z)
{
	size_t z = str_rfind_char(id, 'z');

	if (id.n < LONG_ID_MIN || id.n > LONG_ID_MAX || z < LONG_ID_Z_MIN || z + 1 >= id.n)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (base52(id.p[i]) < 0)
			return false;
	*ret_z = z;
	return true;
}

bool queue_id_ok(struct str id)
{
	size_t z;

	return short_id_ok(id) || long_id_ok(id, &z);
}

bool queue_id_hash(struct str id, char ret[QUEUE_HASH_MAX])
{
	char hex[QUEUE_HASH_MAX + 4];
	unsigned usec = 0;
	size_t z;

	if (short_id_ok(id)) {
		memcpy(ret, id.p, QUEUE_HASH_MAX);
		return true;
	}
	if (!long_id_ok(id, &z))
		return false;
	for (size_t i = z - LONG_ID_USEC_DIGITS; i < z; i++)
		usec = usec * 52 + (unsigned)base52(id.p[i]);
	if (usec > USEC_MAX)
		return false;
	snprintf(hex, sizeof(hex), "%05X", usec);
	memcpy(ret, hex, QUEUE_HASH_MAX);
	return true;
}

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	/* As qmgr does it: the upper bound first, so that a lower bound above it wins. */
	value = value > high ? high : value;
	return value < low ? low : value;
}

int64_t queue_retry_estimate(
	int64_t arrival_ms, int64_t now_ms, int64_t minimal_backoff_ms, int64_t maximal_backoff_ms)
{
	int64_t age_ms = 0, step_ms, now_age_ms = now_ms - arrival_ms;

	if (minimal_backoff_ms <= 0 || maximal_backoff_ms < 0)
		return EVENT_UNKNOWN;
	/* The wait doubles until the upper bound: some twenty rounds, then equal steps. */
	while (age_ms <= now_age_ms && age_ms < maximal_backoff_ms)
		age_ms += clamp(age_ms, minimal_backoff_ms, maximal_backoff_ms);
	if (age_ms <= now_age_ms) {
		step_ms = clamp(maximal_backoff_ms, minimal_backoff_ms, maximal_backoff_ms);
		age_ms += ((now_age_ms - age_ms) / step_ms + 1) * step_ms;
	}
	return arrival_ms + age_ms;
}

int64_t queue_expiry(const struct postfix_config *c, const struct queue_row *row)
{
	bool bounce = str_present(row->sender) && row->sender.n == 0;
	int64_t lifetime_ms = bounce ? c->bounce_queue_lifetime_ms : c->maximal_queue_lifetime_ms;

	if (row->queue == QUEUE_HOLD || lifetime_ms < 0 || !str_present(row->sender))
		return EVENT_UNKNOWN;
	return row->arrival_ms + lifetime_ms;
}

bool queue_file_time(int spool_fd, unsigned hash_depth, struct str qid, int64_t *ret_ms)
{
	char path[FILE_PATH_MAX] = "deferred/", hash[QUEUE_HASH_MAX];
	size_t n = strlen(path);
	struct stat st;

	if (spool_fd < 0 || !queue_id_hash(qid, hash) || n + 2 * hash_depth + qid.n >= sizeof(path))
		return false;
	for (unsigned i = 0; i < hash_depth; i++) {
		path[n++] = hash[i];
		path[n++] = '/';
	}
	memcpy(path + n, qid.p, qid.n);
	path[n + qid.n] = '\0';
	if (fstatat(spool_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret_ms = (int64_t)st.st_mtim.tv_sec * MS_PER_S;
	return true;
}
