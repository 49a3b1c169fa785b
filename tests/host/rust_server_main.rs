/*
 * rust_server: what cpp_server is, in Rust with the standard library only, for its names.
 *
 * A request goes through
 *	rust_server::gateway::Session::on_readable      per readiness: one receive call
 *	rust_server::gateway::decode                    per record, generic: <i32> the id, then <i64>
 *	                                                the value; two symbols of one name
 *	rust_server::gateway::Engine::handle            per request
 *	<gateway::Scale as gateway::Policy>::weigh      through a trait object, from handle
 *	rust_server::gateway::reply                     per record: one send call
 * none of them inlined. build/host/rust_server has its symbols mangled as the compiler at hand does
 * by itself, rust_server_v0 as v0. One thread, one poll loop.
 */
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::io::AsRawFd;
use std::time::{Duration, Instant};

mod gateway {
    use std::io::{ErrorKind, Read, Write};
    use std::net::TcpStream;
    use std::time::{Duration, Instant};

    pub const RECORD_BYTES: usize = 16;

    /* Little-endian, at its offset in a record. */
    pub trait Field: Sized {
        const OFFSET: usize;
        fn read(bytes: &[u8]) -> Self;
    }

    impl Field for i32 {
        const OFFSET: usize = 0;
        fn read(bytes: &[u8]) -> i32 {
            i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        }
    }

    impl Field for i64 {
        const OFFSET: usize = 8;
        fn read(bytes: &[u8]) -> i64 {
            let mut whole = [0; 8];
            whole.copy_from_slice(&bytes[..8]);
            i64::from_le_bytes(whole)
        }
    }

    /* None: of a kind that is neither request nor heartbeat. */
    #[inline(never)]
    pub fn decode<T: Field>(record: &[u8]) -> Option<T> {
        match record[4] {
            b'R' | b'H' => Some(T::read(&record[T::OFFSET..])),
            _ => None,
        }
    }

    pub trait Policy {
        fn weigh(&self, value: i64) -> i64;
    }

    pub struct Scale {
        pub factor: i64,
    }

    impl Policy for Scale {
        #[inline(never)]
        fn weigh(&self, value: i64) -> i64 {
            value.wrapping_mul(self.factor)
        }
    }

    pub struct Engine {
        pub policy: Box<dyn Policy>,
        pub work: Duration,
        pub nr_handled: u64,
    }

    impl Engine {
        #[inline(never)]
        pub fn handle(&mut self, value: i64) -> i64 {
            let begin = Instant::now();

            while begin.elapsed() < self.work {}
            self.nr_handled += 1;
            self.policy.weigh(value).wrapping_add(1)
        }
    }

    pub struct Session {
        pub stream: TcpStream,
        pub bytes: Vec<u8>, /* of a record that has not arrived as a whole */
    }

    #[inline(never)]
    pub fn reply(stream: &mut TcpStream, id: i32, kind: u8, value: i64) -> bool {
        let mut record = [0; RECORD_BYTES];

        record[..4].copy_from_slice(&id.to_le_bytes());
        record[4] = kind;
        record[8..].copy_from_slice(&value.to_le_bytes());
        stream.write_all(&record).is_ok()
    }

    impl Session {
        /* Records answered; None when the client has gone. */
        #[inline(never)]
        pub fn on_readable(&mut self, engine: &mut Engine) -> Option<u64> {
            let mut chunk = [0; 4096];
            let mut nr = 0;

            match self.stream.read(&mut chunk) {
                Ok(0) => return None,
                Ok(got) => self.bytes.extend_from_slice(&chunk[..got]),
                Err(error) if error.kind() == ErrorKind::Interrupted => return Some(0),
                Err(_) => return None,
            }
            while self.bytes.len() >= RECORD_BYTES {
                let record: Vec<u8> = self.bytes.drain(..RECORD_BYTES).collect();

                if !self.answer(engine, &record) {
                    return None;
                }
                nr += 1;
            }
            Some(nr)
        }

