// SPDX-License-Identifier: Apache-2.0

/// The limits of one job in nanoseconds, zero for none, its priority and its retries.
struct JobLimits {
  let timeout, queueTimeout, deadline: Int64
  let priority: Int32
  let retries: UInt32

  init(
    timeout: Duration?, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    retries: Int = 0
  ) throws(PebbleError) {
    let range = FutureHandle.priorities
    guard range.contains(priority) else {
      throw PebbleError(
        .invalidArgument, "priority must be \(range.lowerBound) to \(range.upperBound), not \(priority)")
    }
    guard retries >= 0 else {
      throw PebbleError(.invalidArgument, "retries must be at least 0, not \(retries)")
    }
    self.priority = Int32(priority)
    self.retries = UInt32(clamping: retries)
    self.timeout = try Self.checked(timeout, "timeout")
    self.queueTimeout = try Self.checked(queueTimeout, "queueTimeout")
    self.deadline = try Self.checked(deadline, "deadline")
  }

  private static func checked(_ limit: Duration?, _ name: String) throws(PebbleError) -> Int64 {
    guard let limit else { return 0 }
    guard limit > .zero else { throw PebbleError(.invalidArgument, "\(name) must be positive, not \(limit)") }
    return Swift.max(limit.nanoseconds, 1)
  }
}
