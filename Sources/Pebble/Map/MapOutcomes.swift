// SPDX-License-Identifier: Apache-2.0

/// The outcomes of an iteration's elements, one by one.
///
/// Inlinable, so that what is done for each element is compiled for the caller's type.
@usableFromInline
struct MapOutcomes<Value: Sendable> {
  private let run: any MapIteration<Value>
  @usableFromInline var ready: [Result<Value, any Error>] = []
  /// How many of these were handed out.
  @usableFromInline var handedOut = 0

  init(_ run: any MapIteration<Value>) {
    self.run = run
  }

  @inlinable
  mutating func next(isolation: isolated (any Actor)?) async -> Result<Value, any Error>? {
    if handedOut == ready.count {
      await refill(isolation: isolation)
      if ready.isEmpty { return nil }
    }
    defer { handedOut += 1 }
    return ready[handedOut]
  }

  @usableFromInline
  mutating func refill(isolation: isolated (any Actor)?) async {
    ready = []
    handedOut = 0
    ready = await run.next(isolation: isolation)
  }

  @usableFromInline
  func cancel() { run.cancel() }
}
