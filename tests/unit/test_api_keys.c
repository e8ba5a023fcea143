/* SPDX-License-Identifier: MIT */
/* test_api_keys - where keys come from, in which order, what is refused with which words; and that none is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backends/keys.h"
#include "backends/registry.h"
#include "store/base/secret.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANARY "CANARYKEY123"

struct fix {
	char dir[64], key[96];
	struct conf_table table;
	struct conf *conf;
};

static void begin(struct fix *f)
{
	const struct backend_ops *family = backend_find("mailgun");

	snprintf(f->dir, sizeof(f->dir), "/tmp/mtatop-keys-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->key, sizeof(f->key), "%s/key", f->dir);
	f->table = (struct conf_table){family->keys, family->nkeys};
	f->conf = conf_new(&f->table, 1);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void end(struct fix *f)
{
	char command[200];

	conf_free(f->conf);
	unlink(f->key);
	snprintf(command, sizeof(command), "%s/mailgun", f->dir);
	unlink(command);
	snprintf(command, sizeof(command), "%s/mailgun-eu", f->dir);
	unlink(command);
	snprintf(command, sizeof(command), "%s/link", f->dir);
	unlink(command);
	assert_int_equal(rmdir(f->dir), 0);
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void set(struct fix *f, const char *section, const char *name, const char *value)
{
	struct mt_error error = {0};

	assert_int_equal(conf_set(f->conf, "mailgun", section, name, value, &error), 0);
}

/* found - the key of a section, NULL and the error. */
static bool found(
	struct fix *f, const char *section, const char *want, char *where, struct mt_error *error)
{
	struct secret *key = NULL;
	int rc = key_find(f->conf, "mailgun", section, &key, where, error);
	bool is = rc == 0 && strcmp(secret_z(key), want) == 0;

	assert_true(rc == 0 || (key == NULL && error->code == MT_ECONFIG));
	assert_null(strstr(error->text, CANARY));
	secret_free(key);
	return is;
}

static void a_file_of_this_user_alone(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0660, 0644, 0620, 0610};
	char where[KEY_ORIGIN_MAX_BYTES], want[200];
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	set(&f, NULL, "key_file", f.key);
	assert_false(found(&f, NULL, CANARY, where, &error));
	assert_non_null(strstr(error.text, "there is no key_file"));
	put(f.key, "  " CANARY "\r\n", 0600);
	error = (struct mt_error){0};
	assert_true(found(&f, NULL, CANARY, where, &error));
	assert_non_null(strstr(where, "key_file /tmp/"));
	assert_int_equal(chmod(f.key, 0400), 0);
	assert_true(found(&f, NULL, CANARY, where, &error));
	snprintf(want, sizeof(want), "others can read the key: run chmod 600 %s", f.key);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		assert_int_equal(chmod(f.key, open_modes[i]), 0);
		assert_false(found(&f, NULL, CANARY, where, &error));
		assert_string_equal(error.text, want);
	}
	end(&f);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const bad[] = {"", "short", CANARY "\n" CANARY, CANARY "\r\nX-Header: y",
		CANARY " x", CANARY "\x1b[m", CANARY "\xc3\xa4"};
	char where[KEY_ORIGIN_MAX_BYTES], link[96], much[SECRET_MAX_BYTES + 100];
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	set(&f, NULL, "key_file", f.key);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(f.key, bad[i], 0600);
		assert_false(found(&f, NULL, CANARY, where, &error));
		assert_non_null(strstr(error.text, "holds no key"));
	}
	memset(much, 'k', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	put(f.key, much, 0600);
	assert_false(found(&f, NULL, CANARY, where, &error));
	snprintf(link, sizeof(link), "%s/link", f.dir);
	put(f.key, CANARY, 0600);
	assert_int_equal(symlink(f.key, link), 0);
	set(&f, NULL, "key_file", link);
	assert_false(found(&f, NULL, CANARY, where, &error));
	assert_non_null(strstr(error.text, "symbolic link"));
	set(&f, NULL, "key_file", f.dir);
	assert_false(found(&f, NULL, CANARY, where, &error));
	end(&f);
}

static void an_instance_has_its_own_or_the_familys(void **state)
{
	char where[KEY_ORIGIN_MAX_BYTES], path[128];
	struct mt_error error = {0};
	struct fix f;

	(void)state;
	begin(&f);
	set(&f, NULL, "key_file", f.key);
	set(&f, "eu", "region", "eu");
	put(f.key, "the-files-key", 0600);
	assert_true(found(&f, "eu", "the-files-key", where, &error));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f.dir, 1), 0);
	snprintf(path, sizeof(path), "%s/mailgun", f.dir);
	put(path, "the-credential\n", 0440); /* what systemd gives; its folder is closed */
	assert_true(found(&f, NULL, "the-credential", where, &error));
	assert_true(found(&f, "eu", "the-credential", where, &error));
	assert_non_null(strstr(where, "systemd credential"));
	snprintf(path, sizeof(path), "%s/mailgun-eu", f.dir);
	put(path, "eus-credential\n", 0440);
	assert_true(found(&f, "eu", "eus-credential", where, &error));
	assert_true(found(&f, NULL, "the-credential", where, &error));
	unsetenv("CREDENTIALS_DIRECTORY");
	end(&f);
}

