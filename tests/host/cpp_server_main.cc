/*
 * cpp_server: a request/reply server in C++, for the names and shapes that C has not.
 *
 * A request goes through
 *	gw::Session::on_readable()                  per readiness: one receive call
 *	gw::Decoder<int>::decode(...)               per record, the id; then Decoder<long>, the value
 *	gw::Engine::handle(gw::Request const&)      or (gw::Heartbeat const&), by its kind
 *	gw::Scale::weigh(long) const                virtual, and a lambda, from handle(Request)
 *	gw::reply(gw::Session&, ...)                per record: one send call
 * each out of line and with one entry. A record of unknown kind leaves decode by an exception. One
 * thread, one poll loop; sessions end when their client does.
 */
extern "C" {
#include "tests/host/clock.h"
#include "tests/host/gateway.h"
#include "tests/host/net.h"
#include "tests/host/options.h"
#include "tests/host/stop.h"
#include "tests/host/stream.h"
}

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <endian.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "cpp_server"
#define ALONE __attribute__((noipa))
#define MAX_SESSIONS 64

static uint64_t port = 17004, nr_requests_max, work_ns = 2000, for_ns = 30 * NS_PER_S;
static uint64_t nr_requests;

namespace gw
{

struct Request {
	uint32_t id;
	long value;
};

struct Heartbeat {
	uint32_t id;
	long value;
};

struct Malformed {
	uint32_t id;
};

/* Decoder<int> reads the id and refuses what is malformed, Decoder<long> reads the value. */
template <typename T> struct Decoder {
	static ALONE T decode(const gateway_record &record);
};

template <typename T> T Decoder<T>::decode(const gateway_record &record)
{
	if constexpr (sizeof(T) > sizeof(record.id))
		return static_cast<T>(le64toh(static_cast<uint64_t>(record.value)));
	if (record.kind != GATEWAY_REQUEST && record.kind != GATEWAY_HEARTBEAT)
		throw Malformed{ le32toh(record.id) };
	return static_cast<T>(le32toh(record.id));
}

class Policy
{
      public:
	virtual ~Policy() = default;
	virtual long weigh(long value) const = 0;
};

class Scale final : public Policy
{
      public:
	explicit Scale(long by) : factor(by)
	{
	}
	ALONE long weigh(long value) const override;

      private:
	long factor;
};

long Scale::weigh(long value) const
{
	return value * factor;
}

class Session;
void reply(Session &session, uint32_t id, uint8_t kind, long value);

class Engine
{
      public:
	explicit Engine(const Policy &weighed_by) : policy(weighed_by)
	{
	}
	ALONE long handle(const Request &request);
	ALONE long handle(const Heartbeat &heartbeat);

      private:
	const Policy &policy;
	uint64_t nr_handled = 0;
};

long Engine::handle(const Request &request)
{
	auto audit = [this](long value) __attribute__((noipa))
	{
		nr_handled++;
		return value + 1;
	};

	spin_ns(work_ns);
	return audit(policy.weigh(request.value));
}

long Engine::handle(const Heartbeat &heartbeat)
{
	nr_handled++;
	return heartbeat.value;
}

class Session
{
      public:
	bool is_open() const
	{
		return stream.fd >= 0;
	}
	void open(int fd)
	{
		stream = {};
		stream.fd = fd;
	}
	void close()
	{
		::close(stream.fd);
		stream.fd = -1;
	}
	int fd() const
	{
		return stream.fd;
	}
	/* False when the client has gone. */
	ALONE bool on_readable(Engine &engine);

      private:
	void take(Engine &engine, const gateway_record &record);

