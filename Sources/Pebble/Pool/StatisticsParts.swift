// SPDX-License-Identifier: Apache-2.0

extension ProcessPool.Statistics {
  /// How many jobs came to which end.
  public struct Outcomes: Sendable, Equatable {
    public let succeeded: Int
    /// The function threw.
    public let failed: Int
    public let timedOut: Int
    public let cancelled: Int
    /// The worker died.
    public let expired: Int
    /// They never began.
    public let notRun: Int
    /// Their node was lost.
    public let nodesLost: Int
  }

  /// What half, 90 % and 99 % of some durations do not exceed, to within 3 %, and the longest.
  public struct Quantiles: Sendable, Equatable {
    public let median: Duration
    public let p90: Duration
    public let p99: Duration
    public let longest: Duration
  }
}
