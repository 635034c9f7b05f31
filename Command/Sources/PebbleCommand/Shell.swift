// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

/// What became of a shell command that ended by itself.
struct ShellEnd: Codable, Sendable, Equatable {
  /// What it exited with; nil when a signal ended it.
  var exitCode: Int32?
  var signal: Int32?
  var runSeconds: Double
  /// The processor time of it and what it waited for.
  var cpuSeconds: Double
  /// The largest resident size of a process of it, in bytes.
  var peakMemory: Int

  var succeeded: Bool { exitCode == 0 }
}

/// The shell could not be started.
struct NoShell: Error, Codable, CustomStringConvertible {
  let reason: String
  var description: String { "/bin/sh: \(reason)" }
}

/// The job: runs a command with `/bin/sh -c`, in a worker process.
///
/// When the worker is killed, whatever the command has started dies with it, also what went into sessions of its own.
func runShell(_ command: String) throws -> ShellEnd {
  let begin = ContinuousClock.now
  let pid = try startShell(command)
  var status: Int32 = 0
  var usage = rusage()
  while wait4(pid, &status, 0, &usage) < 0 && errno == EINTR {}
  let exited = status & 0x7f == 0
  return ShellEnd(
    exitCode: exited ? (status >> 8) & 0xff : nil, signal: exited ? nil : status & 0x7f,
    runSeconds: (ContinuousClock.now - begin) / .seconds(1),
    cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), peakMemory: usage.ru_maxrss * 1024)
}

let shellFunction = ProcessFunction(runShell, name: "shell") { ProcessCall($0).run(runShell) }

private func startShell(_ command: String) throws -> pid_t {
  // Workers ignore SIGINT, which is inherited: the command is to have what it would have anywhere.
  var attributes = posix_spawnattr_t()
  var signals = sigset_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

  var pid: pid_t = 0
  let texts = ["/bin/sh", "-c", command]
  let words: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
  defer { for word in words { free(word) } }
  let problem = posix_spawn(&pid, "/bin/sh", nil, &attributes, words, environ)
  guard problem == 0 else { throw NoShell(reason: String(cString: strerror(problem))) }
  return pid
}

private func seconds(_ time: timeval) -> Double {
  Double(time.tv_sec) + Double(time.tv_usec) / 1e6
}
