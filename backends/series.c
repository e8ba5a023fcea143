/* SPDX-License-Identifier: MIT */
/* series - see series.h. Order is by name: copies of files need not have kept their times. */
#include "backends/series.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 16384 /* the newest are kept: months of hourly files */
#define FOLDERS_MAX 1024 /* of one tree */
#define DEPTH_MAX 6 /* TransportRoles/Logs/FrontEnd/ProtocolLog/SmtpReceive */
#define DAY_DIGITS 8
#define HOUR_DIGITS 10
#define NUMBER_DIGITS 9
#define NUMBERS_MAX UINT64_C(1000000000) /* times ten digits: fits 64 bits */

bool series_name(struct str name, struct str *ret_prefix, uint64_t *ret_order)
{
	static const struct str end = STR_INIT(".LOG");
	uint64_t when, number;
	size_t letters = 0, digits = 0;
	struct str rest;

	if (name.n <= end.n || !str_ieq(str_skip(name, name.n - end.n), end))
		return false;
	name.n -= end.n;
	while (letters < name.n && scan_is_alnum(name.p[letters]) &&
		!scan_is_digit(name.p[letters]))
		letters++;
	rest = str_skip(name, letters);
	while (digits < rest.n && scan_is_digit(rest.p[digits]))
		digits++;
	if (letters == 0 || letters > SERIES_PREFIX_MAX_BYTES ||
		(digits != DAY_DIGITS && digits != HOUR_DIGITS) ||
		!scan_u64(&rest, HOUR_DIGITS, UINT64_MAX, &when) ||
		!scan_lit(&rest, STR_LIT("-")) ||
		!scan_u64(&rest, NUMBER_DIGITS, NUMBERS_MAX - 1, &number) || rest.n)
		return false;
	*ret_prefix = str_first(name, letters);
	*ret_order = (digits == DAY_DIGITS ? when * 100 : when) * NUMBERS_MAX + number;
	return true;
}

struct walk { /* over a folder */
	DIR *dir;
	struct str prefix; /* the names wanted */
	struct str name_prefix; /* of the current one */
	uint64_t order;
	const char *name;
};

static bool walk_next(struct walk *w)
{
	struct dirent *entry;

	while ((entry = readdir(w->dir)) != NULL) {
		w->name = entry->d_name;
		if (series_name(str_of(w->name), &w->name_prefix, &w->order) &&
			(w->prefix.n == 0 || str_ieq(w->name_prefix, w->prefix)))
			return true;
	}
	return false;
}

struct found {
	char *name; /* owned */
	uint64_t order;
};

static int older_first(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void add(struct rotated *r, const char *folder, const char *name)
{
	struct rotated_file f = {.path = xasprintf("%s/%s", folder, name), .number = -1};
	struct stat st;

	if (stat(f.path, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(f.path);
		return;
	}
	f.mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	f.size = st.st_size;
	f.dev = st.st_dev;
	f.ino = st.st_ino;
	r->files = xrealloc(r->files, (r->n + 1) * sizeof(r->files[0]));
	r->files[r->n++] = f;
}

int series_list(
	const char *folder, const char *prefix, struct rotated *ret, struct mt_error *reterr)
{
	struct walk w = {.dir = opendir(folder), .prefix = str_of(prefix)};
	struct found *all = NULL;
	size_t n = 0, cap = 0, first;

	*ret = (struct rotated){NULL, 0};
	if (!w.dir)
		return mt_error_sys(reterr, errno, "can't list %.150s", folder);
	while (walk_next(&w)) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64;
			all = xrealloc(all, cap * sizeof(all[0]));
		}
		all[n++] = (struct found){xstrdup(w.name), w.order};
	}
	closedir(w.dir);
	if (n)
		qsort(all, n, sizeof(all[0]), older_first);
	first = n > FILES_MAX ? n - FILES_MAX : 0;
	for (size_t i = 0; i < n; i++) {
		if (i >= first)
			add(ret, folder, all[i].name);
		free(all[i].name);
	}
	free(all);
	return 0;
}

bool series_has_newer(const char *path, bool *ret_written)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *folder = slash ? xmemdup(path, (size_t)(slash - path)) : xstrdup(".");
	struct walk w = {.dir = NULL};
	bool newer = false;
	uint64_t order;

	*ret_written = false;
	if (series_name(str_of(base), &w.prefix, &order))
		w.dir = opendir(folder[0] ? folder : "/");
	while (w.dir && walk_next(&w)) {
		struct stat st;

		if (w.order <= order)
			continue;
		newer = true;
		*ret_written |= fstatat(dirfd(w.dir), w.name, &st, 0) == 0 && st.st_size > 0;
	}
	if (w.dir)
		closedir(w.dir);
	free(folder);
	return newer;
}

struct tree { /* a walk over folders */
	int (*each)(void *ctx, const char *folder, struct str prefix);
	void *ctx;
	size_t nfolders;
};

static int walk_tree(struct tree *t, const char *folder, int depth, struct mt_error *reterr);

/* walk_below - the folders in a folder. */
static int walk_below(struct tree *t, DIR *dir, const char *folder, int depth)
{
	struct dirent *entry;
	int rc = 0;

	rewinddir(dir);
	while (rc >= 0 && t->nfolders < FOLDERS_MAX && (entry = readdir(dir)) != NULL) {
		struct stat st;
		char *below;

		if (entry->d_name[0] == '.' ||
			(entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		if (entry->d_type == DT_UNKNOWN &&
			(fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
				!S_ISDIR(st.st_mode)))
			continue;
		below = xasprintf("%s/%s", folder, entry->d_name);
		rc = walk_tree(t, below, depth + 1, NULL);
		free(below);
	}
	return rc;
}

static int walk_tree(struct tree *t, const char *folder, int depth, struct mt_error *reterr)
{
	struct walk w = {.dir = opendir(folder)};
	int rc = 0;

	t->nfolders++;
	if (!w.dir)
		return depth ? 0 : mt_error_sys(reterr, errno, "can't list %.150s", folder);
	while (rc >= 0 && walk_next(&w))
		rc = t->each(t->ctx, folder, w.name_prefix);
	if (rc >= 0 && depth < DEPTH_MAX)
		rc = walk_below(t, w.dir, folder, depth);
	closedir(w.dir);
	return rc < 0 ? rc : 0;
}

int series_each(const char *top, int (*each)(void *ctx, const char *folder, struct str prefix),
	void *ctx, struct mt_error *reterr)
{
	struct tree t = {.each = each, .ctx = ctx};
	size_t n = strlen(top);
	char *folder;
	int rc;

	while (n > 1 && top[n - 1] == '/') /* one name for one folder */
		n--;
	folder = xmemdup(top, n);
	rc = walk_tree(&t, folder, 0, reterr);
	free(folder);
	return rc;
}
