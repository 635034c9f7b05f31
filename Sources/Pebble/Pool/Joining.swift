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