        fn answer(&mut self, engine: &mut Engine, record: &[u8]) -> bool {
            let stream = &mut self.stream;

            match (decode::<i32>(record), decode::<i64>(record)) {
                (Some(id), Some(value)) if record[4] == b'H' => reply(stream, id, b'H', value),
                (Some(id), Some(value)) => reply(stream, id, b'R', engine.handle(value)),
                _ => reply(stream, i32::read(record), b'M', 0),
            }
        }
    }
}

/* Of libc, which std links but does not show. */
#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

const POLLIN: i16 = 1;

extern "C" {
    fn poll(fds: *mut PollFd, nr_fds: u64, timeout_ms: i32) -> i32;
}

struct Options {
    port: u16,
    nr_requests_max: u64,
    work_ns: u64,
    seconds: f64,
}

const HELP: &str = "usage: rust_server [OPTION...]
Answers gateway_client. Prints \"ready PORT\" when it does.

  --port             N  serve there on 127.0.0.1; 0 picks one (17005)
  --requests         N  end after so many (no limit)
  --work-ns          N  work in gateway::Engine::handle (2000)
  --for              SECONDS  end after (30)
  -h, --help         show this";

fn usage(what: &str) -> ! {
    eprintln!("rust_server: {} (-h shows the options)", what);
    std::process::exit(2)
}

fn number<T: std::str::FromStr>(name: &str, text: Option<String>) -> T {
    match text.map(|text| text.parse()) {
        Some(Ok(value)) => value,
        _ => usage(&format!("{} needs a number", name)),
    }
}

fn parse() -> Options {
    let mut options = Options { port: 17005, nr_requests_max: u64::MAX, work_ns: 2000, seconds: 30.0 };
    let mut args = std::env::args().skip(1);

    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--port" => options.port = number(&arg, args.next()),
            "--requests" => options.nr_requests_max = number(&arg, args.next()),
            "--work-ns" => options.work_ns = number(&arg, args.next()),
            "--for" => options.seconds = number(&arg, args.next()),
            "-h" | "--help" => {
                println!("{}", HELP);
                std::process::exit(0)
            }
            _ => usage(&format!("unknown option '{}'", arg)),
        }
    }
    options
}

fn wait(listener: &TcpListener, sessions: &[gateway::Session], end: Instant) -> Vec<PollFd> {
    let mut fds = vec![PollFd { fd: listener.as_raw_fd(), events: POLLIN, revents: 0 }];
    let left = end.saturating_duration_since(Instant::now());

    for session in sessions {
        fds.push(PollFd { fd: session.stream.as_raw_fd(), events: POLLIN, revents: 0 });
    }
    /* fds outlives the call and nr_fds is its length. */
    unsafe { poll(fds.as_mut_ptr(), fds.len() as u64, left.as_millis().min(60000) as i32 + 1) };
    fds
}

fn serve(listener: &TcpListener, engine: &mut gateway::Engine, options: &Options) -> u64 {
    let end = Instant::now() + Duration::from_secs_f64(options.seconds);
    let mut sessions: Vec<gateway::Session> = Vec::new();
    let mut nr_requests = 0;

    while nr_requests < options.nr_requests_max && Instant::now() < end {
        let fds = wait(listener, &sessions, end);

        for i in (0..sessions.len()).rev() {
            if fds[i + 1].revents == 0 {
                continue;
            }
            match sessions[i].on_readable(engine) {
                Some(nr) => nr_requests += nr,
                None => drop(sessions.swap_remove(i)),
            }
        }
        if fds[0].revents == 0 {
            continue;
        }
        if let Ok((stream, _)) = listener.accept() {
            let _ = stream.set_nodelay(true);
            sessions.push(gateway::Session { stream, bytes: Vec::new() });
        }
    }
    nr_requests
}

fn main() {
    let options = parse();
    let listener = match TcpListener::bind(("127.0.0.1", options.port)) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("rust_server: cannot serve on port {}: {}", options.port, error);
            std::process::exit(1)
        }
    };
    let mut engine = gateway::Engine {
        policy: Box::new(gateway::Scale { factor: 3 }),
        work: Duration::from_nanos(options.work_ns),
        nr_handled: 0,
    };

    println!("ready {}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    let nr_requests = serve(&listener, &mut engine, &options);
    println!("requests={} handled={}", nr_requests, engine.nr_handled);
}
