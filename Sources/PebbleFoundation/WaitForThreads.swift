// SPDX-License-Identifier: Apache-2.0
internal import Pebble

/// Waits until at least one of the threads has ended: its block has returned, or it has left by `Thread.exit()`. Changes
/// nothing in them: they can be waited for again.
///
/// One that is never started does not end.
///
/// - Parameter timeout: how long to wait, without limit when nil.
/// - Returns: those that have ended, in the order given; none when the time is over.
/// - Throws: ``PebbleError`` when there is no memory for it.
@available(*, noasync, message: "use 'await waitForThreads(_:)'")
public func waitForThreads(_ threads: [WaitableThread], timeout: Duration? = nil) throws -> [WaitableThread] {
  guard !threads.isEmpty else { return [] }
  return threads.among(try waitForQueues(threads.map(\.end), timeout: timeout))
}

/// Waits until at least one of the threads has ended, without blocking a thread of Swift's executors.
///
/// Cancelling the task has no effect on a wait; give it a timeout.
public func waitForThreads(_ threads: [WaitableThread], timeout: Duration? = nil) async throws -> [WaitableThread] {
  guard !threads.isEmpty else { return [] }
  return threads.among(try await waitForQueues(threads.map(\.end), timeout: timeout))
}

extension [WaitableThread] {
  fileprivate func among(_ ends: [Queue<Never>]) -> [WaitableThread] {
    let ended = Set(ends.map(ObjectIdentifier.init))
    return filter { ended.contains(ObjectIdentifier($0.end)) }
  }
}
