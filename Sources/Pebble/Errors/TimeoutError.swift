// SPDX-License-Identifier: Apache-2.0

/// A limit expired.
public struct TimeoutError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was limited.
  public enum Limit: Sendable {
    /// The time that the job may run; its worker was killed.
    case timeout
    /// The time that the job may wait for a worker; it never began.
    case queueTimeout
    /// The time that the job may wait and run together.
    case deadline
    /// The time that the caller was willing to wait; the job goes on.
    case wait
  }

  public let limit: Limit
  /// How long the limit was.
  public let length: Duration
  /// How long the job waited for a worker; zero for a caller's wait.
  public let waitTime: Duration
  /// How long the job ran; zero when it never began.
  public let runTime: Duration
  /// The end of what the job wrote to its standard error; nil when that was not captured, or the job never began.
  public let outputTail: String?
  /// Where the threads of its worker were, the main one first, where the pool has a
  /// ``ProcessPool/Configuration/stackDump``; empty when the job never began, or they did not answer in time. Those of
  /// a `ThreadPool` are not told of. An `async` function that is suspended is on no thread.
  public let stacks: [ThreadStack]

  init(
    _ limit: Limit, _ length: Duration, waitTime: Duration = .zero, runTime: Duration = .zero,
    outputTail: String? = nil, stacks: [ThreadStack] = []
  ) {
    self.limit = limit
    self.length = length
    self.waitTime = waitTime
    self.runTime = runTime
    self.outputTail = outputTail
    self.stacks = stacks
  }

  /// A line that says which limit it was; then the stacks, where there are any, which get their names when this is
  /// first asked for.
  public var description: String { ([summary] + stacks.map { "  \($0)" }).joined(separator: "\n") }

  private var summary: String {
    switch limit {
    case .timeout: "timed out: ran for more than \(length.short)"
    case .queueTimeout: "timed out: waited for more than \(length.short) for a worker"
    case .deadline:
      "timed out: its deadline of \(length.short) passed after \(waitTime.short) of waiting and \(runTime.short) of running"
    case .wait: "timed out: no outcome within \(length.short)"
    }
  }
}
