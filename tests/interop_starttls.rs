//! STARTTLS with mail servers that were not written for this project: Postfix and Dovecot.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/authority.rs"]
mod authority;
#[path = "support/binary.rs"]
mod binary;
#[path = "support/server.rs"]
mod server;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use authority::{Authority, pem};
use binary::{Home, free_port};
use server::{Server, command, is_installed};

/// Writes an authority and a certificate of localhost by it.
fn certificates(home: &Home) {
    let root = Authority::root("root");
    fs::write(home.path("ca.pem"), root.pem()).unwrap();
    let (chain, key) = root.issue(&authority::server(&["localhost", "127.0.0.1"]));
    fs::write(home.path("cert.pem"), pem("CERTIFICATE", &chain[0])).unwrap();
    fs::write(home.path("key.pem"), pem("PRIVATE KEY", key.secret_der())).unwrap();
    // The servers read these and more under users of their own.
    fs::set_permissions(home.path("."), Permissions::from_mode(0o755)).unwrap();
}

/// A server with processes of its own, which ends them when it is told to.
enum Family {
    /// By a signal.
    Child(Child),
    /// By a command, with these arguments.
    Daemon(&'static str, Vec<String>),
}

impl Drop for Family {
    fn drop(&mut self) {
        match self {
            Family::Child(child) => {
                let _ = kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM);
                let _ = child.wait();
            }
            Family::Daemon(program, arguments) => {
                let _ = quiet(program, arguments).status();
            }
        }
    }
}

