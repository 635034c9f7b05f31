// SPDX-License-Identifier: Apache-2.0

/// The machine that had the job was lost, and nobody knows what became of the job there.
///
/// It is run again elsewhere only when it was scheduled with `retries`.
public struct NodeLost: Error, Equatable, Sendable, CustomStringConvertible {
  /// The name of the node.
  public let node: String
  /// The function that it ran.
  public let function: String
  /// From when the job was sent until the loss was noticed.
  public let runTime: Duration
  /// The workers and nodes that died in the job, with those of earlier tries.
  public let deaths: Int
  /// Whether it was given up with retries left, since it had taken too many with it.
  public let isPoisonous: Bool

  public var description: String { "node \(node) was lost with \(function) after \(runTime.short)" }
}
