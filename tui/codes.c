/* SPDX-License-Identifier: MIT */
/* codes - the built-in tables and the order in which they are asked; see codes.h. Pure. */
#include "tui/codes.h"

#include "tui/codes_priv.h"

#define DSN_FIRST 1000000
#define KEY_CLASS 1000000
#define KEY_SUBJECT 1000
#define BASIC_CLASS 100

enum provider_id {
#define PROVIDER(id, name, suffixes) PROVIDER_##id,
#define AT(...)
#include "assets/code_overlays.def"
#undef PROVIDER
#undef AT
	PROVIDER__COUNT
};

static const struct {
	const char *name, *suffixes;
} providers[PROVIDER__COUNT] = {
#define PROVIDER(id, name, suffixes) [PROVIDER_##id] = {name, suffixes},
#define AT(...)
#include "assets/code_overlays.def"
#undef PROVIDER
#undef AT
};

static const struct overlay {
	enum provider_id provider;
	int class_digit, subject, detail;
	const char *needle;
	enum code_side side;
	const char *meaning, *todo;
} overlays[] = {
#define PROVIDER(...)
#define AT(id, cls, subject, detail, needle, side, meaning, todo)                                  \
	{PROVIDER_##id, cls, subject, detail, needle, SIDE_##side, meaning, todo},
#include "assets/code_overlays.def"
#undef PROVIDER
#undef AT
};

static const struct registered {
	int class_digit, subject, detail;
	enum code_side side;
	const char *meaning, *todo;
} registry[] = {
#define TEXT(...)
#define BASIC(...)
#define CODE(cls, subject, detail, side, meaning, todo)                                            \
	{cls, subject, detail, SIDE_##side, meaning, todo},
#include "assets/codes.def"
#undef TEXT
#undef CODE
#undef BASIC
};

static const struct basic {
	int code;
	enum code_side side;
	const char *meaning, *todo;
} basics[] = {
#define TEXT(...)
#define CODE(...)
#define BASIC(code, side, meaning, todo) {code, SIDE_##side, meaning, todo},
#include "assets/codes.def"
#undef TEXT
#undef CODE
#undef BASIC
};

static const struct words {
	const char *needle;
	enum code_side side;
	const char *meaning, *todo;
} words[] = {
#define CODE(...)
#define BASIC(...)
#define TEXT(needle, side, meaning, todo) {needle, SIDE_##side, meaning, todo},
#include "assets/codes.def"
#undef TEXT
#undef CODE
#undef BASIC
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool codes_has(struct str hay, struct str needle)
{
	for (size_t i = 0; needle.n > 0 && i + needle.n <= hay.n; i++)
		if (str_ieq(str_make(hay.p + i, needle.n), needle))
			return true;
	return needle.n == 0;
}

bool codes_host_ends(struct str host, struct str suffix)
{
	host = str_first(host, str_find_char(host, '['));
	if (host.n + 1 == suffix.n) /* the suffix itself, without its dot */
		return str_ieq(host, str_skip(suffix, 1));
	return host.n >= suffix.n && str_ieq(str_skip(host, host.n - suffix.n), suffix);
}

/* The host that answered: of relay=, else of "host NAME[ip] said: ..." in the reply. */
static struct str host_of(struct str relay, struct str reply)
{
	if (relay.n > 0 && str_find_char(relay, '.') < relay.n)
		return str_first(relay, str_find_char(relay, '['));
	if (!str_starts(reply, STR_LIT("host ")))
		return (struct str){NULL, 0};
	reply = str_skip(reply, 5);
	return str_first(reply, str_find_char(reply, '['));
}

static int provider_of(struct str host)
{
	for (int i = 0; i < PROVIDER__COUNT && host.n > 0; i++) {
		for (struct str rest = str_of(providers[i].suffixes); rest.n > 0;) {
			struct str suffix = str_first(rest, str_find_char(rest, ' '));

			if (codes_host_ends(host, suffix))
				return i;
			rest = str_skip(rest, suffix.n + 1);
		}
	}
	return PROVIDER__COUNT;
}

int codes_provider_id(struct str host)
{
	int id = provider_of(host_of(host, (struct str){NULL, 0}));

	return id < PROVIDER__COUNT ? id + 1 : 0;
}

const char *codes_provider_name(int id)
{
	return id > 0 && id <= PROVIDER__COUNT ? providers[id - 1].name : "";
}

const char *codes_provider(struct str host)
{
	return codes_provider_name(codes_provider_id(host));
}

static bool class_fits(int want, int64_t key)
{
	int64_t digit = key >= DSN_FIRST ? key / KEY_CLASS : key / BASIC_CLASS;

	return want == 0 || digit == want;
}

static bool by_provider(int provider, int64_t key, struct str reply, struct code_info *out)
{
	int64_t subject = key >= DSN_FIRST ? key / KEY_SUBJECT % KEY_SUBJECT : -1,
		detail = key % KEY_SUBJECT;

	for (size_t i = 0; i < COUNT(overlays) && provider < PROVIDER__COUNT; i++) {
		const struct overlay *o = &overlays[i];
		bool any_code = o->subject == 0 && o->detail == 0;

		if ((int)o->provider != provider || !class_fits(o->class_digit, key) ||
			(!any_code && (o->subject != subject || o->detail != detail)) ||
			!codes_has(reply, str_of(o->needle)))
			continue;
		*out = (struct code_info){CODE_PROVIDER, o->side, o->meaning, o->todo, NULL};
		return true;
	}
	return false;
}

static bool by_words(struct str reply, struct code_info *out)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!codes_has(reply, str_of(words[i].needle)))
			continue;
		*out = (struct code_info){
			CODE_WORDS, words[i].side, words[i].meaning, words[i].todo, NULL};
		return true;
	}
	return false;
}

