/* SPDX-License-Identifier: MIT */
/* probes - the newest look at each SMTP port: listeners of this machine, targets, relays, busy destinations; above them the
 * verdict on outbound port 25. Enter: the transcript and what to do. */
#include "tui/panes/rawlog.h"
#include "tui/probe_text.h"

#include <inttypes.h>
#include <stdio.h>

#define TAGGED_MAX 64
#define SOON_DAYS 14
#define OLD_MS INT64_C(10800000) /* three times the default interval of hosts elsewhere */

enum col {
	COL_ROLE,
	COL_HOST,
	COL_PORT,
	COL_STATE,
	COL_CONNECT,
	COL_GREETING,
	COL_EHLO,
	COL_TLS_TIME,
	COL_TLS,
	COL_DAYS,
	COL_AUTH,
	COL_AGE,
	COL_DETAIL,
	COL__COUNT
};

static const struct column columns[COL__COUNT] = {
	{"role", 7, ALIGN_LEFT, 2, false,
		"own: a listener of this machine; asked: [probe] targets, or a person; relay: "
		"[probe] "
		"relays; mx: a host most mail goes to; witness: connected only, to compare with "
		"its "
		"port 25"},
	{"host", 0, ALIGN_LEFT, 1, false, "as asked for"},
	{"port", 5, ALIGN_RIGHT, 1, false, "465: TLS from the first byte"},
	{"state", 11, ALIGN_LEFT, 1, false,
		"open: it answers EHLO, and TLS works where offered; refused (RST); rejected "
		"(ICMP); "
		"timed out (no answer to connecting); silent (a step took too long); closed; "
		"turned "
		"away (4xx, 5xx); not SMTP; TLS failed; failed here"},
	{"connect", 8, ALIGN_RIGHT, 2, true, "time to connect, without looking up the name"},
	{"greeting", 8, ALIGN_RIGHT, 1, true, "from connected to the 220"},
	{"EHLO", 8, ALIGN_RIGHT, 4, true, "from EHLO sent to answered"},
	{"TLS in", 8, ALIGN_RIGHT, 3, true, "of the handshake alone"},
	{"TLS", 8, ALIGN_LEFT, 2, false, "version; none: offers none; -: not reached"},
	{"days", 5, ALIGN_RIGHT, 1, false, "until the certificate ends; negative: it has"},
	{"AUTH", 6, ALIGN_LEFT, 5, false,
		"PLAIN: offered before TLS, where passwords can be read; TLS: inside of it only"},
	{"age", 7, ALIGN_RIGHT, 3, true, "since the look"},
	{"what is wrong", 34, ALIGN_LEFT, 6, false, "in the words of the system or the server"},
};

static const enum request requests[] = {REQ_PROBE, REQ_NONE};

struct probes {
	struct rawlog job; /* a look asked for by key */
	struct outbound outbound;
	char note[160];
};

static struct cell cell_us(struct table *t, int64_t us)
{
	struct cell cell;
	struct buf b;

	if (us < 0)
		return (struct cell){.text = STR_LIT("-"), .sort = -1};
	buf_init(&b, 64);
	probe_us(&b, us);
	cell = (struct cell){.text = arena_str(&t->arena, buf_str(&b)), .sort = us};
	buf_done(&b);
	return cell;
}

static struct cell cell_days(struct table *t, const struct view *v, const struct probe_result *r)
{
	char text[32];
	int64_t days;

	if (!probe_cert_days(r, v->now_ms, &days))
		return (struct cell){.text = STR_LIT("-"), .sort = INT64_MAX};
	snprintf(text, sizeof(text), "%" PRId64, days);
	return (struct cell){.text = arena_str(&t->arena, str_of(text)),
		.sort = days,
		.style = days < 0           ? STYLE_BAD
			 : days < SOON_DAYS ? STYLE_WARN
					    : STYLE_NORMAL};
}

static struct cell cell_tls(struct table *t, const struct probe_result *r)
{
	if (str_present(r->tls))
		return cell_text(t, r->tls);
	if ((r->flags & PROBE_F_EHLO) && !(r->flags & PROBE_F_STARTTLS))
		return cell_words("none");
	return cell_words("-");
}

static const char *auth_words(const struct probe_result *r)
{
	if (r->flags & PROBE_F_AUTH)
		return "PLAIN";
	if (r->flags & PROBE_F_AUTH_TLS)
		return "TLS";
	return r->flags & (PROBE_F_EHLO | PROBE_F_EHLO_TLS) ? "no" : "-";
}

