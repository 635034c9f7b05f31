// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// Where the errors were thrown that have come from workers of late.
///
/// An error has nothing to hold on to but its box, so that is kept from being used for another one.
enum RemoteThrows {
  private struct State {
    var latest: [(box: ErrorBox, backtrace: RemoteBacktrace)] = []
    var oldest = 0
  }

  private static let capacity = 64
  private static let state = Mutex(State())

  static func add(_ error: any Error, _ backtrace: RemoteBacktrace) {
    let entry = (ErrorBox(error), backtrace)
    let forgotten = state.withLock { state -> (ErrorBox, RemoteBacktrace)? in
      guard state.latest.count == capacity else {
        state.latest.append(entry)
        return nil
      }
      defer { state.oldest = (state.oldest + 1) % capacity }
      return exchange(&state.latest[state.oldest], with: entry)
    }
    _ = forgotten  // which may run code of the error's, after the lock
  }

  static func backtrace(of error: any Error) -> RemoteBacktrace? {
    let box = ErrorBox(error)
    return state.withLock { $0.latest.last { $0.box == box }?.backtrace }
  }
}

extension RemoteBacktrace {
  /// Where an error came from that a pool's future, or a decorated function, has thrown here: where it was thrown in the
  /// worker, or where that crashed.
  ///
  /// The error must be as it was caught: `catch { RemoteBacktrace(of: error) }`, not one that `catch let error as
  /// MyError` or a cast has taken out of its `any Error`. Those of the last 64 errors are known; see
  /// ``ProcessFuture/remoteBacktrace`` for one that is not forgotten. Nil when the error comes from elsewhere, or was not
  /// thrown of late, or when the pool's ``ProcessPool/Configuration/errorBacktraces`` are off.
  public init?(of error: any Error) {
    let known = (error as? RemoteError)?.backtrace ?? (error as? ProcessExpired)?.backtrace
    guard let backtrace = known ?? RemoteThrows.backtrace(of: error) else { return nil }
    self = backtrace
  }
}

private func exchange<T>(_ place: inout T, with value: T) -> T {
  defer { place = value }
  return place
}
