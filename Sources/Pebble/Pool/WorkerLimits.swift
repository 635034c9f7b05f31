// SPDX-License-Identifier: Apache-2.0

/// What a worker process may use, besides what the program itself may not: a limit is never raised.
///
/// Nil stands for no further limit. What a job starts inherits them, but for ``coreSize``.
public struct WorkerLimits: Sendable, Equatable {
  /// Bytes of all that is mapped, the program's own libraries among it.
  public var addressSpace: Int?
  /// Seconds of processor time in a worker's whole life; it then ends with SIGXCPU.
  public var cpuSeconds: Int?
  /// Descriptors.
  public var openFiles: Int?
  /// Bytes of a core file; none is written when nil. Set as the worker crashes, and not where no crash can be recorded,
  /// as of the overflow of the stack of a thread that the job has started.
  public var coreSize: Int?
  /// 0 to 19, added to the program's own.
  public var nice: Int
  /// Whether a worker is kept from gaining privileges by an exec.
  public var noNewPrivileges: Bool

  public init(
    addressSpace: Int? = nil, cpuSeconds: Int? = nil, openFiles: Int? = nil, coreSize: Int? = nil, nice: Int = 0,
    noNewPrivileges: Bool = false
  ) {
    self.addressSpace = addressSpace
    self.cpuSeconds = cpuSeconds
    self.openFiles = openFiles
    self.coreSize = coreSize
    self.nice = nice
    self.noNewPrivileges = noNewPrivileges
  }

  func check() throws(PebbleError) {
    let limits = [
      ("addressSpace", addressSpace), ("cpuSeconds", cpuSeconds), ("openFiles", openFiles), ("coreSize", coreSize),
    ]
    for (name, value) in limits {
      guard let value, value < 1 else { continue }
      throw PebbleError(.invalidArgument, "limits.\(name) must be at least 1, not \(value)")
    }
    guard (0...19).contains(nice) else {
      throw PebbleError(.invalidArgument, "limits.nice must be 0 to 19, not \(nice)")
    }
  }
}
