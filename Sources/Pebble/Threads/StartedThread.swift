// SPDX-License-Identifier: Apache-2.0

/// A thread that was started by ``startThread(name:_:)``. Dropping it does not end the thread.
public final class StartedThread: Sendable {
  let handle: ThreadHandle

  init(_ handle: ThreadHandle) {
    self.handle = handle
  }

  /// Whether its closure has returned.
  public var hasEnded: Bool { handle.hasEnded }

  /// The kernel's number of it, which another thread may have when it has ended.
  public var id: Int32 { handle.id }
}

/// Starts a thread of its own for a closure.
///
/// - Parameters:
///   - name: shown as the thread's, up to 15 bytes of it; that of the calling thread when nil.
///   - body: what the thread does.
/// - Throws: ``PebbleError``: no more threads, or no memory.
public func startThread(name: String? = nil, _ body: @escaping @Sendable () -> Void) throws -> StartedThread {
  StartedThread(try ThreadHandle(name: name, body))
}
