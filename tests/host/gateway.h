#ifndef TESTS_HOST_GATEWAY_H
#define TESTS_HOST_GATEWAY_H

#include <stdint.h>

/*
 * What the servers in other languages (cpp_server, rust_server) answer and gateway_client asks:
 * records of 16 bytes, little-endian, one reply a request in the same order.
 */
enum gateway_kind {
	GATEWAY_REQUEST = 'R',	 /* reply: gateway_answer(value) */
	GATEWAY_HEARTBEAT = 'H', /* reply: the value */
	GATEWAY_MALFORMED = 'M', /* reply of kind M, value 0, to any other kind */
};

struct gateway_record {
	uint32_t id;
	uint8_t kind;
	uint8_t zero[3];
	int64_t value;
} __attribute__((packed));

static inline int64_t gateway_answer(int64_t value)
{
	return value * 3 + 1;
}

#endif
