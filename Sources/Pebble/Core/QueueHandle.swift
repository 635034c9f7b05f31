// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Glibc

/// A reference to a queue of the C library, whose items are retained objects, or updates of jobs.
///
/// `@unchecked Sendable`: the C object is safe to use from any thread.
final class QueueHandle: @unchecked Sendable {
  let queue: OpaquePointer

  /// What an attempt found.
  enum Answer<Item> {
    case item(Item)
    case closed
    case notNow
  }

  init(capacity: Int) throws(PebbleError) {
    var queue: OpaquePointer?
    let status = pebble_queue_new(capacity, { Unmanaged<AnyObject>.fromOpaque($0!).release() }, &queue)
    guard let queue else { throw PebbleError(errno: -status, while: "making a queue") }
    self.queue = queue
  }

  /// A queue for what jobs say.
  init(updatesUpTo capacity: Int) throws(PebbleError) {
    var queue: OpaquePointer?
    let status = pebble_queue_new(capacity, pebble_update_free, &queue)
    guard let queue else { throw PebbleError(errno: -status, while: "making a queue of updates") }
    self.queue = queue
  }

  deinit {
    pebble_queue_unref(queue)
  }

  /// Puts an object, waiting for room up to `timeout` nanoseconds.
  func put(_ object: AnyObject, _ timeout: Int64) throws(PebbleError) -> Answer<Void> {
    let item = Unmanaged.passRetained(object)
    let status = pebble_queue_put(queue, item.toOpaque(), timeout)
    if status == 0 { return .item(()) }
    item.release()
    return try answer(status, while: "putting into a queue")
  }

  /// Takes the oldest object, waiting for one up to `timeout` nanoseconds.
  func get(_ timeout: Int64) throws(PebbleError) -> Answer<AnyObject> {
    var item: UnsafeMutableRawPointer?
    let status = pebble_queue_get(queue, timeout, &item)
    if status == 0 { return .item(Unmanaged<AnyObject>.fromOpaque(item!).takeRetainedValue()) }
    return try answer(status, while: "getting from a queue")
  }

  /// Of a queue of updates: what `body` makes of the bytes of the oldest, if there is one now.
  func takeUpdate<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) throws -> Answer<Value> {
    var item: UnsafeMutableRawPointer?
    let status = pebble_queue_get(queue, 0, &item)
    guard status == 0, let item else { return try answer(status, while: "getting an update") }
    defer { pebble_update_free(item) }
    let update = item.assumingMemoryBound(to: pebble_update.self).pointee
    return .item(try body(UnsafeRawBufferPointer(start: update.data, count: update.length)))
  }

  private func answer<Item>(_ status: Int32, while doing: String) throws(PebbleError) -> Answer<Item> {
    switch -status {
    case ESHUTDOWN, EPIPE: return .closed
    case EAGAIN, ETIMEDOUT: return .notNow
    default: throw PebbleError(errno: -status, while: doing)
    }
  }

  func close() { pebble_queue_close(queue) }

  var count: Int { pebble_queue_size(queue) }

  /// A descriptor that is readable while there is an object or the queue is closed; it is the queue's.
  func readinessDescriptor() throws(PebbleError) -> Int32 {
    let descriptor = pebble_queue_fd(queue)
    guard descriptor >= 0 else { throw PebbleError(errno: -descriptor, while: "making a queue's descriptor") }
    return descriptor
  }

  /// Which of the queues are ready, waiting for one up to `timeout` nanoseconds.
  static func wait(_ handles: [QueueHandle], _ timeout: Int64) throws(PebbleError) -> [Bool] {
    guard !handles.isEmpty else { return [] }
    var ready = [Bool](repeating: false, count: handles.count)
    let status = withExtendedLifetime(handles) {
      pebble_wait_queues(handles.map(\.queue), handles.count, timeout, &ready)
    }
    guard status >= 0 else { throw PebbleError(errno: -status, while: "waiting for queues") }
    return ready
  }
}
