/*
 * The trading host's own stamps in, two tables in one TSV file out: packets and acks.
 *
 * Each line begins with its kind and each kind has a head line with a '#' before it, so that
 * `grep ^packet` is a table. 0 in a time column: that did not happen, as in risk and order of a
 * packet that caused none.
 */
#include "tests/host/trader.h"

#include <inttypes.h>

#define AT(field) offsetof(struct packet_truth, field)

static const struct column {
	const char *name;
	size_t offset;
} packet_columns[] = {
	{ "first_seq", AT(first_seq) },
	{ "nr_messages", AT(nr_messages) },
	{ "recv_return_ns", AT(recv_return_ns) },
	{ "decode_begin_ns", AT(decode.begin_ns) },
	{ "decode_end_ns", AT(decode.end_ns) },
	{ "decode_last_begin_ns", AT(decode.last_begin_ns) },
	{ "decode_last_end_ns", AT(decode.last_end_ns) },
	{ "decode_sum_ns", AT(decode.sum_ns) },
	{ "book_begin_ns", AT(book.begin_ns) },
	{ "book_end_ns", AT(book.end_ns) },
	{ "book_last_begin_ns", AT(book.last_begin_ns) },
	{ "book_last_end_ns", AT(book.last_end_ns) },
	{ "book_sum_ns", AT(book.sum_ns) },
	{ "strategy_begin_ns", AT(strategy.begin_ns) },
	{ "strategy_end_ns", AT(strategy.end_ns) },
	{ "strategy_last_begin_ns", AT(strategy.last_begin_ns) },
	{ "strategy_last_end_ns", AT(strategy.last_end_ns) },
	{ "strategy_sum_ns", AT(strategy.sum_ns) },
	{ "risk_begin_ns", AT(risk.begin_ns) },
	{ "risk_end_ns", AT(risk.end_ns) },
	{ "order_begin_ns", AT(order.begin_ns) },
	{ "order_end_ns", AT(order.end_ns) },
	{ "order_send_begin_ns", AT(order_send_begin_ns) },
	{ "order_send_end_ns", AT(order_send_end_ns) },
	{ "decode_tid", AT(decode.tid) },
	{ "book_tid", AT(book.tid) },
	{ "strategy_tid", AT(strategy.tid) },
	{ "risk_tid", AT(risk.tid) },
	{ "order_tid", AT(order.tid) },
};

#define NR_COLUMNS (sizeof(packet_columns) / sizeof(packet_columns[0]))

static void write_packet(FILE *file, const void *row)
{
	fputs("packet", file);
	for (size_t i = 0; i < NR_COLUMNS; i++)
		fprintf(file, "\t%" PRIu64,
			*(const uint64_t *)((const char *)row + packet_columns[i].offset));
	fputc('\n', file);
}

static void write_ack(FILE *file, const struct ack_truth *ack)
{
	fprintf(file, "ack\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", ack->seq,
		ack->client_id, ack->recv_return_ns, ack->tid);
}

int trader_write_truth(const struct trader *self, FILE *file)
{
	fputs("#packet", file);
	for (size_t i = 0; i < NR_COLUMNS; i++)
		fprintf(file, "\t%s", packet_columns[i].name);
	fputs("\n#ack\tseq\tclient_id\trecv_return_ns\ttid\n", file);
	for (size_t i = 0; i < self->packet_log.nr_rows; i++)
		write_packet(file, truth_log_row(&self->packet_log, i));
	for (size_t i = 0; i < self->ack_log.nr_rows; i++)
		write_ack(file, truth_log_row(&self->ack_log, i));
	return truth_close(file, self->packet_log.nr_unlogged + self->ack_log.nr_unlogged);
}
