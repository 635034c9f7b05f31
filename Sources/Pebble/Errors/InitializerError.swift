// SPDX-License-Identifier: Apache-2.0

/// A job never began, because the initializer of its pool's workers fails.
public struct InitializerError: Error, CustomStringConvertible {
  /// What the initializer threw, ``ProcessExpired`` when its worker died in it, or ``PebbleError`` when it took longer
  /// than the pool's `startTimeout`.
  public let cause: any Error

  /// The end of what it wrote to its standard error; nil when that was not captured.
  public let outputTail: String?

  public var description: String { "the workers' initializer failed: \(cause)" }
}
