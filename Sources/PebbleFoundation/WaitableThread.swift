// SPDX-License-Identifier: Apache-2.0
public import Foundation
internal import Glibc
internal import Pebble

/// A thread of Foundation that can be waited for, several at once, with `waitForThreads`.
///
/// ```swift
/// let threads = files.map { file in WaitableThread { index(file) } }
/// for thread in threads { thread.start() }
/// let ended = try await waitForThreads(threads, timeout: .seconds(10))
/// ```
///
/// It has a `Thread` instead of being one, since those cannot be subclassed outside of Foundation on Linux.
///
/// `@unchecked Sendable`: a thread's object is used by other threads than its own as Foundation allows.
public final class WaitableThread: @unchecked Sendable {
  /// The thread, for its name, its stack size, its cancellation and all else.
  public let thread: Thread
  /// Closed when the thread has ended.
  let end: Queue<Never>

  /// - Throws: ``PebbleError`` when there is no memory or descriptor for it.
  public init(_ block: @escaping @Sendable () -> Void) throws {
    let end = try Queue<Never>()
    self.end = end
    thread = Thread {
      ThreadEnd.close(end)
      block()
    }
  }

  /// Begins the thread, once; one that was cancelled before has ended then.
  public func start() {
    thread.start()
    if thread.isFinished { end.close() }
  }
}

/// Learns that threads end: the system calls the destructors of their variables, however they end.
private enum ThreadEnd {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let status = pthread_key_create(&key) { Unmanaged<Queue<Never>>.fromOpaque($0!).takeRetainedValue().close() }
    precondition(status == 0, "no more thread-specific variables")
    return key
  }()

  /// Closes the queue at the end of this thread.
  static func close(_ queue: Queue<Never>) {
    guard pthread_getspecific(key) == nil else { return }
    pthread_setspecific(key, Unmanaged.passRetained(queue).toOpaque())
  }
}
