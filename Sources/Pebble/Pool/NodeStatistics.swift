// SPDX-License-Identifier: Apache-2.0

/// What one node of a pool has done, since the pool was made, and does.
public struct NodeStatistics: Sendable, Equatable {
  /// Where a node is in its life.
  public enum State: Sendable {
    /// It was not needed yet, or has left in peace.
    case down
    /// Its command runs, and it has not said a word: it may wait in a queue of Slurm's.
    case starting
    case up
    /// It gets no more jobs.
    case leaving
    /// It was lost, or could not be reached, and is tried again later.
    case resting
  }

  /// As in ``NodeLost`` and ``ProcessExpired``; empty until the node said it.
  public let name: String
  public let state: State
  /// The jobs that it can have at once, now.
  public let slots: Int
  /// The jobs that it has, now.
  public let running: Int
  /// The jobs that came back from it, whatever became of them there.
  public let done: Int
  /// The jobs that it had when it was lost; those that ran again elsewhere are among them.
  public let lostJobs: Int
  /// How often it came up.
  public let joined: Int
  /// How often it was lost, once it was up.
  public let losses: Int
  /// The time since it was last heard, now; zero when it is not up.
  public let silence: Duration
}

extension ProcessPool {
  /// Of each node, in the order in which they were named, a snapshot of one moment; none where jobs run on this machine
  /// only.
  public var nodeStatistics: [NodeStatistics] { handle.nodeStatistics }
}
