// SPDX-License-Identifier: Apache-2.0
internal import Dispatch

/// A queue between threads and tasks: first in, first out, for any number of putting and getting ones.
///
/// Several queues can be waited for at once: `waitForQueues`. As an asynchronous sequence it gives what it gets, and
/// ends when it is closed and empty; of several iterations each element goes to one.
public final class Queue<Element: Sendable>: WaitableQueue {
  public let _handle: _QueueReference

  /// - Parameter capacity: how many elements it holds at most; nil: as many as there is memory for.
  /// - Throws: ``PebbleError``: the capacity is below 1, or no memory.
  public init(capacity: Int? = nil) throws {
    if let capacity, capacity < 1 {
      throw PebbleError(.invalidArgument, "capacity must be at least 1, not \(capacity)")
    }
    _handle = _QueueReference(handle: try QueueHandle(capacity: capacity ?? 0))
  }

  /// Puts an element, waiting for room.
  ///
  /// - Throws: ``TimeoutError`` with the limit ``TimeoutError/Limit/wait`` when there is no room in time,
  ///   ``PebbleError`` with the code ``PebbleError/Code/closed`` when it is closed.
  @available(*, noasync, message: "use 'await put(_:)'")
  public func put(_ element: Element, timeout: Duration? = nil) throws {
    try putBlocking(element, timeout: timeout)
  }

  /// Puts an element, waiting for room without blocking a thread of Swift's executors.
  ///
  /// Cancelling the task does not take it back.
  ///
  /// - Throws: ``PebbleError`` with the code ``PebbleError/Code/closed`` when it is closed.
  public func put(_ element: Element) async throws {
    if try offer(element) { return }
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      DispatchQueue(label: "pebble.queue.put").async { [self] in
        continuation.resume(with: Result { try putBlocking(element, timeout: nil) })
      }
    }
  }

  private func putBlocking(_ element: Element, timeout: Duration?) throws {
    switch try _handle.handle.put(Box(element), timeout.nanosecondsToWait) {
    case .item: return
    case .closed: throw PebbleError(.closed, "putting into a queue")
    case .notNow: throw TimeoutError(.wait, timeout ?? .zero)
    }
  }

  /// Puts an element if there is room now.
  ///
  /// - Returns: whether there was.
  /// - Throws: ``PebbleError`` with the code ``PebbleError/Code/closed`` when it is closed.
  public func offer(_ element: Element) throws -> Bool {
    switch try _handle.handle.put(Box(element), 0) {
    case .item: return true
    case .closed: throw PebbleError(.closed, "putting into a queue")
    case .notNow: return false
    }
  }

  /// Takes the oldest element, waiting for one.
  ///
  /// - Returns: nil when the queue is closed and nothing is left in it.
  /// - Throws: ``TimeoutError`` with the limit ``TimeoutError/Limit/wait`` when there is none in time.
  @available(*, noasync, message: "use 'await get()'")
  public func get(timeout: Duration? = nil) throws -> Element? {
    switch try _handle.handle.get(timeout.nanosecondsToWait) {
    case .item(let box): return Self.open(box)
    case .closed: return nil
    case .notNow: throw TimeoutError(.wait, timeout ?? .zero)
    }
  }

  /// Takes the oldest element, waiting for one without blocking a thread of Swift's executors.
  ///
  /// - Returns: nil when the queue is closed and nothing is left in it.
  /// - Throws: `CancellationError` when the task is cancelled; it has then taken nothing.
  public func get() async throws -> Element? {
    while true {
      try Task.checkCancellation()
      switch try _handle.handle.get(0) {
      case .item(let box): return Self.open(box)
      case .closed: return nil
      case .notNow: try await _handle.handle.becomesReady()
      }
    }
  }

  /// Takes the oldest element if there is one now.
  public func poll() throws -> Element? {
    guard case .item(let box) = try _handle.handle.get(0) else { return nil }
    return Self.open(box)
  }

  /// No more elements; those there are can still be taken. Whoever waits is woken. Repeating it is harmless.
  public func close() { _handle.handle.close() }

  /// How many elements are in it at this moment.
  public var count: Int { _handle.handle.count }

  private static func open(_ box: AnyObject) -> Element {
    unsafeDowncast(box, to: Box.self).element
  }

  private final class Box: Sendable {
    let element: Element

    init(_ element: Element) {
      self.element = element
    }
  }
}

extension Queue: AsyncSequence {
  public func makeAsyncIterator() -> Iterator { Iterator(queue: self) }

  public struct Iterator: AsyncIteratorProtocol {
    let queue: Queue

    public mutating func next() async throws -> Element? {
      try await queue.get()
    }
  }
}
