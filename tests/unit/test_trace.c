/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_trace.c - what was recorded is read again, whatever happened to the file
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "src/collect/trace.h"
#include "src/collect/trace_format.h"

enum { NR_CPUS = 8 };

/* A writer into a file in memory that stays open behind it, and the events given to it. */
struct recording {
	int fd;
	struct trace_writer *writer;
	struct capture capture;
	uint64_t seed;
	uint64_t now_ns;
};

/* What reading a file came to. */
struct reading {
	int err; /* of trace_source_new or of the last read */
	bool is_open;
	bool is_whole;
	uint64_t nr_bytes_unread;
	uint64_t nr_events;
	uint64_t nr_marks;
	uint64_t nr_by_cpu[NR_CPUS];
	uint64_t nr_broken_promises;
	uint64_t nr_out_of_order;
	uint64_t last_mark_ns;
	uint64_t end_ns; /* of the capture */
};

static uint64_t draw(struct recording *self, uint64_t below)
{
	self->seed = self->seed * 6364136223846793005u + 1442695040888963407u;
	return (self->seed >> 33) % below;
}

static int memory_file(void)
{
	int fd = memfd_create("trace", 0);

	cr_assert_geq(fd, 0);
	return fd;
}

static struct recording recording_of(int fd, uint64_t max_bytes)
{
	struct recording self = { .fd = fd, .seed = 1, .now_ns = 1000 };

	self.capture.name = "gateway";
	self.capture.start_ns = 1000;
	cr_assert_eq(trace_writer_new(&self.writer, dup(fd), &self.capture, max_bytes), 0);
	return self;
}

static struct recording recording_begin(void)
{
	return recording_of(memory_file(), 0);
}

/* Events count up in seq per CPU by themselves: `nr` is the first one's. */
static int add_events(struct recording *self, unsigned int cpu, uint32_t nr, uint32_t first)
{
	struct gemba_event *events = calloc(nr, sizeof(*events));
	struct batch batch = { events, nr * sizeof(*events), cpu };
	int err;

	for (uint32_t i = 0; i < nr; i++)
		events[i] = (struct gemba_event){ .ts_ns = self->now_ns += 1 + draw(self, 3000),
						  .kind = GEMBA_RX,
						  .cpu = cpu,
						  .sk = 1 + draw(self, 30),
						  .seq = first + i,
						  .len = draw(self, 1000) };
	err = trace_writer_add(self->writer, &batch);
	free(events);
	return err;
}

static int add_mark(struct recording *self)
{
	struct gemba_event mark = { .ts_ns = self->now_ns, .kind = GEMBA_MARK };
	struct batch batch = { &mark, sizeof(mark), 0 };

	return trace_writer_add(self->writer, &batch);
}

static int recording_end(struct recording *self)
{
	self->capture.end_ns = self->now_ns;
	return trace_writer_close(self->writer, &self->capture);
}

static void take_batch(struct reading *self, const struct batch *batch)
{
	const struct gemba_event *ev = batch->records, *end = ev + batch->bytes / sizeof(*ev);

	for (; ev < end; ev++) {
		self->nr_broken_promises += ev->ts_ns < self->last_mark_ns;
		if (ev->kind == GEMBA_MARK) {
			self->last_mark_ns = ev->ts_ns;
			self->nr_marks++;
		} else {
			self->nr_out_of_order += ev->seq != self->nr_by_cpu[batch->cpu % NR_CPUS]++;
			self->nr_events++;
		}
	}
}

static struct reading read_file(int fd)
{
	struct reading self = { 0 };
	struct capture capture = { 0 };
	struct source *source;
	struct batch batch;

	self.err = trace_source_new(&source, dup(fd), &capture);
	if (self.err)
		return self;
	self.is_open = true;
	cr_assert_str_eq(capture.name, "gateway");
	while ((self.err = source->read(source, &batch)) > 0)
		take_batch(&self, &batch);
	cr_assert_eq(source->read(source, &batch), self.err);
	self.is_whole = trace_source_is_whole(source);
	self.nr_bytes_unread = trace_source_bytes_unread(source);
	self.end_ns = capture.end_ns;
	source->free(source);
	capture_fini(&capture);
	return self;
}

static void assert_reads_well(int fd, uint64_t nr_events)
{
	struct reading reading = read_file(fd);

	cr_assert_eq(reading.err, 0);
	cr_assert(reading.is_whole);
	cr_assert_eq(reading.nr_bytes_unread, 0);
	cr_assert_eq(reading.nr_events, nr_events);
	cr_assert_eq(reading.nr_out_of_order, 0);
	cr_assert_eq(reading.nr_broken_promises, 0);
	cr_assert_neq(reading.end_ns, 0);
}

