//! T9: a flood over TLS, recorded as plaintext, beside clients of others that write it to a file.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde::{Deserialize, Serialize};

use crate::Extent;
use crate::content;
use crate::peer;
use crate::process::{Part, cpu_of_child, tell};
use crate::scope::Scope;
use crate::servers::Listening;
use crate::stats::median;
use crate::table::{Row, Unit, Wanted};

const GIB: f64 = 1_073_741_824.0;

/// Bytes of one write: sixteen records of TLS.
const PIECE: usize = 256 << 10;

/// The clients of others that are installed, and their names.
const OTHERS: [&str; 3] = ["openssl s_client", "socat", "ncat"];

/// What the server tells when everything was taken.
#[derive(Deserialize, Serialize)]
struct Given {
    seconds: f64,
}

/// What a client reached.
#[derive(Clone, Default)]
struct Runs {
    speed: Vec<f64>,
    cpu: Vec<f64>,
}

/// Measures it.
pub(crate) fn measure(extent: &Extent) -> Vec<Row> {
    let bytes = extent.scaled(1 << 30, 256 << 20);
    let mut ours = Runs::default();
    let mut others = vec![Runs::default(); OTHERS.len()];
    for _ in 0..extent.runs {
        for (other, runs) in OTHERS.iter().zip(&mut others) {
            run_other(extent, other, bytes, runs);
        }
        run(extent, bytes, &mut ours);
    }
    let reached = OTHERS
        .iter()
        .zip(others)
        .filter(|(_, runs)| !runs.speed.is_empty());
    let best = reached
        .max_by(|(_, a), (_, b)| median(&a.speed).total_cmp(&median(&b.speed)))
        .map(|(name, runs)| {
            eprintln!("   the best of the others is {name}");
            runs
        })
        .unwrap_or_default();
    let row = |what, unit, ours, limit, wanted| Row {
        what,
        unit,
        ours,
        limit,
        wanted,
    };
    vec![
        row(
            "T9 TLS flood, beside the best of the others",
            Unit::GibPerSecond,
            ours.speed,
            best.speed,
            Wanted::AtLeast(1.0),
        ),
        row(
            "T9 CPU of the TLS flood",
            Unit::CpuSeconds,
            ours.cpu,
            best.cpu,
            Wanted::Nothing,
        ),
    ]
}

fn run(extent: &Extent, bytes: u64, runs: &mut Runs) {
    let (mut server, address) = start(bytes);
    let target = format!("tls://{address}");
    let scope = Scope::with(extent.folder(), &["--insecure", &target]);
    let Given { seconds } = server.hear();
    scope.terminal.wait_text("half-closed");
    let (_, played) = scope.received(bytes);
    eprintln!("   sockscope: {:.2} s, {:.2} s CPU", seconds, played.cpu);
    runs.speed.push(bytes as f64 / GIB / seconds);
    runs.cpu.push(played.cpu);
}

fn run_other(extent: &Extent, name: &str, bytes: u64, runs: &mut Runs) {
    let (mut server, address) = start(bytes);
    let file = extent.folder().join("other");
    let Some(mut command) = other(name, &address, &file) else {
        return;
    };
    let Ok(mut child) = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn() else {
        eprintln!("   {name} is not installed");
        return;
    };
    let Given { seconds } = server.hear();
    // Not all of them end with their peer; this one ends those that read their input.
    drop(child.stdin.take());
    let cpu = cpu_of_child(|| _ = child.wait().unwrap());
    let size = std::fs::metadata(&file).unwrap().len();
    assert_eq!(size, bytes, "{name}");
    std::fs::remove_file(file).unwrap();
    eprintln!("   {name}: {seconds:.2} s, {cpu:.2} s CPU");
    runs.speed.push(bytes as f64 / GIB / seconds);
    runs.cpu.push(cpu);
}

/// The command of one of them, which writes what it receives to `file`.
fn other(name: &str, address: &str, file: &Path) -> Option<Command> {
    let (host, port) = address.rsplit_once(':')?;
    let output = std::fs::File::create(file).ok()?;
    let mut command;
    match name {
        "openssl s_client" => {
            command = Command::new("openssl");
            command.args(["s_client", "-quiet", "-connect", address]);
        }
        "socat" => {
            command = Command::new("socat");
            command.args(["-u", "-b", "65536", &format!("OPENSSL:{address},verify=0"), "-"]);
        }
        "ncat" => {
            command = Command::new("ncat");
            command.args(["--ssl", host, port]);
        }
        _ => return None,
    }
    command.stdout(output);
    Some(command)
}

/// Starts the server, and where it listens.
fn start(bytes: u64) -> (Part, String) {
    let mut part = Part::start(&["tls-flood", &bytes.to_string()]);
    let Listening { address } = part.hear();
    (part, address.to_string())
}

/// Sends so many bytes over TLS and tells how long it took until they were on their way.
pub(crate) fn flood(bytes: u64) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    tell(&Listening {
        address: listener.local_addr().unwrap(),
    });
    let (stream, _) = listener.accept().unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    let text = content::text();
    let start = Instant::now();
    let mut left = bytes as usize;
    for piece in text.chunks(PIECE).cycle() {
        let piece = &piece[..piece.len().min(left)];
        if piece.is_empty() {
            break;
        }
        stream.write_all(piece).unwrap();
        left -= piece.len();
    }
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    let seconds = start.elapsed().as_secs_f64();
    stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
    tell(&Given { seconds });
    peer::drain(&mut stream.sock);
}