static enum style style_of(const struct probe_result *r)
{
	if (r->flags & PROBE_F_RELAY_OPEN)
		return STYLE_BAD;
	if (r->role == PROBE_WITNESS)
		return STYLE_DIM;
	if (!probe_up(r))
		return r->role == PROBE_MX ? STYLE_WARN : STYLE_BAD;
	return STYLE_NORMAL;
}

/* place: in the order the cache gives, own ones first. */
static void fill(struct table *t, const struct view *v, const struct probe_result *r, int64_t place)
{
	struct cell *c = cells_row(t, COL__COUNT, probe_row_id(r), style_of(r), r);
	char port[16];

	if (!c)
		return;
	c[COL_ROLE] = cell_words(probe_role_word(r->role));
	c[COL_ROLE].sort = place;
	c[COL_ROLE].text_sort = false;
	c[COL_HOST] = cell_text(t, r->host);
	snprintf(port, sizeof(port), "%d", r->port);
	c[COL_PORT] = (struct cell){.text = arena_str(&t->arena, str_of(port)), .sort = r->port};
	c[COL_STATE] = cell_words(r->flags & PROBE_F_RELAY_OPEN ? "relays!"
				  : r->role == PROBE_WITNESS && probe_up(r)
					  ? "connects"
					  : probe_outcome_word(r->outcome));
	c[COL_CONNECT] = cell_us(t, r->took_us[PROBE_STEP_CONNECT]);
	c[COL_GREETING] = cell_us(t, r->took_us[PROBE_STEP_GREETING]);
	c[COL_EHLO] =
		cell_us(t, r->took_us[PROBE_STEP_EHLO] >= 0 ? r->took_us[PROBE_STEP_EHLO]
							    : r->took_us[PROBE_STEP_EHLO_TLS]);
	c[COL_TLS_TIME] = cell_us(t, r->took_us[PROBE_STEP_TLS]);
	c[COL_TLS] = cell_tls(t, r);
	c[COL_DAYS] = cell_days(t, v, r);
	c[COL_AUTH] = cell_words(auth_words(r));
	if ((r->flags & PROBE_F_AUTH) && r->role == PROBE_OWN)
		c[COL_AUTH].style = STYLE_WARN;
	c[COL_AGE] = cell_age(t, v->now_ms - r->t_ms);
	c[COL_DETAIL] = r->flags & PROBE_F_RELAY_OPEN ? cell_words("OPEN RELAY")
			: str_present(r->detail)      ? cell_text(t, r->detail)
						      : cell_words("");
}

static bool passes(const struct view *v, const struct probe_result *r)
{
	struct str needle = v->query.text;
	bool has =
		str_find(r->host, needle) < r->host.n || str_find(r->detail, needle) < r->detail.n;

	return needle.n == 0 || has != v->query.text_invert;
}

static int refresh(void *state, struct reader *r, const struct view *v, struct table *t,
	struct mt_error *reterr)
{
	struct probes *s = state;
	struct probe_result *rows;
	size_t n = 0;
	int rc = read_probes(r, &t->arena, &rows, &n, reterr);

	if (rc == 0)
		rc = cells_begin(t, n);
	if (rc < 0)
		return rc;
	outbound_judge(rows, n, &s->outbound);
	for (size_t i = 0; i < n; i++)
		if (passes(v, &rows[i]))
			fill(t, v, &rows[i], (int64_t)i);
	t->total = (int64_t)t->nrows;
	cells_empty(
		t, v, "no port was probed; P probes listeners of this machine and [probe] targets");
	return 0;
}

static bool lines(struct buf *out, const struct probes *s, const struct view *v)
{
	const struct outbound *o = &s->outbound;
	const char *advice = outbound_advice(o->verdict);
	bool bad = o->verdict != OUTBOUND_OPEN && o->verdict != OUTBOUND_UNKNOWN;

	(void)buf_add_z(out, "outbound 25: ");
	outbound_say(o, out);
	if (o->tried == 0) {
		(void)buf_add_z(out, ": no server elsewhere was probed on port 25");
		return false;
	}
	(void)buf_printf(out, " (%" PRId64 " of %" PRId64 " answer", o->open, o->tried);
	if (v->now_ms - o->oldest_ms > OLD_MS) {
		(void)buf_add_z(out, ", looked at ");
		timefmt_age(out, v->now_ms - o->oldest_ms);
		(void)buf_add_z(out, " ago");
	}
	(void)buf_add_z(out, ")");
	if (advice)
		(void)buf_printf(out, ". %s", advice);
	return bad;
}