static uint64_t file_bytes(int fd)
{
	struct stat st;

	cr_assert_eq(fstat(fd, &st), 0);
	return st.st_size;
}

static uint8_t *contents(int fd, size_t *bytes)
{
	uint8_t *data;

	*bytes = file_bytes(fd);
	data = malloc(*bytes);
	cr_assert_eq(pread(fd, data, *bytes, 0), (ssize_t)*bytes);
	return data;
}

static int file_of(const void *data, size_t bytes)
{
	int fd = memory_file();

	cr_assert_eq(write(fd, data, bytes), (ssize_t)bytes);
	return fd;
}

static struct reading read_bytes(const void *data, size_t bytes)
{
	int fd = file_of(data, bytes);
	struct reading reading = read_file(fd);

	close(fd);
	return reading;
}

static size_t block_bytes(const uint8_t *block)
{
	struct trace_block_head head;

	memcpy(&head, block, sizeof(head));
	cr_assert_eq(head.magic, TRACE_BLOCK_MAGIC);
	return sizeof(head) + head.bytes_packed;
}

/* A few small blocks of two CPUs and two marks, closed in order; 41 events. */
static uint8_t *small_trace(size_t *bytes)
{
	struct recording recording = recording_begin();
	uint8_t *data;

	add_events(&recording, 0, 10, 0);
	add_events(&recording, 1, 7, 0);
	add_mark(&recording);
	trace_writer_flush(recording.writer);
	add_events(&recording, 1, 20, 7);
	add_events(&recording, 0, 4, 10);
	add_mark(&recording);
	cr_assert_eq(recording_end(&recording), 0);
	data = contents(recording.fd, bytes);
	close(recording.fd);
	return data;
}

Test(trace, a_trace_without_events_is_read_as_empty)
{
	struct recording recording = recording_begin();

	cr_assert_eq(trace_is(recording.fd), 1);
	cr_assert_eq(recording_end(&recording), 0);
	assert_reads_well(recording.fd, 0);
}

Test(trace, events_of_many_cpus_come_back_in_the_order_of_each)
{
	struct recording recording = recording_begin();
	uint32_t nr[NR_CPUS] = { 0 }, sum = 0;

	for (int i = 0; i < 600; i++) {
		unsigned int cpu = draw(&recording, NR_CPUS), more = 1 + draw(&recording, 900);

		cr_assert_eq(add_events(&recording, cpu, more, nr[cpu]), 0);
		nr[cpu] += more;
		sum += more;
		if (!draw(&recording, 3))
			cr_assert_eq(add_mark(&recording), 0);
		if (!draw(&recording, 100))
			cr_assert_eq(trace_writer_flush(recording.writer), 0);
		cr_assert_eq(trace_writer_events(recording.writer), sum);
	}
	cr_assert_eq(recording_end(&recording), 0);
	assert_reads_well(recording.fd, sum);
}

Test(trace, a_batch_larger_than_a_block_is_spread_over_blocks)
{
	struct recording recording = recording_begin();

	cr_assert_eq(add_events(&recording, 3, 50000, 0), 0);
	cr_assert_eq(add_events(&recording, 3, 1, 50000), 0);
	cr_assert_eq(recording_end(&recording), 0);
	assert_reads_well(recording.fd, 50001);
}

Test(trace, longer_records_come_back_as_they_were)
{
	struct recording recording = recording_begin();
	struct gemba_conn conns[5000], *at = conns;
	struct capture capture = { 0 };
	struct batch batch = { conns, sizeof(conns), 2 };
	struct source *source;

	for (size_t i = 0; i < sizeof(conns); i++)
		((uint8_t *)conns)[i] = draw(&recording, 256);
	for (size_t i = 0; i < 5000; i++)
		conns[i].ev.kind = GEMBA_CONN;
	cr_assert_eq(trace_writer_add(recording.writer, &batch), 0);
	cr_assert_eq(recording_end(&recording), 0);
	cr_assert_eq(trace_source_new(&source, recording.fd, &capture), 0);
	while (source->read(source, &batch) > 0) {
		cr_assert_eq(batch.cpu, 2);
		cr_assert_eq(memcmp(batch.records, at, batch.bytes), 0);
		at += batch.bytes / sizeof(*at);
	}
	cr_assert_eq(at, conns + 5000);
	source->free(source);
	capture_fini(&capture);
}

