//! What a container used, by the files of its cgroup and of its first process.
//!
//! Source: the kernel's `admin-guide/cgroup-v1` and `admin-guide/cgroup-v2`, and proc(5).

mod counters;
#[cfg(test)]
pub(super) mod tests;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::counters::{field, io_v1, io_v2, network, number};

/// Where the kernel shows things.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    /// `/proc`.
    pub(crate) proc: PathBuf,
    /// `/sys/fs/cgroup`.
    pub(crate) cgroup: PathBuf,
}

/// What a container has used since it was started. Counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) cpu_us: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) read_bytes: u64,
    pub(crate) write_bytes: u64,
}

/// What a container has used, and what it has now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) counters: Counters,
    /// Memory without the file cache that the kernel would give back first, as `docker stats` counts it.
    pub(crate) memory_kib: u64,
}

/// The files of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    network: PathBuf,
    cpu: Folder,
    memory: Folder,
    io: Folder,
}

/// Where one controller's files are. Both versions may be there at once, each with some controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Folder {
    V1(PathBuf),
    V2(PathBuf),
    /// The kernel was built or started without it.
    Nowhere,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), cgroup: "/sys/fs/cgroup".into() }
    }
}

impl Group {
    /// The files of the container whose first process is `pid`.
    ///
    /// # Errors
    /// What the system says, or that the process is in no cgroup.
    pub(crate) fn of(roots: &Roots, pid: u32) -> io::Result<Self> {
        let process = roots.proc.join(pid.to_string());
        let groups = fs::read_to_string(process.join("cgroup"))?;
        let [cpu, memory, io] =
            ["cpuacct", "memory", "blkio"].map(|it| folder(&groups, it, &roots.cgroup));
        if [&cpu, &memory, &io].iter().all(|it| **it == Folder::Nowhere) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the process is in no cgroup"));
        }
        Ok(Self { network: process.join("net/dev"), cpu, memory, io })
    }

    /// What the container has used until now.
    ///
    /// # Errors
    /// What the system says: most likely the container [`has_ended`].
    pub(crate) fn sample(&self) -> io::Result<Sample> {
        let cpu_us = match &self.cpu {
            Folder::V1(group) => number(&read(&group.join("cpuacct.usage"))?) / 1000,
            Folder::V2(group) => field(&read(&group.join("cpu.stat"))?, "usage_usec"),
            Folder::Nowhere => 0,
        };
        let (used, cache) = match &self.memory {
            Folder::V1(group) => {
                let stat = read(&group.join("memory.stat"))?;
                let used = number(&read(&group.join("memory.usage_in_bytes"))?);
                (used, field(&stat, "total_inactive_file"))
            }
            Folder::V2(group) => {
                let stat = read(&group.join("memory.stat"))?;
                let used = number(&read(&group.join("memory.current"))?);
                (used, field(&stat, "inactive_file"))
            }
            Folder::Nowhere => (0, 0),
        };
        let (read_bytes, write_bytes) = match &self.io {
            Folder::V1(group) => io_of_v1(group)?,
            Folder::V2(group) => io_v2(&read(&group.join("io.stat"))?),
            Folder::Nowhere => (0, 0),
        };
        // Last of all: as long as there is this, the process lives, and so do its cgroups. What was
        // missing of them is what the kernel leaves out, and no group that had ended.
        let (rx_bytes, tx_bytes) = network(&fs::read_to_string(&self.network)?);
        let counters = Counters { cpu_us, rx_bytes, tx_bytes, read_bytes, write_bytes };
        Ok(Sample { counters, memory_kib: used.saturating_sub(cache) / 1024 })
    }
}

/// Whether this is how the kernel says that a process or its cgroup is not there any more.
pub(crate) fn has_ended(error: &io::Error) -> bool {
    use rustix::io::Errno;

    let codes = [Errno::NOENT, Errno::SRCH, Errno::NODEV, Errno::INVAL];
    error.kind() == io::ErrorKind::NotFound
        || codes.iter().any(|it| error.raw_os_error() == Some(it.raw_os_error()))
}

/// A file; nothing if it is not there.
fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result,
    }
}

/// Bytes read and written, by the first file that has any. Which one counts depends on the kernel, and on
/// the scheduler of the disk; where none does, as with newer kernels that limit nothing, there are none.
fn io_of_v1(group: &Path) -> io::Result<(u64, u64)> {
    for (policy, scope) in
        [("throttle", "_recursive"), ("throttle", ""), ("bfq", "_recursive"), ("bfq", "")]
    {
        let file = group.join(format!("blkio.{policy}.io_service_bytes{scope}"));
        let sum = io_v1(&read(&file)?);
        if sum != (0, 0) {
            return Ok(sum);
        }
    }
    Ok((0, 0))
}

/// Where the files of a controller are, by `/proc/<pid>/cgroup`: where the first version has it, or else
/// where the second has all.
fn folder(groups: &str, controller: &str, root: &Path) -> Folder {
    let groups = || {
        groups.lines().filter_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            Some((parts.next()?, parts.next()?.trim_start_matches('/')))
        })
    };
    if let Some((all, path)) = groups().find(|it| it.0.split(',').any(|it| it == controller)) {
        // Controllers that are mounted as one have a link each to the folder of all, most of the time.
        let own = root.join(controller);
        let mount = if own.exists() { own } else { root.join(all) };
        return Folder::V1(mount.join(path));
    }
    let Some((_, path)) = groups().find(|it| it.0.is_empty()) else { return Folder::Nowhere };
    // Beside the first version, the second is mounted there.
    let unified = root.join("unified");
    let mount = if unified.exists() { unified } else { root.to_owned() };
    Folder::V2(mount.join(path))
}
