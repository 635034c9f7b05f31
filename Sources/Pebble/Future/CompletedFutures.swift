// SPDX-License-Identifier: Apache-2.0

/// The futures in the order in which they get their outcomes.
///
/// ```swift
/// for await future in asCompleted(futures) { print(try await future.value) }
/// ```
/// Leaving the loop leaves the jobs alone. In a task that is cancelled it ends.
public func asCompleted<Value>(_ futures: some Sequence<ProcessFuture<Value>>) -> CompletedFutures<Value> {
  CompletedFutures(futures: Array(futures))
}

/// Futures in the order in which they get their outcomes: what `asCompleted` returns.
public struct CompletedFutures<Value: Sendable>: AsyncSequence, Sendable {
  public typealias Element = ProcessFuture<Value>
  public typealias Failure = Never

  let futures: [ProcessFuture<Value>]

  public func makeAsyncIterator() -> Iterator {
    let (stream, continuation) = AsyncStream<ProcessFuture<Value>>.makeStream()
    for future in futures { future.whenDone { continuation.yield(future) } }
    return Iterator(rest: futures.count, base: stream.makeAsyncIterator())
  }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate var rest: Int
    fileprivate var base: AsyncStream<ProcessFuture<Value>>.Iterator

    public mutating func next() async -> ProcessFuture<Value>? {
      await next(isolation: nil)
    }

    public mutating func next(isolation actor: isolated (any Actor)?) async -> ProcessFuture<Value>? {
      guard rest > 0 else { return nil }
      rest -= 1
      return await base.next(isolation: actor)
    }
  }
}

@available(*, unavailable)
extension CompletedFutures.Iterator: Sendable {}