Test(trace, a_cut_record_and_an_impossible_cpu_are_refused)
{
	struct recording recording = recording_begin();
	struct gemba_event ev = { .kind = GEMBA_CONN };
	struct batch cut = { &ev, sizeof(ev), 0 }, far = { &ev, 0, 65536 };

	cr_assert_eq(trace_writer_add(recording.writer, &cut), -EINVAL);
	cr_assert_eq(trace_writer_add(recording.writer, &far), -EINVAL);
	cr_assert_eq(recording_end(&recording), 0);
	assert_reads_well(recording.fd, 0);
}

Test(trace, nothing_older_than_a_mark_follows_it)
{
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct recording recording = recording_begin();
		uint32_t nr[NR_CPUS] = { 0 };
		struct reading reading;

		recording.seed = seed;
		for (int pass = 0; pass < 100; pass++) {
			for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
				unsigned int more = draw(&recording, 60) * draw(&recording, 60);

				add_events(&recording, cpu, more, nr[cpu]);
				nr[cpu] += more;
			}
			add_mark(&recording);
			if (!draw(&recording, 40))
				trace_writer_flush(recording.writer);
		}
		cr_assert_eq(recording_end(&recording), 0);
		reading = read_file(recording.fd);
		cr_assert_eq(reading.nr_broken_promises, 0);
		cr_assert_eq(reading.nr_out_of_order, 0);
		cr_assert_eq(reading.last_mark_ns, recording.now_ns);
		cr_assert_gt(reading.nr_marks, 5);
		cr_assert_lt(reading.nr_marks, 50);
		close(recording.fd);
	}
}

Test(trace, the_last_mark_before_a_flush_is_kept)
{
	struct recording recording = recording_begin();
	struct reading reading;

	for (int i = 0; i < 100; i++) {
		add_events(&recording, 0, 5, 5 * i);
		add_mark(&recording);
	}
	cr_assert_eq(trace_writer_flush(recording.writer), 0);
	reading = read_file(recording.fd);
	cr_assert_eq(reading.nr_events, 500);
	cr_assert_eq(reading.nr_marks, 1);
	cr_assert_eq(reading.last_mark_ns, recording.now_ns);
	cr_assert_eq(recording_end(&recording), 0);
}

Test(trace, a_flush_without_a_mark_promises_nothing)
{
	struct recording recording = recording_begin();
	struct reading reading;

	add_events(&recording, 0, 5, 0);
	cr_assert_eq(trace_writer_flush(recording.writer), 0);
	reading = read_file(recording.fd);
	cr_assert_eq(reading.nr_events, 5);
	cr_assert_eq(reading.nr_marks, 0);
	cr_assert_eq(recording_end(&recording), 0);
}

Test(trace, a_file_cut_anywhere_is_read_to_the_last_whole_block)
{
	size_t bytes, whole = sizeof(struct trace_file_head), next, nr_blocks = 0;
	uint8_t *data = small_trace(&bytes);
	size_t head_bytes = whole + block_bytes(data + whole);

	next = head_bytes;
	for (size_t cut = 0; cut < head_bytes; cut++)
		cr_assert_eq(read_bytes(data, cut).err, -ENODATA);
	for (size_t cut = head_bytes; cut < bytes; cut++) {
		struct reading reading;

		if (cut == next) {
			whole = cut;
			next += block_bytes(data + cut);
			nr_blocks++;
		}
		reading = read_bytes(data, cut);
		cr_assert_eq(reading.err, cut == whole ? 0 : -ENODATA);
		cr_assert_eq(reading.nr_bytes_unread, cut - whole);
		cr_assert_not(reading.is_whole);
		cr_assert_eq(reading.nr_out_of_order, 0);
	}
	cr_assert_eq(next, bytes);
	cr_assert_eq(nr_blocks, 7);
	cr_assert_eq(read_bytes(data, bytes).nr_events, 41);
	free(data);
}

Test(trace, a_flipped_byte_is_noticed_wherever_it_is)
{
	size_t bytes;
	uint8_t *data = small_trace(&bytes);

	for (size_t at = 0; at < bytes; at++) {
		for (int bit = 0; bit < 8; bit++) {
			struct reading reading;

			data[at] ^= 1 << bit;
			reading = read_bytes(data, bytes);
			data[at] ^= 1 << bit;
			cr_assert_lt(reading.err, 0);
			cr_assert_not(reading.is_whole);
			cr_assert_eq(reading.nr_out_of_order, 0);
			cr_assert(!reading.is_open || reading.nr_bytes_unread > 0);
		}
	}
	free(data);
}

