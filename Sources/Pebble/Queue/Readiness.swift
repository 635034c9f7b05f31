// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Synchronization

extension QueueHandle {
  /// Returns when the queue has something or is closed, or for no reason.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func becomesReady() async throws {
    // Dispatch sources may be used from any thread, though their type does not say so.
    nonisolated(unsafe) let source = DispatchSource.makeReadSource(fileDescriptor: try readinessDescriptor())
    let once = Once()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        once.set(continuation)
        source.setEventHandler { source.cancel() }
        // The descriptor is the queue's: until the source has let go of it the queue must live.
        source.setCancelHandler { [self] in withExtendedLifetime(self) { once.resume() } }
        source.activate()
      }
    } onCancel: {
      source.cancel()
    }
    try Task.checkCancellation()
  }
}

/// A continuation that is resumed once.
private final class Once: Sendable {
  private let continuation = Mutex<CheckedContinuation<Void, Never>?>(nil)

  func set(_ continuation: CheckedContinuation<Void, Never>) {
    self.continuation.withLock { $0 = continuation }
  }

  func resume() {
    continuation.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }?.resume()
  }
}
