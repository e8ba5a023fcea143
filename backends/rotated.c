/* SPDX-License-Identifier: MIT */
/* rotated - see rotated.h. Order is by modification time (a rename and gzip keep it), then by number. */
#include "backends/rotated.h"

#include "backends/logfile.h"
#include "store/base/mem.h"
#include "store/base/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIBLINGS_MAX 4096 /* years of daily rotation; more are not looked at */

static struct str without_compression(struct str name)
{
	static const struct str ends[] = {STR_INIT(".gz"), STR_INIT(".bz2"), STR_INIT(".xz"),
		STR_INIT(".zst"), STR_INIT(".Z"), STR_INIT(".lz4"), STR_INIT(".lzma")};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (str_ends(name, ends[i]))
			return str_first(name, name.n - ends[i].n);
	return name;
}

/* is_suffix - ".1", "-20261125", ".20261125-130500", "-20261125T1305" */
static bool is_suffix(struct str s)
{
	if (s.n < 2 || (s.p[0] != '.' && s.p[0] != '-'))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!scan_is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != 'T')
			return false;
	return true;
}

bool rotated_is_sibling(const char *base, const char *name)
{
	struct str rest = without_compression(str_of(name));
	struct str whole = str_of(base);
	size_t dot = str_rfind_char(whole, '.');
	struct str end = str_skip(whole, dot);

	if (str_eq(rest, whole))
		return strlen(name) > whole.n; /* base.gz */
	if (str_starts(rest, whole))
		return is_suffix(str_skip(rest, whole.n));
	/* logrotate's `extension .log`: mail-20261125.log, mail.1.log */
	return dot > 0 && end.n && rest.n > whole.n && str_starts(rest, str_first(whole, dot)) &&
	       str_ends(rest, end) && is_suffix(str_skip(str_first(rest, rest.n - end.n), dot));
}

static int number_of(const char *base, const char *name)
{
	struct str rest = without_compression(str_of(name));
	uint64_t n;

	if (!str_starts(rest, str_of(base)))
		return -1;
	rest = str_skip(rest, strlen(base) + 1);

	return scan_all_u64(rest, SIBLINGS_MAX, &n) ? (int)n : -1;
}

static void add(struct rotated *r, const char *folder, const char *base, const char *name)
{
	struct rotated_file f = {.path = xasprintf("%s/%s", folder, name)};
	struct stat st;

	if (r->n == SIBLINGS_MAX || stat(f.path, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(f.path);
		return;
	}
	f.mtime_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	f.size = st.st_size;
	f.dev = st.st_dev;
	f.ino = st.st_ino;
	f.compressed = logfile_compressed(name);
	f.number = number_of(base, name);
	r->files = xrealloc(r->files, (r->n + 1) * sizeof(r->files[0]));
	r->files[r->n++] = f;
}

static int older_first(const void *a, const void *b)
{
	const struct rotated_file *x = a, *y = b;

	if (x->mtime_ms != y->mtime_ms)
		return x->mtime_ms < y->mtime_ms ? -1 : 1;
	if (x->number != y->number)
		return x->number > y->number ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* drop_twins - of "x" and "x.gz" keep "x". */
static void drop_twins(struct rotated *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct str plain = without_compression(str_of(r->files[i].path));
		bool twin = false;

		for (size_t j = 0; j < r->n && r->files[i].compressed; j++)
			twin |= j != i && r->files[j].path &&
				str_eq(str_of(r->files[j].path), plain);
		if (twin) {
			free(r->files[i].path);
			r->files[i].path = NULL;
		}
	}
	for (size_t i = 0; i < r->n; i++)
		if (r->files[i].path)
			r->files[kept++] = r->files[i];
	r->n = kept;
}

int rotated_list(const char *path, struct rotated *ret, struct mt_error *reterr)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char *folder =
		slash ? xmemdup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int rc = 0;

	*ret = (struct rotated){NULL, 0};
	if (!dir && errno != ENOENT)
		rc = mt_error_sys(reterr, errno, "can't list %.150s", folder);
	while (dir && (entry = readdir(dir)) != NULL)
		if (rotated_is_sibling(base, entry->d_name))
			add(ret, folder, base, entry->d_name);
	if (dir)
		closedir(dir);
	free(folder);
	if (ret->n) {
		drop_twins(ret);
		qsort(ret->files, ret->n, sizeof(ret->files[0]), older_first);
	}
	return rc;
}

void rotated_done(struct rotated *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->files[i].path);
	free(r->files);
	*r = (struct rotated){NULL, 0};
}
