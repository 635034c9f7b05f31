// SPDX-License-Identifier: Apache-2.0

/// Keeps jobs from all that the program's user may but computing takes, for ever and with all their threads: for code that
/// decodes what others send, and may be taken over by it.
///
/// That is: from files; from other programs and processes (fork, exec, signals, tracing); from sockets; from changes of
/// its rights, limits or surroundings; and from process pools of its own. A worker can still compute, have threads and
/// tasks, and use what it has open. Crash reports, captured output, limits and cancels work as ever. What is refused fails
/// with `EPERM`, `EACCES`, or `ENOSYS` where libraries have another way.
///
/// It holds from the end of ``ProcessPool/Configuration/initializer`` on, which so may open files and load libraries. It
/// must leave no threads behind, and so not be asynchronous, nor use process pools. The finalizer is confined.
///
/// It takes a kernel with seccomp and Landlock, Linux 5.13 or newer.
public struct WorkerConfinement: Sendable, Equatable {
  /// Absolute paths that jobs can read, with what is below them, up to 32; names and sizes of other files they can then
  /// ask for too.
  public var readablePaths: [String]

  public init(readablePaths: [String] = []) {
    self.readablePaths = readablePaths
  }
}
