// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Dispatch

/// A pool that was dropped, with what its threads may still call.
///
/// `@unchecked Sendable`: the C object is safe to use from any thread.
struct PoolRemains: @unchecked Sendable {
  let pool: OpaquePointer
  let callee: any Sendable

  /// Stops the pool, and gives both back when it has come to rest.
  func stop() {
    pebble_pool_stop(pool)
    DispatchQueue(label: "pebble.join").async {
      pebble_pool_join(pool, .max)
      pebble_pool_unref(pool)
    }
  }
}