/* has - do the bytes of a file hold the key? */
static bool has(const char *path)
{
	static char bytes[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(bytes, (size_t)n, CANARY, strlen(CANARY)) != NULL;
}

/* The variables of this process at its start, as setenv(3) can't make them: the test starts itself again. */
static int child(void)
{
	struct conf_table table = {backend_find("mailgun")->keys, backend_find("mailgun")->nkeys};
	struct conf *conf = conf_new(&table, 1);
	struct mt_error error = {0};
	struct secret *key = NULL;
	char where[KEY_ORIGIN_MAX_BYTES];
	bool before = has("/proc/self/environ");
	int rc;

	secret_take_environment();
	rc = key_find(conf, "mailgun", NULL, &key, where, &error);
	if (!before || rc < 0 || strcmp(secret_z(key), CANARY) != 0 || has("/proc/self/environ") ||
		getenv("MTATOP_MAILGUN_KEY") || !getenv("MTATOP_OTHER"))
		return 1;
	secret_free(key);
	rc = key_find(conf, "mailgun", "big-one", &key, where, &error);
	if (rc < 0 || strcmp(secret_z(key), "another-" CANARY) != 0 ||
		strcmp(where, "environment variable MTATOP_MAILGUN_BIG_ONE_KEY") != 0)
		return 2;
	secret_free(key);
	conf_free(conf);
	return 0;
}

static void trap_27_the_environment_is_emptied(void **state)
{
	char *const argv[] = {
		(char *)(uintptr_t) "test_api_keys", (char *)(uintptr_t) "child", NULL};
	char *const env[] = {(char *)(uintptr_t) "MTATOP_MAILGUN_KEY=" CANARY,
		(char *)(uintptr_t) "MTATOP_MAILGUN_BIG_ONE_KEY=another-" CANARY,
		(char *)(uintptr_t) "MTATOP_OTHER=1", NULL};
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		execve("/proc/self/exe", argv, env);
		_exit(9);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void no_child_has_a_key(void **state)
{
	struct secret *key = secret_new(STR_LIT(CANARY));
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(key);
	assert_string_equal(secret_z(key), CANARY);
	pid = fork();
	if (pid == 0) { /* the pages are not there: touching them ends the child */
		struct sigaction plain = {.sa_handler = SIG_DFL};
		volatile char byte;

		sigaction(SIGSEGV, &plain, NULL);
		byte = *secret_z(key);

		_exit(byte == CANARY[0] ? 3 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	secret_free(key);
}

static void texts_that_quote_it_are_scrubbed(void **state)
{
	struct secret *key = secret_new(STR_LIT(CANARY));
	char text[] = "key " CANARY " and " CANARY CANARY ".";

	(void)state;
	secret_scrub(key, text);
	assert_string_equal(text, "key ************ and ************************.");
	secret_scrub(NULL, text);
	secret_free(key);
	assert_null(secret_new(STR_LIT("")));
}

struct names {
	char all[200];
};

static int collect(void *ctx, const struct instance_def *def)
{
	struct names *n = ctx;
	size_t used = strlen(n->all);

	snprintf(n->all + used, sizeof(n->all) - used, "%s=%s ", def->name,
		def->section ? def->section : "-");
	return 0;
}

static void providers_are_the_sections(void **state)
{
	const struct backend_ops *family = backend_find("mailgun");
	struct mt_error error = {0};
	struct names n = {{0}};
	struct fix f;

	(void)state;
	begin(&f);
	assert_int_equal(family->discover(f.conf, collect, &n, &error), 0);
	set(&f, NULL, "key_file", f.key);
	assert_int_equal(family->discover(f.conf, collect, &n, &error), 1);
	assert_string_equal(n.all, "mailgun=- ");
	set(&f, "eu", "region", "eu");
	set(&f, "us", "region", "us");
	assert_int_equal(family->discover(f.conf, collect, &n, &error), 2);
	assert_string_equal(n.all, "mailgun=- eu=eu us=us ");
	end(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_of_this_user_alone),
		cmocka_unit_test(what_is_no_key_is_refused),
		cmocka_unit_test(an_instance_has_its_own_or_the_familys),
		cmocka_unit_test(providers_are_the_sections),
		cmocka_unit_test(trap_27_the_environment_is_emptied),
		cmocka_unit_test(no_child_has_a_key),
		cmocka_unit_test(texts_that_quote_it_are_scrubbed),
	};

	if (argc > 1 && strcmp(argv[1], "child") == 0)
		return child();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