/* Damage that an enemy gave a right checksum. */
Test(trace, blocks_forged_with_a_right_checksum_do_no_harm)
{
	struct recording dice = { .seed = 3 };
	size_t bytes, at = sizeof(struct trace_file_head);
	uint8_t *data = small_trace(&bytes);

	at += block_bytes(data + at);
	for (int round = 0; round < 20000; round++) {
		uint8_t *forged = malloc(bytes);
		struct trace_block_head head;
		size_t size = block_bytes(data + at);

		memcpy(forged, data, bytes);
		forged[at + 4 + draw(&dice, size - 4)] = draw(&dice, 256);
		memcpy(&head, forged + at, sizeof(head));
		if (head.bytes_packed <= bytes - at - sizeof(head)) {
			head.checksum = trace_checksum(&head, forged + at + sizeof(head));
			memcpy(forged + at, &head, sizeof(head));
		}
		read_bytes(forged, bytes);
		free(forged);
	}
	free(data);
}

Test(trace, a_foreign_file_is_not_a_trace)
{
	static const char *const files[] = { "{ \"schema\": \"gemba.map/1\" }", "gemba\n\x1a\n",
					     "GEMBA\r\n\x1a, and more" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = file_of(files[i], strlen(files[i]));

		cr_assert_eq(trace_is(fd), 0);
		cr_assert_eq(read_file(fd).err, -EBADMSG);
	}
	cr_assert_eq(trace_is(memory_file()), 0);
	cr_assert_eq(trace_is(-1), -EBADF);
}

Test(trace, a_newer_version_is_told_from_damage)
{
	size_t bytes;
	uint8_t *data = small_trace(&bytes);

	data[offsetof(struct trace_file_head, version)]++;
	cr_assert_eq(read_bytes(data, bytes).err, -EPROTONOSUPPORT);
	free(data);
}

Test(trace, blocks_of_unknown_type_are_passed_over)
{
	size_t bytes, at = sizeof(struct trace_file_head);
	uint8_t *data = small_trace(&bytes);
	struct trace_block_head head = {
		.magic = TRACE_BLOCK_MAGIC, .type = 77, .bytes = UINT32_MAX, .bytes_packed = 5
	};
	struct reading reading;
	int fd;

	at += block_bytes(data + at);
	fd = file_of(data, at);
	head.checksum = trace_checksum(&head, "later");
	for (int i = 0; i < 3; i++)
		cr_assert_eq(write(fd, &head, sizeof(head)) + write(fd, "later", 5), 53);
	cr_assert_eq(write(fd, data + at, bytes - at), (ssize_t)(bytes - at));
	reading = read_file(fd);
	cr_assert_eq(reading.err, 0);
	cr_assert_eq(reading.nr_events, 41);
	cr_assert(reading.is_whole);
	free(data);
}

Test(trace, bytes_behind_the_tail_are_said_to_be_unread)
{
	size_t bytes;
	uint8_t *data = small_trace(&bytes);
	int fd = file_of(data, bytes);
	struct reading reading;

	cr_assert_eq(write(fd, "more", 4), 4);
	reading = read_file(fd);
	cr_assert_eq(reading.err, 0);
	cr_assert(reading.is_whole);
	cr_assert_eq(reading.nr_bytes_unread, 4);
	free(data);
}

Test(trace, the_tail_corrects_the_head)
{
	struct recording recording = recording_begin();
	struct capture capture = { 0 };
	struct source *source;
	struct batch batch;

	recording.capture.recursion_misses = 12;
	cr_assert_eq(recording_end(&recording), 0);
	cr_assert_eq(trace_source_new(&source, recording.fd, &capture), 0);
	cr_assert_eq(capture.recursion_misses, 0);
	cr_assert_eq(capture.end_ns, 0);
	cr_assert_eq(source->read(source, &batch), 0);
	cr_assert_eq(capture.recursion_misses, 12);
	cr_assert_eq(capture.end_ns, 1000);
	source->free(source);
	capture_fini(&capture);
}

/* Records until the limit says stop; returns what the file should hold. */
static uint64_t fill(struct recording *self, int expected)
{
	uint32_t nr = 0;
	int err = 0;

	while (!err && nr < 10000000) {
		for (unsigned int cpu = 0; cpu < NR_CPUS && !err; cpu++)
			err = add_events(self, cpu, 40, nr);
		nr += 40;
		if (!err)
			err = add_mark(self);
	}
	cr_assert_eq(err, expected);
	cr_assert_eq(add_events(self, 0, 1, nr), expected);
	cr_assert_eq(trace_writer_flush(self->writer), expected);
	return trace_writer_events(self->writer);
}

