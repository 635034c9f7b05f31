// SPDX-License-Identifier: Apache-2.0
internal import Dispatch
internal import Glibc

extension PoolHandle {
  func joinThrowing(_ timeout: Duration?) throws {
    switch join(timeout.nanosecondsToWait) {
    case 0: return
    case ETIMEDOUT: throw TimeoutError(.wait, timeout ?? .zero)
    case let number: throw PebbleError(errno: number, while: "joining a pool")
    }
  }

  /// Joins without blocking a thread of Swift's executors.
  func joined() async throws {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue(label: "pebble.join").async { [self] in
        continuation.resume(with: Result { try joinThrowing(nil) })
      }
    }
  }
}

extension ProcessPool {
  /// Waits until fewer jobs wait than may, or the pool takes no more.
  ///
  /// Others may be faster: `schedule` can still throw ``PebbleError/Code/full``. Cancelling the task does not end the
  /// wait.
  ///
  /// - Throws: ``PebbleError`` when there is no memory for it.
  public func room() async throws {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      do {
        try handle.onRoom { continuation.resume() }
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// Waits until a closed or stopped pool has come to rest, as ``join(timeout:)`` does, without blocking a thread of
  /// Swift's executors.
  public func joined() async throws {
    try await handle.joined()
  }
}