static int draw(const void *state, const struct view *v, const struct table *t, struct canvas *c,
	struct rect area)
{
	const struct probes *s = state;
	struct buf b;
	bool bad;

	(void)t;
	buf_init(&b, 1024);
	bad = lines(&b, s, v);
	canvas_text(c, area.x + 1, area.y, area.w - 1, bad ? STYLE_BAD : STYLE_TITLE, buf_str(&b));
	buf_done(&b);
	if (!s->note[0])
		return 1;
	canvas_text(c, area.x + 1, area.y + 1, area.w - 1, STYLE_DIM, str_of(s->note));
	return 2;
}

static void ask(struct probes *s, const struct view *v, const struct row *selected,
	const struct row *const *tagged, size_t ntagged)
{
	struct job_id ids[TAGGED_MAX];
	struct job_request request = {.kind = JOB_PROBE, .ids = ids};
	const struct row *one[] = {selected};

	if (ntagged == 0 && selected) {
		tagged = one;
		ntagged = 1;
	}
	for (size_t i = 0; i < ntagged && request.nids < TAGGED_MAX; i++) {
		const struct probe_result *r = tagged[i]->ref;

		ids[request.nids++] = (struct job_id){.qid = r->host,
			.sender = str_of(probe_role_word(r->role)),
			.arrival_ms = r->port};
	}
	rawlog_ask(&s->job, v, &request);
	snprintf(s->note, sizeof(s->note),
		request.nids ? "probing %zu now ..."
			     : "probing listeners of this machine and [probe] targets ...",
		request.nids);
}

static unsigned request(void *state, enum request req, const struct view *v,
	const struct row *selected, const struct row *const *tagged, size_t ntagged,
	struct pane_target *ret)
{
	struct probes *s = state;

	(void)ret;
	if (req != REQ_PROBE)
		return REQRES_NONE;
	if (!v->services)
		snprintf(s->note, sizeof(s->note), "nothing can be probed from here");
	else if (!rawlog_running(&s->job))
		ask(s, v, selected, tagged, ntagged);
	return REQRES_HANDLED | REQRES_REFRESH;
}

static bool tick(void *state, const struct view *v)
{
	struct probes *s = state;
	const char *why;
	size_t n;

	(void)v;
	if (!rawlog_tick(&s->job))
		return false;
	(void)rawlog_result(&s->job, &n, &why);
	snprintf(s->note, sizeof(s->note), "%.150s",
		rawlog_failed(&s->job) ? rawlog_failed(&s->job)
		: why                  ? why
				       : rawlog_summary(&s->job));
	return true;
}

static void close_pane(void *state)
{
	struct probes *s = state;

	rawlog_done(&s->job);
}

static bool enter(
	void *state, const struct view *v, const struct row *selected, struct pane_target *ret)
{
	const struct probe_result *r = selected->ref;

	(void)state;
	(void)v;
	ret->pane = "probe";
	ret->object = (int64_t)probe_row_id(r);
	ret->query.port = 0;
	target_label(ret, "%.*s:%d", STR_ARG(str_first(r->host, 60)), r->port);
	return true;
}

const struct pane_ops pane_probes = {
	.name = "probes",
	.title = "Probes",
	.help = "The newest look at each SMTP port: connect, greeting, EHLO, STARTTLS, EHLO, QUIT; "
		"never a message. Listeners of this machine, [probe] targets and relays are "
		"probed every 5 minutes, hosts that most mail goes to every hour (section [probe] "
		"of "
		"mtatop.conf). P probes those under the cursor or tagged now.\n"
		"Outbound 25 says whether this machine can send: open (one server answers "
		"on 25); refused; blocked (two unrelated servers or more time out on 25, none "
		"connects, another port does; one alone may be down: can't tell); throttled; "
		"intercepted (another than "
		"the "
		"host asked for answers). Enter has the transcript and what to do.",
	.columns = columns,
	.ncolumns = COL__COUNT,
	.default_sort = COL_ROLE,
	.requests = requests,
	.state_bytes = sizeof(struct probes),
	.refresh = refresh,
	.draw = draw,
	.request = request,
	.enter = enter,
	.tick = tick,
	.close = close_pane,
};