Test(trace, max_size_is_never_passed_and_used_well)
{
	for (uint64_t max = 20000; max < 6000000; max = max * 7 / 3 + 1) {
		struct recording recording = recording_of(memory_file(), max);
		uint64_t nr_events = fill(&recording, -EFBIG), bytes;
		struct reading reading;

		cr_assert_eq(trace_writer_bytes(recording.writer), file_bytes(recording.fd));
		cr_assert_eq(recording_end(&recording), 0);
		bytes = file_bytes(recording.fd);
		cr_assert_leq(bytes, max);
		cr_assert_gt(bytes, max / 2);
		assert_reads_well(recording.fd, nr_events);
		reading = read_file(recording.fd);
		for (int cpu = 1; cpu < NR_CPUS; cpu++)
			cr_assert_eq(reading.nr_by_cpu[cpu], reading.nr_by_cpu[0]);
		close(recording.fd);
	}
}

Test(trace, max_size_without_marks_keeps_whole_blocks)
{
	struct recording recording = recording_of(memory_file(), 300000);
	uint64_t nr_events;

	while (!add_events(&recording, 0, 1000, trace_writer_events(recording.writer)))
		;
	nr_events = trace_writer_events(recording.writer);
	cr_assert_gt(nr_events, 0);
	cr_assert_eq(recording_end(&recording), 0);
	cr_assert_leq(file_bytes(recording.fd), 300000);
	assert_reads_well(recording.fd, nr_events);
}

Test(trace, max_size_reached_at_close_is_told_there)
{
	struct recording recording = recording_of(memory_file(), 10000);

	cr_assert_eq(add_events(&recording, 0, 8000, 0), 0);
	cr_assert_eq(recording_end(&recording), -EFBIG);
	cr_assert_leq(file_bytes(recording.fd), 10000);
	assert_reads_well(recording.fd, 0);
}

Test(trace, a_tail_that_outgrew_its_room_is_cut_at_a_line)
{
	struct recording recording = recording_of(memory_file(), 5000);
	char *noise = malloc(100001);

	for (int i = 0; i < 100000; i++)
		noise[i] = 'a' + draw(&recording, 26);
	noise[100000] = 0;
	pairs_add(&recording.capture.environment, "noise", noise);
	recording.capture.kernel = "6.18";
	cr_assert_eq(recording_end(&recording), 0);
	cr_assert_leq(file_bytes(recording.fd), 5000);
	assert_reads_well(recording.fd, 0);
	free(noise);
	pairs_fini(&recording.capture.environment);
}

Test(trace, a_max_size_too_small_for_head_and_tail_is_refused)
{
	struct capture capture = { .name = "gateway" };
	struct trace_writer *writer = NULL;
	int fd = memory_file();

	for (uint64_t max = 1; max < 4096; max += 13)
		cr_assert_eq(trace_writer_new(&writer, dup(fd), &capture, max), -EFBIG);
	cr_assert_null(writer);
	cr_assert_eq(file_bytes(fd), 0);
}

Test(trace, a_failed_write_leaves_whole_blocks)
{
	char path[] = "/tmp/test_trace_XXXXXX";
	struct recording recording = recording_of(mkstemp(path), 0);
	struct rlimit limit = { 200000, RLIM_INFINITY };
	struct reading reading;
	uint64_t nr_events;

	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	nr_events = fill(&recording, -EFBIG);
	cr_assert_eq(recording_end(&recording), -EFBIG);
	reading = read_file(recording.fd);
	cr_assert_eq(reading.err, 0);
	cr_assert_eq(reading.nr_bytes_unread, 0);
	cr_assert_eq(reading.nr_events, nr_events);
	cr_assert_gt(nr_events, 1000);
	cr_assert_not(reading.is_whole);
	cr_assert_eq(reading.nr_broken_promises, 0);
}

Test(trace, a_full_disk_is_told_at_once)
{
	struct capture capture = { 0 };
	struct trace_writer *writer = NULL;

	cr_assert_eq(trace_writer_new(&writer, open("/dev/full", O_WRONLY), &capture, 0), -ENOSPC);
	cr_assert_null(writer);
}

Test(trace, a_pipe_can_be_written_to)
{
	int ends[2];
	struct recording recording;
	uint8_t data[16384];
	ssize_t bytes;
	int fd;

	cr_assert_eq(pipe(ends), 0);
	recording = recording_of(ends[1], 0);
	add_events(&recording, 0, 100, 0);
	add_mark(&recording);
	cr_assert_eq(recording_end(&recording), 0);
	bytes = read(ends[0], data, sizeof(data));
	fd = file_of(data, bytes);
	assert_reads_well(fd, 100);
}
