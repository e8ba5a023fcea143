/* SPDX-License-Identifier: MIT */
/*
 * helper_mta - which runs of Exim's and OpenSMTPD's programs the helper starts: each by its exact words; see
 * helper_private.h.
 */
#include "backends/helper_private.h"

#include <string.h>

/* A message id: letters, digits and two dashes; never an option. */
static bool is_id(const char *word)
{
	size_t n = 0, dashes = 0;

	for (; word[n]; n++) {
		bool alnum = (word[n] >= 'a' && word[n] <= 'z') ||
			     (word[n] >= 'A' && word[n] <= 'Z') ||
			     (word[n] >= '0' && word[n] <= '9');

		dashes += word[n] == '-';
		if (!alnum && word[n] != '-')
			return false;
	}
	return n >= 16 && n <= 23 && dashes == 2 && word[0] != '-';
}

static bool is_setting(const char *word)
{
	for (const char *p = word; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
			return false;
	return word[0] != '\0';
}

static bool all(const char *const *words, bool (*ok)(const char *word))
{
	for (size_t i = 0; words[i]; i++)
		if (!ok(words[i]))
			return false;
	return words[0] != NULL;
}

static const struct run_of {
	const char *option;
	bool (*words)(const char *word); /* what each word behind it must be; NULL: there is none */
	bool writes, lasting;
} exim_runs[] = {
	{"-bP", is_setting, false, false},
	{"-bpru", NULL, false, false},
	{"-M", is_id, true, true},
	{"-Mf", is_id, true, false},
	{"-Mg", is_id, true, true},
	{"-Mrm", is_id, true, false},
	{"-Mt", is_id, true, false},
	{"-Mvh", is_id, false, false},
	{"-qf", NULL, true, true},
};

static const struct run_of *exim_run(const char *const *argv)
{
	for (size_t i = 0; argv[1] && i < sizeof(exim_runs) / sizeof(exim_runs[0]); i++)
		if (strcmp(exim_runs[i].option, argv[1]) == 0)
			return &exim_runs[i];
	return NULL;
}

static bool is_exim(const char *base)
{
	return strcmp(base, "exim") == 0 || strcmp(base, "exim4") == 0;
}

/* exim_dumpdb -z SPOOL retry */
static bool allows_dump(const char *const *argv)
{
	return argv[1] && strcmp(argv[1], "-z") == 0 && argv[2] && argv[2][0] == '/' && argv[3] &&
	       strcmp(argv[3], "retry") == 0 && !argv[4];
}

/* A message (8 digits) or an envelope (16). */
static bool is_smtpd_id(const char *word)
{
	size_t n = strspn(word, "0123456789abcdef");

	return word[n] == '\0' && (n == 8 || n == 16);
}

/* smtpctl: its words, the last one perhaps an id. */
static bool allows_smtpctl(const char *const *argv, bool read_write)
{
	static const struct {
		const char *words[3];
		bool id, writes; /* id: one follows */
	} runs[] = {{{"show", "queue", NULL}, false, false},
		{{"show", "stats", NULL}, false, false}, {{"pause", "envelope", NULL}, true, true},
		{{"resume", "envelope", NULL}, true, true}, {{"schedule", NULL, NULL}, true, true},
		{{"schedule", "all", NULL}, false, true}, {{"remove", NULL, NULL}, true, true}};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		size_t n = 0;

		while (runs[i].words[n] && argv[n + 1] &&
			strcmp(runs[i].words[n], argv[n + 1]) == 0)
			n++;
		if (runs[i].words[n] || (runs[i].writes && !read_write))
			continue;
		if (runs[i].id ? argv[n + 1] && is_smtpd_id(argv[n + 1]) && !argv[n + 2]
			       : !argv[n + 1])
			return true;
	}
	return false;
}

bool helper_allows_mta(const char *base, const char *const *argv, bool read_write)
{
	const struct run_of *run;

	if (strcmp(base, "smtpctl") == 0)
		return allows_smtpctl(argv, read_write);
	if (strcmp(base, "exim_dumpdb") == 0)
		return allows_dump(argv);
	run = is_exim(base) ? exim_run(argv) : NULL;
	return run && (read_write || !run->writes) &&
	       (run->words ? all(argv + 2, run->words) : !argv[2]);
}

bool helper_lasting(const char *const *argv)
{
	const char *slash = strrchr(argv[0], '/');
	const struct run_of *run = slash && is_exim(slash + 1) ? exim_run(argv) : NULL;

	return run && run->lasting;
}
