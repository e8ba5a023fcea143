/* SPDX-License-Identifier: MIT */
/* varint - LEB128 as packed rows use it: seven bits a byte, the lowest first. */
#ifndef MT_STORE_VARINT_H
#define MT_STORE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#define VARINT_MAX_BYTES 10

/* varint_get - read one at *p and move behind it; false when it does not end before end or in 64 bits. */
static inline bool varint_get(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
		unsigned char byte = *(*p)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* varint_put - write one at to (VARINT_MAX_BYTES of room); returns the position behind it. */
static inline unsigned char *varint_put(unsigned char *to, uint64_t value)
{
	while (value >= 0x80) {
		*to++ = (unsigned char)(value | 0x80);
		value >>= 7;
	}
	*to++ = (unsigned char)value;
	return to;
}

/* zigzag, unzigzag - signed numbers so that small ones of either sign are short. */
static inline uint64_t zigzag(int64_t n)
{
	return (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
}

static inline int64_t unzigzag(uint64_t n)
{
	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

#endif
