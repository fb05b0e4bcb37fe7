//! Child processes, and what they cost: CPU time, memory, wake-ups.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::PART;

/// This executable in another part; it tells what it has to tell as lines of JSON.
pub(crate) struct Part {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Part {
    /// Starts it.
    pub(crate) fn start(part: &[&str]) -> Part {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(PART)
            .args(part)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Part { child, lines }
    }

    /// Waits for its next line.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self) -> T {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Waits for its end; the CPU seconds that it took.
    pub(crate) fn end(mut self) -> f64 {
        cpu_of_child(|| assert!(self.child.wait().unwrap().success()))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // It may just have ended.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Tells the parent.
pub(crate) fn tell(what: &impl Serialize) {
    println!("{}", serde_json::to_string(what).unwrap());
}

/// The CPU seconds of the one child that is waited for meanwhile, from its start to its end.
pub(crate) fn cpu_of_child(wait: impl FnOnce()) -> f64 {
    let before = cpu_of_children();
    wait();
    cpu_of_children() - before
}

fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

/// The most memory that a running process had resident, in MiB. Not `ru_maxrss`, which a child begins with that of
/// whoever started it.
pub(crate) fn peak_memory(pid: Pid) -> f64 {
    field(&format!("/proc/{pid}/status"), "VmHWM:") as f64 / 1024.0
}

/// How often the threads of a running process have gone to sleep so far, which is as often as they were woken.
pub(crate) fn wake_ups(pid: Pid) -> u64 {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .map(|thread| {
            let status = thread.unwrap().path().join("status");
            field(status.to_str().unwrap(), "voluntary_ctxt_switches:")
        })
        .sum()
}

/// The CPU time that a running process has taken so far.
pub(crate) fn cpu_so_far(pid: Pid) -> Duration {
    clock_gettime(clock_getcpuclockid(pid).unwrap()).unwrap().into()
}

fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    value.split_whitespace().next().unwrap().parse().unwrap()
}
