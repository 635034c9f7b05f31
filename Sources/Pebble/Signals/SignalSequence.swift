// SPDX-License-Identifier: Apache-2.0

/// Signals that come to this process, such as SIGTERM, as an asynchronous sequence of their numbers.
///
/// They are handled from the making of the sequence on, so that none is lost before it is iterated, until it and its
/// iterators are dropped: then what was there before, for example the end of the process, is back. Every delivery is
/// one element; of several iterations it goes to one, of several sequences to each. Iterating ends when the task is
/// cancelled.
///
/// ```swift
/// for await signal in try SignalSequence(SIGTERM, SIGINT) { ... }
/// ```
public struct SignalSequence: AsyncSequence, Sendable {
  public typealias Element = Int32
  public typealias Failure = Never

  private let handle: SignalHandle
  private let box: SignalBox

  /// - Throws: ``PebbleError``: one of them is no signal, cannot be caught (SIGKILL, SIGSTOP), or tells of a fault of
  ///   the thread that gets it (SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGSYS, SIGABRT); or no memory or thread for it.
  public init(_ signals: Int32...) throws {
    try self.init(signals)
  }

  public init(_ signals: [Int32]) throws {
    let box = SignalBox()
    handle = try SignalHandle(signals) { box.put($0) }
    self.box = box
  }

  public func makeAsyncIterator() -> Iterator { Iterator(handle: handle, box: box) }

  public struct Iterator: AsyncIteratorProtocol {
    fileprivate let handle: SignalHandle
    fileprivate let box: SignalBox

    public mutating func next() async -> Int32? {
      await next(isolation: nil)
    }

    public mutating func next(isolation actor: isolated (any Actor)?) async -> Int32? {
      await box.next(isolation: actor)
    }
  }
}

/// Handles signals for the duration of `body`, which gets them as a sequence; see ``SignalSequence``.
public func withSignals<Value>(
  _ signals: Int32..., isolation: isolated (any Actor)? = #isolation,
  _ body: (SignalSequence) async throws -> sending Value
) async throws -> sending Value {
  try await body(try SignalSequence(signals))
}
