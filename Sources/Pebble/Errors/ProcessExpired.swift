// SPDX-License-Identifier: Apache-2.0

/// The worker process died while it ran the job.
public struct ProcessExpired: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the process exited with, zero included; nil when a signal ended it, or nobody knows.
  public let exitCode: Int32?
  /// The name of the signal that ended it, such as "SIGSEGV"; nil when it exited, or nobody knows.
  public let signal: String?
  public let processID: Int32
  /// The function that it ran.
  public let function: String
  /// How long it ran it.
  public let runTime: Duration
  /// The processor time of the process in its whole life.
  public let cpuTime: Duration
  /// The largest resident size of the process, in bytes.
  public let peakMemory: Int
  /// The workers that died in the job, with those of earlier tries.
  public let deaths: Int
  /// Whether it was given up with retries left, since it had taken too many workers with it.
  public let isPoisonous: Bool

  public var description: String {
    let how =
      if let signal { "crashed: \(signal)" } else if let exitCode { "exited with code \(exitCode)" } else {
        "was lost with the fork server"
      }
    return "worker \(processID) \(how) in \(function) after \(runTime.short)"
  }
}