	struct stream stream = {};
	friend class Server;
};

void Session::take(Engine &engine, const gateway_record &record)
{
	auto id = static_cast<uint32_t>(Decoder<int>::decode(record));
	long value = Decoder<long>::decode(record);

	if (record.kind == GATEWAY_HEARTBEAT)
		reply(*this, id, GATEWAY_HEARTBEAT, engine.handle(Heartbeat{ id, value }));
	else
		reply(*this, id, GATEWAY_REQUEST, engine.handle(Request{ id, value }));
}

bool Session::on_readable(Engine &engine)
{
	gateway_record record;
	int got = stream_read(&stream);

	if (got < 0)
		return got == -EAGAIN;
	while (stream_next(&stream, &record, sizeof(record))) {
		try {
			take(engine, record);
		} catch (const Malformed &malformed) {
			reply(*this, malformed.id, GATEWAY_MALFORMED, 0);
		}
		nr_requests++;
	}
	return true;
}

ALONE void reply(Session &session, uint32_t id, uint8_t kind, long value)
{
	gateway_record record = {};

	record.id = htole32(id);
	record.kind = kind;
	record.value = static_cast<int64_t>(htole64(static_cast<uint64_t>(value)));
	stream_send(session.fd(), &record, sizeof(record));
}

class Server
{
      public:
	Server(int fd, Engine &answering) : listen_fd(fd), engine(answering)
	{
		for (Session &session : sessions)
			session.stream.fd = -1;
	}
	~Server();
	int run(uint64_t end_ns);

      private:
	void accept_one();

	int listen_fd;
	Engine &engine;
	Session sessions[MAX_SESSIONS];
};

Server::~Server()
{
	for (Session &session : sessions)
		if (session.is_open())
			session.close();
}

void Server::accept_one()
{
	int fd = accept4(listen_fd, nullptr, nullptr, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (Session &session : sessions) {
		if (session.is_open() || net_tcp_tune(fd))
			continue;
		session.open(fd);
		return;
	}
	::close(fd);
}

int Server::run(uint64_t end_ns)
{
	pollfd fds[MAX_SESSIONS + 2] = { { listen_fd, POLLIN, 0 }, { stop_fd(), POLLIN, 0 } };

	while (!is_stop_requested() && now_ns() < end_ns &&
	       (!nr_requests_max || nr_requests < nr_requests_max)) {
		for (int i = 0; i < MAX_SESSIONS; i++)
			fds[i + 2] = { sessions[i].fd(), POLLIN, 0 };
		if (poll(fds, MAX_SESSIONS + 2, poll_ms_until(end_ns)) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < MAX_SESSIONS; i++)
			if (fds[i + 2].revents && !sessions[i].on_readable(engine))
				sessions[i].close();
		if (fds[0].revents)
			accept_one();
	}
	return 0;
}

} // namespace gw

static const option_row rows[] = {
	{ "--port", OPTION_NUMBER, &port, 0, 65535,
	  "N  serve there on 127.0.0.1; 0 picks one (17004)" },
	{ "--requests", OPTION_NUMBER, &nr_requests_max, 1, UINT64_MAX,
	  "N  end after so many (no limit)" },
	{ "--work-ns", OPTION_NUMBER, &work_ns, 0, 100 * NS_PER_MS,
	  "N  work in gw::Engine::handle(gw::Request const&) (2000)" },
	{ "--for", OPTION_SECONDS, &for_ns, 1, 3600000, "SECONDS  end after (30)" },
	{},
};

static const options server_options = {
	PROGRAM, "Answers gateway_client. Prints \"ready PORT\" when it does.", rows
};

static int serve(void)
{
	gw::Scale scale(3);
	gw::Engine engine(scale);
	char at[32];
	endpoint listen_at;
	int err, fd;

	snprintf(at, sizeof(at), "127.0.0.1:%" PRIu64, port);
	endpoint_parse(at, &listen_at);
	fd = net_tcp_listen(&listen_at);
	if (fd < 0)
		return fail(PROGRAM, fd, "cannot serve on %s", at);
	printf("ready %d\n", net_local_port(fd));
	fflush(stdout);
	err = gw::Server(fd, engine).run(now_ns() + for_ns);
	close(fd);
	printf("requests=%" PRIu64 "\n", nr_requests);
	return err ? fail(PROGRAM, err, "poll broke") : 0;
}

int main(int argc, char **argv)
{
	int err;

	options_parse(&server_options, argc, argv);
	err = stop_init();
	return err ? fail(PROGRAM, err, "cannot handle signals") : serve();
}