static bool by_registry(int64_t key, struct code_info *out)
{
	for (size_t i = 0; i < COUNT(registry) && key >= DSN_FIRST; i++) {
		const struct registered *c = &registry[i];

		if (c->subject != key / KEY_SUBJECT % KEY_SUBJECT ||
			c->detail != key % KEY_SUBJECT || !class_fits(c->class_digit, key))
			continue;
		*out = (struct code_info){CODE_REGISTRY, c->side, c->meaning, c->todo, NULL};
		return true;
	}
	return false;
}

/* A detail nobody has registered: its subject still says whose side it is on. */
static bool by_subject(int64_t key, struct code_info *out)
{
	if (key < DSN_FIRST || !by_registry(key - key % KEY_SUBJECT, out))
		return false;
	out->source = CODE_NOWHERE;
	out->meaning = "a code of their own, not in the registry";
	out->todo = "read the reply";
	return true;
}

static bool by_basic(int64_t key, struct code_info *out)
{
	for (size_t i = 0; i < COUNT(basics) && key < DSN_FIRST; i++) {
		if (basics[i].code != key)
			continue;
		*out = (struct code_info){
			CODE_BASIC, basics[i].side, basics[i].meaning, basics[i].todo, NULL};
		return true;
	}
	return false;
}

static void nothing_known(int64_t key, struct code_info *out)
{
	*out = (struct code_info){.meaning = key == 0             ? "no code in the log"
					     : class_fits(2, key) ? "accepted"
					     : class_fits(4, key) ? "refused for now"
					     : class_fits(5, key) ? "refused for good"
								  : "not a code of SMTP",
		.todo = class_fits(2, key) ? "" : "read the reply"};
}

struct code_info codes_lookup(
	const struct codes *own, int64_t key, struct str relay, struct str reply)
{
	struct str host = host_of(relay, reply);
	int provider = provider_of(host);
	const char *name = provider < PROVIDER__COUNT ? providers[provider].name : "";
	struct code_info info = {0};
	bool accepted = key > 0 && class_fits(2, key);

	if (!codes_own(own, key, host, name, reply, &info) &&
		(accepted || (!by_provider(provider, key, reply, &info) &&
				     !by_words(reply, &info) && !by_registry(key, &info) &&
				     !by_basic(key, &info) && !by_subject(key, &info))))
		nothing_known(key, &info);
	info.provider = name;
	return info;
}

const char *code_side_word(enum code_side side)
{
	static const char *const sides[SIDE__COUNT] = {
#define SIDE_WORD(id, word) [SIDE_##id] = word,
		SIDE_LIST(SIDE_WORD)
#undef SIDE_WORD
	};

	return sides[side];
}

const char *code_source_word(enum code_source source)
{
	static const char *const sources[] = {"no rule", "your codes.conf", "the provider's list",
		"the reply's words", "the IANA registry", "the basic code"};

	return sources[source];
}

const char *code_action(enum event_status status)
{
	if (status == STATUS_DEFERRED)
		return "will retry";
	if (status == STATUS_BOUNCED || status == STATUS_EXPIRED)
		return "gave up";
	return status == STATUS_SENT ? "accepted by the next server" : "";
}
