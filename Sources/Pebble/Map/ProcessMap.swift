// SPDX-License-Identifier: Apache-2.0

/// The results of a function over many inputs, in the order of the inputs.
///
/// Inputs are taken as results are asked for, a few more than there are workers ahead, so they may be without end.
/// Iterating it throws the first error there is and cancels the rest; iterating ``results`` goes on after errors.
/// Dropping an iterator cancels what it has not delivered.
public struct ProcessMap<Value: Codable & Sendable>: AsyncSequence, Sendable {
  public typealias Element = Value
  public typealias Failure = any Error

  let start: @Sendable () -> MapRun<Value>

  /// The same, with a failed element's error in its place.
  public var results: Results { Results(start: start) }

  public func makeAsyncIterator() -> Iterator { Iterator(run: start()) }

  public struct Iterator: AsyncIteratorProtocol {
    let run: MapRun<Value>

    public mutating func next() async throws -> Value? {
      try await next(isolation: nil)
    }

    public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Value? {
      guard let result = await run.next(isolation: actor) else { return nil }
      do {
        return try result.get()
      } catch {
        run.cancel()
        throw error
      }
    }
  }

  /// The outcome of every element, in the order of the inputs.
  public struct Results: AsyncSequence, Sendable {
    public typealias Element = Result<Value, any Error>
    public typealias Failure = Never

    let start: @Sendable () -> MapRun<Value>

    public func makeAsyncIterator() -> Iterator { Iterator(run: start()) }

    public struct Iterator: AsyncIteratorProtocol {
      let run: MapRun<Value>

      public mutating func next() async -> Result<Value, any Error>? {
        await next(isolation: nil)
      }

      public mutating func next(isolation actor: isolated (any Actor)?) async -> Result<Value, any Error>? {
        await run.next(isolation: actor)
      }
    }
  }
}

@available(*, unavailable)
extension ProcessMap.Iterator: Sendable {}

@available(*, unavailable)
extension ProcessMap.Results.Iterator: Sendable {}
