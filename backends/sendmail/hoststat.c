/* SPDX-License-Identifier: MIT */
/* sendmail/hoststat - see hoststat.h. */
#include "backends/sendmail/hoststat.h"

#include "backends/sendmail/file.h"
#include "store/base/scan.h"
#include "store/event.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX_BYTES 4096
#define DEPTH_MAX 32 /* labels of a name */
#define HOSTS_MAX 20000 /* looked at: a listing of the queue is not to wait for more */

bool sendmail_host_parse(struct str bytes, struct sendmail_host *ret)
{
	bool version = false, ended = false;

	*ret = (struct sendmail_host){.updated_ms = EVENT_UNKNOWN};
	while (bytes.n && !ended) {
		struct str line = str_first(bytes, str_find_char(bytes, '\n'));
		struct str value = str_skip(line, 1);
		int64_t n;

		bytes = str_skip(bytes, line.n + 1);
		if (line.n == 0)
			continue;
		switch (line.p[0]) {
		case 'V':
			version = true;
			break;
		case 'E':
			if (scan_i64(&value, 10, INT32_MIN, INT32_MAX, &n))
				ret->exit_status = n;
			break;
		case 'S':
			ret->text = value;
			break;
		case 'U':
			if (scan_i64(&value, 12, 0, INT64_C(253402300799), &n))
				ret->updated_ms = n * 1000;
			break;
		case '.':
			ended = true;
			break;
		default: /* R, the reply code */
			break;
		}
	}
	return version && ended;
}

struct walk {
	DIR *open[DEPTH_MAX];
	int depth;
	size_t hosts, failing;
	struct buf text;
};

static void look_at(struct walk *w, const char *name)
{
	struct sendmail_host host;

	if (sendmail_file_read(dirfd(w->open[w->depth - 1]), name, &w->text, NULL) < 0 ||
		!sendmail_host_parse(buf_str(&w->text), &host))
		return;
	w->hosts++;
	w->failing += host.exit_status != 0;
}

/* A label of which others hang ends in a dot. */
static void enter(struct walk *w, const char *name)
{
	int fd;

	if (w->depth == DEPTH_MAX)
		return;
	fd = openat(dirfd(w->open[w->depth - 1]), name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	w->open[w->depth] = fd >= 0 ? fdopendir(fd) : NULL;
	if (w->open[w->depth])
		w->depth++;
	else if (fd >= 0)
		close(fd);
}

void sendmail_hoststat_describe(const char *folder, struct buf *out)
{
	struct walk w = {.open = {folder[0] ? opendir(folder) : NULL}};
	size_t seen = 0;

	if (!w.open[0])
		return;
	w.depth = 1;
	buf_init(&w.text, FILE_MAX_BYTES);
	while (w.depth > 0) {
		const struct dirent *entry = seen < HOSTS_MAX ? readdir(w.open[w.depth - 1]) : NULL;
		struct str name = entry ? str_of(entry->d_name) : (struct str){NULL, 0};

		if (!entry) {
			closedir(w.open[--w.depth]);
			continue;
		}
		if (name.p[0] == '.')
			continue;
		seen++;
		if (name.p[name.n - 1] == '.')
			enter(&w, entry->d_name);
		else
			look_at(&w, entry->d_name);
	}
	buf_done(&w.text);
	(void)buf_printf(out, "; hoststat: %zu%s hosts, %zu failing at the last connection",
		w.hosts, seen == HOSTS_MAX ? "+" : "", w.failing);
}
