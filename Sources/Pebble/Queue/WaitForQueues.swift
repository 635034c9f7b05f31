// SPDX-License-Identifier: Apache-2.0
internal import Dispatch

/// A queue of some element: what can be waited for together with others.
public protocol WaitableQueue: AnyObject, Sendable {
  var _handle: _QueueReference { get }
}

/// A queue's inside.
public struct _QueueReference: Sendable {
  let handle: QueueHandle
}

/// Waits until at least one of the queues is ready: it has an element, or is closed. Takes nothing.
///
/// - Parameters:
///   - queues: what to wait for.
///   - timeout: how long to wait, without limit when nil.
/// - Returns: those that are ready, in the order given; none when the time is over.
/// - Throws: ``PebbleError`` when there is no memory for it.
@available(*, noasync, message: "use 'await waitForQueues(_:)'")
public func waitForQueues<Element>(_ queues: [Queue<Element>], timeout: Duration? = nil) throws -> [Queue<Element>] {
  try ready(queues, \._handle.handle, timeout)
}

/// Waits until at least one of queues of different elements is ready; see the other form.
@available(*, noasync, message: "use 'await waitForQueues(_:)'")
public func waitForQueues(_ queues: [any WaitableQueue], timeout: Duration? = nil) throws -> [any WaitableQueue] {
  try ready(queues, \._handle.handle, timeout)
}

/// Waits until at least one of the queues is ready, without blocking a thread of Swift's executors.
///
/// Cancelling the task has no effect on a wait; give it a timeout.
public func waitForQueues<Element>(
  _ queues: [Queue<Element>], timeout: Duration? = nil
) async throws -> [Queue<Element>] {
  try await elsewhere { try ready(queues, \._handle.handle, timeout) }
}

/// Waits until at least one of queues of different elements is ready, without blocking a thread of Swift's executors.
public func waitForQueues(
  _ queues: [any WaitableQueue], timeout: Duration? = nil
) async throws -> [any WaitableQueue] {
  try await elsewhere { try ready(queues, \._handle.handle, timeout) }
}

private func ready<Q>(_ queues: [Q], _ handle: (Q) -> QueueHandle, _ timeout: Duration?) throws -> [Q] {
  let ready = try QueueHandle.wait(queues.map(handle), timeout.nanosecondsToWait)
  return zip(queues, ready).compactMap { queue, isReady in isReady ? queue : nil }
}

/// Runs what blocks where no task waits for the thread.
func elsewhere<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "pebble.wait").async { continuation.resume(with: Result(catching: body)) }
  }
}
