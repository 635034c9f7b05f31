// SPDX-License-Identifier: Apache-2.0

/// Those who wait for a future together with others, and may give up.
///
/// The C library's callbacks cannot be taken back, so a future has at most one of them for all its watchers.
struct Watchers {
  private var isHooked = false
  private var isDone = false
  private var watches: [ObjectIdentifier: FutureWatch] = [:]

  enum Addition {
    case added
    /// The first one: the future must call `fire` when it is done.
    case addedFirst
    case tooLate
  }

  mutating func add(_ watch: FutureWatch) -> Addition {
    if isDone { return .tooLate }
    watches[ObjectIdentifier(watch)] = watch
    defer { isHooked = true }
    return isHooked ? .added : .addedFirst
  }

  mutating func remove(_ watch: FutureWatch) {
    watches[ObjectIdentifier(watch)] = nil
  }

  /// Whom to tell that the future is done.
  mutating func fire() -> [FutureWatch] {
    isDone = true
    defer { watches = [:] }
    return Array(watches.values)
  }
}
