/*
 * keyed: calls functions whose arguments lead to one number in many ways, all of them the same.
 *
 * keyed [--seconds N]: prints `offset N`, where the number lies in an Order, then `ready`; counts up,
 * about 2 000 times a second, and prints `calls N` in the end.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace venue
{

struct Base {
	uint64_t unused;
	uint32_t base_seq;
};

struct Header {
	uint16_t kind;
	uint32_t seq;
};

typedef const volatile Header header_t;

struct Wide {
	uint64_t words[4];
};

struct Order : Base {
	Header hdr;
	union {
		struct {
			uint64_t raw_seq;
		};
		double price;
	};
	Order *next;
	unsigned flags : 3;
	char symbol[8]; /* the number's bytes */
	char text[16];
	header_t &header;

	explicit Order(header_t &of) : header(of) {}
	__attribute__((noinline)) int run(int bias, uint32_t seq, double weight);
};

int Order::run(int bias, uint32_t seq, double weight)
{
	__asm__ volatile("" ::: "memory");
	return (int)(raw_seq + seq + (uint32_t)bias + (uint64_t)weight);
}

/* its result is written to where a hidden first argument points */
__attribute__((noinline)) Wide widen(const Order &order, double weight, uint64_t seq)
{
	Wide wide = {};

	__asm__ volatile("" ::: "memory");
	wide.words[0] = order.raw_seq + seq + (uint64_t)weight;
	return wide;
}

} // namespace venue

static double now()
{
	timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double end = now() + (argc > 2 && !strcmp(argv[1], "--seconds") ? atof(argv[2]) : 5);
	const timespec pause = { 0, 400000 };
	uint64_t seq = 0, sum = 0;

	{
		venue::Header header = {};
		venue::Order order(header);

		printf("offset %zu\nready\n", (size_t)((uintptr_t)&order.raw_seq - (uintptr_t)&order));
		fflush(stdout);
	}
	while (now() < end) {
		venue::Header header = { 1, (uint32_t)++seq };
		venue::Order order(header), other(header);

		order.next = &other;
		order.base_seq = other.base_seq = order.hdr.seq = other.hdr.seq = (uint32_t)seq;
		order.raw_seq = other.raw_seq = seq;
		memcpy(order.symbol, &seq, sizeof(seq));
		sum += (uint64_t)order.run(3, (uint32_t)seq, 1.5);
		sum += venue::widen(order, 1.5, seq).words[0];
		nanosleep(&pause, nullptr);
	}
	printf("calls %llu %llu\n", (unsigned long long)seq, (unsigned long long)(sum & 1));
	return 0;
}
