// SPDX-License-Identifier: Apache-2.0

/// Waits until at least one of the threads has ended. Changes nothing in them: they can be waited for again.
///
/// - Parameters:
///   - threads: what to wait for.
///   - timeout: how long to wait, without limit when nil.
/// - Returns: those that have ended, in the order given; none when the time is over.
/// - Throws: ``PebbleError`` when there is no memory for it.
@available(*, noasync, message: "use 'await waitForThreads(_:)'")
public func waitForThreads(_ threads: [StartedThread], timeout: Duration? = nil) throws -> [StartedThread] {
  try ended(threads, timeout)
}

/// Waits until at least one of the threads has ended, without blocking a thread of Swift's executors.
///
/// Cancelling the task has no effect on a wait; give it a timeout.
public func waitForThreads(_ threads: [StartedThread], timeout: Duration? = nil) async throws -> [StartedThread] {
  try await elsewhere { try ended(threads, timeout) }
}

private func ended(_ threads: [StartedThread], _ timeout: Duration?) throws -> [StartedThread] {
  let ended = try ThreadHandle.wait(threads.map(\.handle), timeout.nanosecondsToWait)
  return zip(threads, ended).compactMap { thread, hasEnded in hasEnded ? thread : nil }
}
