// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Why Pebble could not do what it was asked to.
///
/// What happens to a job that did run is told by other errors: its own, ``TimeoutError``, ``ProcessExpired``,
/// ``NodeLost``, ``RemoteError`` and `CancellationError`.
public struct PebbleError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of a ``PebbleError``; there may be more kinds in later versions.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    private init(_ description: String) {
      self.description = description
    }

    /// The pool was closed or stopped and takes no more jobs.
    public static let closed = Code("the pool is closed")
    /// As many jobs wait as may: the pool's `maxQueued`.
    public static let full = Code("the pool's queue is full")
    /// The pool was stopped before the job began.
    public static let stopped = Code("the pool was stopped")
    /// No worker could be started.
    public static let workerStart = Code("no worker could be started")
    /// No worker could be confined as the pool's `confinement` asks: see ``PebbleError/errno``. `EBUSY` says that the
    /// initializer has left threads behind, or used a process pool; others are of opening a path.
    public static let confinement = Code("no worker could be confined")
    /// A worker ran the program's own `main` instead of the pool's jobs, so there will be no workers.
    public static let noEntry = Code("the worker never reached Pebble's entry point")
    /// The worker's image does not hold the function: it is not the one the host runs.
    public static let noFunction = Code("the worker does not have the function")
    /// No node could be started.
    public static let nodeStart = Code("no node could be started")
    /// What was started on a node is another build of the program.
    public static let otherProgram = Code("another build of the program was started on a node")
    /// Arguments, a result or an error could not be decoded by the other side.
    public static let undecodable = Code("undecodable")
    /// The arguments, or the reply, are larger than the pool's `maxPayload`.
    public static let tooLarge = Code("larger than the pool's maxPayload")
    /// A limit or count is out of its range.
    public static let invalidArgument = Code("invalid argument")
    /// `join` on a pool that was neither closed nor stopped.
    public static let stillOpen = Code("the pool is neither closed nor stopped")
    /// `join` from one of the pool's own callbacks.
    public static let wouldDeadlock = Code("a callback cannot wait for its own pool")
    /// Pools inside jobs are nested too deep.
    public static let nestedTooDeep = Code("pools are nested too deep")
    /// The process is a fork, without exec, of the one that made the pool.
    public static let forked = Code("the pool belongs to the parent process")
    /// The system refused: see ``PebbleError/errno``.
    public static let system = Code("system error")
  }

  public let code: Code
  /// The system's error number, where there is one.
  public let errno: Int32?
  /// What was being done, or what was wrong, in words.
  public let message: String

  init(_ code: Code, _ message: String, errno: Int32? = nil) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  public var description: String {
    let system = errno.map { ": " + String(cString: strerror($0)) } ?? ""
    return message.isEmpty ? "\(code)\(system)" : "\(message): \(code)\(system)"
  }
}

extension PebbleError {
  /// The error for a number that a call of the C library returned.
  init(errno number: Int32, while doing: String) {
    switch number {
    case ESHUTDOWN: self.init(.closed, doing)
    case ENOEXEC: self.init(.noEntry, doing)
    case EFBIG: self.init(.tooLarge, doing)
    case EINVAL: self.init(.invalidArgument, doing)
    case EBUSY: self.init(.stillOpen, doing)
    case EDEADLK: self.init(.wouldDeadlock, doing)
    case ELOOP: self.init(.nestedTooDeep, doing)
    case ECHILD: self.init(.forked, doing)
    default: self.init(.system, doing, errno: number)
    }
  }
}
