/* SPDX-License-Identifier: MIT */
/*
 * parse_fuzz - any bytes as the log of a family (FAMILY, Postfix's unless given): never past the end, the same events however the bytes are cut, and
 * each event's JSON without a control byte.
 */
#include "backends/registry.h"
#include "backends/replay.h"
#include "store/base/mem.h"
#include "tests/fuzz/fuzz.h"

#ifndef FAMILY
#define FAMILY "postfix"
#endif

#define NOW_UTC_MS INT64_C(1795435200000) /* 2026-11-23 12:00 */
#define OUT_MAX_BYTES (64u << 20)

struct pass { /* kept between inputs for its memory */
	struct buf json;
	size_t base, all_bytes; /* of the piece, of the input */
	uint64_t newest_offset;
};

static int emit(void *ctx, const struct event *e)
{
	struct pass *p = ctx;
	uint64_t offset = p->base + e->line_offset;

	FUZZ_CHECK(offset < p->all_bytes && offset >= p->newest_offset);
	FUZZ_CHECK(e->kind < EVENT__COUNT && e->status < STATUS__COUNT && e->stage < STAGE__COUNT);
	for (int part = 0; part < DELAY__COUNT; part++)
		FUZZ_CHECK(e->delay_cs[part] >= EVENT_UNKNOWN && e->delay_cs[part] <= DELAY_MAX_CS);
	p->newest_offset = offset;
	return replay_event(&p->json, (int64_t)offset, e);
}

static void parse(
	const struct backend_ops *family, void *state, struct str all, size_t cut, struct pass *p)
{
	struct parse_options options = {.now_utc_ms = NOW_UTC_MS};
	struct event_sink sink = {emit, p};
	size_t consumed = 0;

	p->all_bytes = all.n;
	p->base = p->newest_offset = 0;
	buf_clear(&p->json);
	family->parse_init(state, &options);
	FUZZ_CHECK(family->parse(state, str_first(all, cut), false, &sink, &consumed) == 0);
	FUZZ_CHECK(consumed <= cut);
	p->base = consumed;
	FUZZ_CHECK(family->parse(state, str_skip(all, p->base), true, &sink, &consumed) == 0);
	FUZZ_CHECK(p->base + consumed == all.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pass whole, cut;
	static void *state;
	const struct backend_ops *family = backend_find(FAMILY);
	struct str all = {(const char *)data, size};

	if (!state) {
		state = xcalloc(1, family->parse_state_bytes);
		buf_init(&whole.json, OUT_MAX_BYTES);
		buf_init(&cut.json, OUT_MAX_BYTES);
	}
	parse(family, state, all, 0, &whole);
	for (size_t i = 0; i < whole.json.n; i++)
		FUZZ_CHECK((unsigned char)whole.json.p[i] >= ' ' || whole.json.p[i] == '\n');
	parse(family, state, all, size ? (size_t)data[0] * size / 256 : 0, &cut);
	FUZZ_CHECK(str_eq(buf_str(&whole.json), buf_str(&cut.json)));
	return 0;
}
