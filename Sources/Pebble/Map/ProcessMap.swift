// SPDX-License-Identifier: Apache-2.0

/// The results of a function over many inputs, in the order of the inputs, or as they complete.
///
/// Inputs are taken as results are asked for, so they may be without end: a few more than there are workers ahead, or as
/// many as keep the workers busy where an element takes microseconds, up to 64 for each.
/// Iterating it throws the first error there is and cancels the rest; iterating ``results`` goes on after errors.
/// Dropping an iterator cancels what it has not delivered.
public struct ProcessMap<Value: Sendable>: AsyncSequence, Sendable {
  public typealias Element = Value
  public typealias Failure = any Error

  private let runs: any MapRuns<Value>

  init(_ runs: some MapRuns<Value>) {
    self.runs = runs
  }

  /// The same, with a failed element's error in its place.
  public var results: Results { Results(runs: runs) }

  /// Cancels what the iterations so far have not delivered. They take no more inputs, and give a `CancellationError`
  /// for each input that they have taken and that has no outcome yet.
  public func cancel() { runs.cancel() }

  public func makeAsyncIterator() -> Iterator { Iterator(runs.begin()) }

  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline var outcomes: MapOutcomes<Value>

    init(_ run: any MapIteration<Value>) {
      outcomes = MapOutcomes(run)
    }

    @inlinable public mutating func next() async throws -> Value? {
      try await next(isolation: nil)
    }

    @inlinable public mutating func next(isolation actor: isolated (any Actor)?) async throws(any Error) -> Value? {
      switch await outcomes.next(isolation: actor) {
      case .success(let value)?: return value
      case nil: return nil
      case .failure(let error)?:
        outcomes.cancel()
        throw error
      }
    }
  }

  /// The outcome of every element.
  public struct Results: AsyncSequence, Sendable {
    public typealias Element = Result<Value, any Error>
    public typealias Failure = Never

    fileprivate let runs: any MapRuns<Value>

    public func makeAsyncIterator() -> Iterator { Iterator(runs.begin()) }

    public struct Iterator: AsyncIteratorProtocol {
      @usableFromInline var outcomes: MapOutcomes<Value>

      init(_ run: any MapIteration<Value>) {
        outcomes = MapOutcomes(run)
      }

      @inlinable public mutating func next() async -> Result<Value, any Error>? {
        await outcomes.next(isolation: nil)
      }

      @inlinable public mutating func next(isolation actor: isolated (any Actor)?) async -> Result<Value, any Error>? {
        await outcomes.next(isolation: actor)
      }
    }
  }
}

@available(*, unavailable)
extension ProcessMap.Iterator: Sendable {}

@available(*, unavailable)
extension ProcessMap.Results.Iterator: Sendable {}
