/* SPDX-License-Identifier: MIT */
/* keys_fuzz - any text as a key's name, any number as a key: a name leads to one key and back, a key to one request. */
#include "store/base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tui/keys.h"

#include <string.h>

static void check_key(int32_t key)
{
	enum request req = key_request(key);
	char name[KEY_NAME_MAX_BYTES];

	FUZZ_CHECK((int)req >= REQ_NONE && req < REQ__COUNT);
	keycode_name(key, name);
	FUZZ_CHECK(name[0] && strnlen(name, sizeof(name)) < sizeof(name));
	for (const char *p = name; *p; p++)
		FUZZ_CHECK(*p > ' ' && *p < 0x7f);
	if (req != REQ_NONE &&
		strcmp(name, "?") != 0) /* what does something has a name that leads back */
		FUZZ_CHECK(key_by_name(str_of(name)) == key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int32_t key = key_by_name(str_make((const char *)data, size));

	FUZZ_CHECK(key >= KEYCODE_NONE && key <= KEYCODE_WHEEL_DOWN);
	check_key(key);
	if (size >= sizeof(key)) {
		memcpy(&key, data, sizeof(key));
		check_key(key);
		check_key(KEYCODE_SPECIAL + (key & 0x3f));
		check_key(key & 0x7f);
	}
	return 0;
}
