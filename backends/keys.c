/* SPDX-License-Identifier: MIT */
/* keys - see keys.h. */
#include "backends/keys.h"

#include "store/base/mem.h"
#include "store/base/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MIN_BYTES 8
#define FILE_MAX_BYTES (SECRET_MAX_BYTES + 64) /* white space around it */
#define NAME_MAX_BYTES 200

const char *key_credentials_folder(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	return folder && folder[0] == '/' ? folder : NULL;
}

static int to_key(
	const char *bytes, size_t n, const char *path, struct secret **ret, struct mt_error *reterr)
{
	struct str key = str_trim(str_make(bytes, n));

	if (key.n < KEY_MIN_BYTES || key.n > SECRET_MAX_BYTES)
		return mt_error_set(reterr, MT_ECONFIG,
			"%.150s holds no key: one line of %d to %d characters", path, KEY_MIN_BYTES,
			SECRET_MAX_BYTES);
	for (size_t i = 0; i < key.n; i++)
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return mt_error_set(reterr, MT_ECONFIG,
				"%.150s holds no key: it must be one line without spaces", path);
	*ret = secret_new(key);
	return *ret ? 0 : mt_error_set(reterr, MT_ENOMEM, "no memory for a key");
}

/* trusted - is what fd is open on this user's own alone? A credential's mode is systemd's affair. */
static int trusted(int fd, const char *path, bool credential, struct mt_error *reterr)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return mt_error_sys(reterr, errno, "can't look at %.150s", path);
	if (!S_ISREG(st.st_mode))
		return mt_error_set(reterr, MT_ECONFIG, "%.150s is no regular file", path);
	if (credential)
		return 0;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return mt_error_set(reterr, MT_ECONFIG,
			"%.100s is another user's: run chown %u %.100s", path, (unsigned)geteuid(),
			path);
	if (st.st_mode & 077)
		return mt_error_set(
			reterr, MT_ECONFIG, "others can read the key: run chmod 600 %.150s", path);
	return 0;
}

static int from_file(
	const char *path, bool credential, struct secret **ret, struct mt_error *reterr)
{
	char bytes[FILE_MAX_BYTES];
	int fd = open(
		path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (credential ? 0 : O_NOFOLLOW));
	ssize_t n;
	int rc;

	if (fd < 0 && errno == ELOOP)
		return mt_error_set(reterr, MT_ECONFIG,
			"%.150s is a symbolic link: name the file itself", path);
	if (fd < 0)
		return mt_error_set(reterr, errno == ENOENT ? MT_ENOENT : MT_ECONFIG,
			"can't read the key in %.150s: %s", path, strerror(errno));
	rc = trusted(fd, path, credential, reterr);
	n = rc < 0 ? 0 : read(fd, bytes, sizeof(bytes));
	if (rc == 0 && n < 0)
		rc = mt_error_sys(reterr, errno, "can't read %.150s", path);
	if (rc == 0)
		rc = to_key(bytes, (size_t)n, path, ret, reterr);
	explicit_bzero(bytes, sizeof(bytes));
	close(fd);
	return rc;
}

static void variable_of(const char *family, const char *section, char *out, size_t max)
{
	int n = snprintf(
		out, max, "MTATOP_%s%s%s_KEY", family, section ? "_" : "", section ? section : "");

	for (int i = 0; i < n && i < (int)max - 1; i++) {
		if (out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
		else if (!scan_is_alnum(out[i]))
			out[i] = '_';
	}
}

static int from_credential(const char *family, const char *section, struct secret **ret,
	char *where, struct mt_error *reterr)
{
	const char *folder = key_credentials_folder();
	char *path;
	int rc;

	if (!folder || (section && strchr(section, '/')))
		return MT_ENOENT;
	path = xasprintf("%s/%s%s%s", folder, family, section ? "-" : "", section ? section : "");
	rc = from_file(path, true, ret, reterr);
	snprintf(where, KEY_ORIGIN_MAX_BYTES, "systemd credential %.150s", path);
	free(path);
	return rc;
}

static int from_environment(const char *family, const char *section, struct secret **ret,
	char *where, struct mt_error *reterr)
{
	char name[NAME_MAX_BYTES];
	struct secret *taken;
	int rc;

	variable_of(family, section, name, sizeof(name));
	taken = secret_of_environment(name);
	if (!taken)
		return MT_ENOENT;
	rc = to_key(secret_z(taken), strlen(secret_z(taken)), name, ret, reterr);
	secret_free(taken);
	snprintf(where, KEY_ORIGIN_MAX_BYTES, "environment variable %s", name);
	return rc;
}

static int from_key_file(
	const char *path, struct secret **ret, char *where, struct mt_error *reterr)
{
	int rc = from_file(path, false, ret, reterr);

	snprintf(where, KEY_ORIGIN_MAX_BYTES, "key_file %.200s", path);
	return rc == MT_ENOENT
		       ? mt_error_set(reterr, MT_ECONFIG, "there is no key_file %.180s", path)
		       : rc;
}

int key_find(const struct conf *conf, const char *family, const char *section, struct secret **ret,
	char *where, struct mt_error *reterr)
{
	const char *path = conf_text(conf, family, section, "key_file");
	char unused[KEY_ORIGIN_MAX_BYTES], name[NAME_MAX_BYTES];
	int rc = MT_ENOENT;

	where = where ? where : unused;
	*ret = NULL;
	if (section)
		rc = from_credential(family, section, ret, where, reterr);
	if (rc == MT_ENOENT && section &&
		strcmp(path, conf_text(conf, family, NULL, "key_file")) != 0)
		return from_key_file(path, ret, where, reterr);
	if (rc == MT_ENOENT && section)
		rc = from_environment(family, section, ret, where, reterr);
	if (rc == MT_ENOENT)
		rc = from_credential(family, NULL, ret, where, reterr);
	if (rc == MT_ENOENT && path[0])
		return from_key_file(path, ret, where, reterr);
	if (rc == MT_ENOENT)
		rc = from_environment(family, NULL, ret, where, reterr);
	if (rc != MT_ENOENT)
		return rc;
	variable_of(family, section, name, sizeof(name));
	return mt_error_set(reterr, MT_ECONFIG,
		"no key: put it into a file (chmod 600) named by key_file of [%s%s%.40s], or into "
		"%s",
		family, section ? " " : "", section ? section : "", name);
}

static int give(const struct conf *conf, const char *family, const char *section,
	provider_found found, void *ctx)
{
	const struct instance_def def = {.family = family,
		.name = section ? section : family,
		.section = section,
		.key_path = conf_text(conf, family, section, "key_file"),
		.ca_path = conf_text(conf, family, section, "ca_file")};

	return found(ctx, &def);
}

static bool has_key(const struct conf *conf, const char *family)
{
	struct mt_error ignored = {0};
	char where[KEY_ORIGIN_MAX_BYTES];
	struct secret *key = NULL;
	int rc = key_find(conf, family, NULL, &key, where, &ignored);

	secret_free(key);
	return rc == 0;
}

int key_providers(const struct conf *conf, const char *family, provider_found found, void *ctx,
	struct mt_error *reterr)
{
	size_t n;
	const char *const *names = conf_instances(conf, family, &n);
	int rc = 0;

	(void)reterr;
	for (size_t i = 0; i < n && rc >= 0; i++)
		rc = give(conf, family, names[i], found, ctx);
	if (rc < 0)
		return rc;
	if (n)
		return (int)n;
	if (!conf_is_set(conf, family, NULL, "key_file") && !has_key(conf, family))
		return 0;
	rc = give(conf, family, NULL, found, ctx);
	return rc < 0 ? rc : 1;
}
