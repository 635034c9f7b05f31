// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// The C library's view of one call, in the worker that serves it.
///
/// `@unchecked Sendable`: only the serving thread, or the task it waits for, touches it.
struct CallHandle: @unchecked Sendable {
  private let call: OpaquePointer

  init(_ call: OpaquePointer) {
    self.call = call
  }

  /// The bytes that the host sent, until the call is over.
  var input: UnsafeRawBufferPointer {
    var length = 0
    let start = pebble_call_input(call, &length)
    return UnsafeRawBufferPointer(start: start, count: length)
  }

  /// Appends to the reply. The library remembers when memory ran out and tells the host.
  func write(_ bytes: UnsafeRawBufferPointer) {
    pebble_call_write(call, bytes.baseAddress, bytes.count)
  }

  /// Serves the main queue until `resume()`; on the main thread.
  func suspend() {
    precondition(pebble_call_suspend(call) == 0, "a worker without descriptors cannot wait for asynchronous work")
  }

  func resume() {
    pebble_call_resume(call)
  }

  /// Whether this process is a worker.
  static var isInWorker: Bool { pebble_in_worker() }
}