fn quiet(program: &str, arguments: &[String]) -> Command {
    let mut command = command(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Waits until somebody listens there.
fn await_listener(address: &str) {
    // The program that it starts ends at once; what is waited for is another one.
    drop(Server::start_reachable(&mut command("true"), address.to_owned()));
}

fn dovecot(home: &Home, imap: &str, pop3: &str) -> Family {
    let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
    let base = home.path("dovecot");
    fs::create_dir(&base).unwrap();
    let user = if Uid::effective().is_root() {
        "nobody".to_owned()
    } else {
        nix::unistd::User::from_uid(Uid::effective())
            .unwrap()
            .unwrap()
            .name
    };
    let listener = |service: &str, port: String| {
        format!(
            "service {service}-login {{\n chroot =\n inet_listener {service} {{\n address = 127.0.0.1\n port = {port}\n }}\n \
             inet_listener {service}s {{\n port = 0\n }}\n}}\n"
        )
    };
    let conf = format!(
        "base_dir = {base}\nstate_dir = {base}\nlog_path = {base}/log\nprotocols = imap pop3\nssl = yes\n\
         ssl_cert = <{cert}\nssl_key = <{key}\ndefault_internal_user = {user}\ndefault_login_user = {user}\n\
         default_internal_group = \nmail_location = maildir:{base}/mail\nservice anvil {{\n chroot =\n}}\n\
         passdb {{\n driver = static\n args = nopassword=y\n}}\nuserdb {{\n driver = static\n args = home={base}\n}}\n{}{}",
        listener("imap", port(imap)),
        listener("pop3", port(pop3)),
        base = base.display(),
        cert = home.path("cert.pem").display(),
        key = home.path("key.pem").display(),
    );
    let path = home.path("dovecot.conf");
    fs::write(&path, conf).unwrap();
    let arguments = ["-F".to_owned(), "-c".to_owned(), path.display().to_string()];
    let dovecot = Family::Child(quiet("dovecot", &arguments).spawn().unwrap());
    await_listener(imap);
    await_listener(pop3);
    dovecot
}

fn postfix(home: &Home, address: &str) -> Family {
    let (conf, spool, data) = (home.path("conf"), home.path("spool"), home.path("data"));
    for folder in [&conf, &spool, &data] {
        fs::create_dir(folder).unwrap();
    }
    let user = nix::unistd::User::from_name("postfix").unwrap().unwrap();
    std::os::unix::fs::chown(&data, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {}\ndata_directory = {}\ncommand_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         myhostname = mail.example\nmydestination =\nsmtpd_tls_cert_file = {}\nsmtpd_tls_key_file = {}\n\
         smtpd_tls_security_level = may\nmaillog_file = {}/log\nmaillog_file_prefixes = /\n",
        spool.display(),
        data.display(),
        home.path("cert.pem").display(),
        home.path("key.pem").display(),
        home.path(".").display(),
    );
    fs::write(conf.join("main.cf"), main).unwrap();
    let master = format!(
        "{address} inet n - n - - smtpd\ntlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n\
         rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\ncleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\npostlog unix-dgram n - n - 1 postlogd\n"
    );
    fs::write(conf.join("master.cf"), master).unwrap();
    let with = |what: &str| vec!["-c".to_owned(), conf.display().to_string(), what.to_owned()];
    assert!(quiet("postfix", &with("start")).status().unwrap().success());
    let postfix = Family::Daemon("postfix", with("stop"));
    await_listener(address);
    postfix
}

/// Asks for TLS and then says `typed`; the lines of the log from the opening on. It is recorded under the protocol's name.
fn talk(home: &Home, protocol: &str, address: &str, typed: &str) -> Vec<String> {
    let ca = home.path("ca.pem").display().to_string();
    let recording = home.path(protocol).display().to_string();
    let arguments = [
        "-w",
        &recording,
        "--headless",
        "--stdin-eof",
        "ignore",
        "--starttls",
        protocol,
        "--ca",
        &ca,
        address,
    ];
    let run = home.run(&arguments, typed.as_bytes());
    println!("{}", run.text());
    assert_eq!((run.code(), run.stderr.as_str()), (0, ""));
    let lines = run.lines();
    let open = lines.iter().position(|line| line.contains("open: ")).unwrap();
    lines[open..].to_vec()
}

fn assert_told(lines: &[String], parts: &[&str]) {
    let mut rest = lines.iter();
    for part in parts {
        assert!(
            rest.any(|line| line.contains(part)),
            "{part:?} is not next in {lines:#?}"
        );
    }
}

#[test]
fn dovecot_starts_tls_for_imap_and_pop3() {
    if !is_installed("dovecot") || !Path::new("/usr/lib/dovecot/pop3-login").exists() {
        return;
    }
    let home = Home::new();
    certificates(&home);
    let (imap, pop3) = (free_port().to_string(), free_port().to_string());
    let _dovecot = dovecot(&home, &imap, &pop3);
    let agreed = "TLS 1.3, TLS_AES_256_GCM_SHA384, x25519";
    assert_told(
        &talk(&home, "imap", &imap, "a1 NOOP\r\na2 LOGOUT\r\n"),
        &[
            "* OK [CAPABILITY IMAP4rev1",
            "tls1 CAPABILITY␍␊",
            "STARTTLS",
            "tls2 STARTTLS␍␊",
            "tls2 OK",
            agreed,
            "a2 LOGOUT␍␊",
            "a2 OK",
            "closed: you sent FIN too",
        ],
    );
    assert_told(
        &talk(&home, "pop3", &pop3, "QUIT\r\n"),
        &["+OK", "STLS␍␊", "+OK", agreed, "QUIT␍␊", "+OK"],
    );
    repeat(&home, "pop3");
}

/// Lets Python repeat what was recorded, TLS included.
fn repeat(home: &Home, recording: &str) {
    if !is_installed("python3") {
        return;
    }
    let path = home.path(recording).display().to_string();
    let exported = home.run(&["open", "--headless", "--format", "python", &path], b"");
    let ca = format!(
        "create_default_context(cafile='{}')",
        home.path("ca.pem").display()
    );
    let script = exported.text().replace("create_default_context()", &ca);
    assert!(script.contains("\nstart_tls(0, \"127.0.0.1\")\n"), "{script}");
    let file = home.path("again.py");
    fs::write(&file, script).unwrap();
    let again = Command::new("python3").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    println!("{said}");
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert!(said.contains("0: started TLSv1.3\n"), "{said}");
}

#[test]
fn postfix_starts_tls() {
    if !is_installed("postfix") {
        return;
    }
    if !Uid::effective().is_root() {
        println!("skipped: Postfix starts only as root");
        return;
    }
    let home = Home::new();
    certificates(&home);
    let address = free_port().to_string();
    let _postfix = postfix(&home, &address);
    assert_told(
        &talk(&home, "smtp", &address, "EHLO again\r\nQUIT\r\n"),
        &[
            "220 mail.example ESMTP",
            "EHLO [127.0.0.1]␍␊",
            "250-STARTTLS␍␊",
            "STARTTLS␍␊",
            "220 2.0.0 Ready to start TLS",
            "TLS 1.3, ",
            "EHLO again␍␊QUIT␍␊",
            "221 2.0.0 Bye",
        ],
    );
}
