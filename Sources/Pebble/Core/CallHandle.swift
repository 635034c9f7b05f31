// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Dispatch
internal import Synchronization

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

  /// The call that this process serves, in a worker; the call of the current task or thread elsewhere.
  static var current: CallHandle? {
    OpaquePointer(bitPattern: served.load(ordering: .relaxed)).map(CallHandle.init) ?? InlineJob.call
  }

  private static let served = Atomic<UInt>(0)

  /// From now on, in a worker, this is the call that the process serves; or none.
  static func serve(_ handle: CallHandle?) {
    served.store(handle.map { UInt(bitPattern: $0.call) } ?? 0, ordering: .relaxed)
  }

  /// Sends bytes to whoever listens to the job.
  func update(_ bytes: UnsafeRawBufferPointer) throws(PebbleError) {
    let status = pebble_call_update(call, bytes.baseAddress, bytes.count)
    guard status == 0 else { throw PebbleError(errno: -status, while: "sending an update") }
  }

  /// Waits for `resume(_:)`; on a worker's main thread it serves the main queue meanwhile.
  ///
  /// - Parameters:
  ///   - resumption: what to wait for where the C library cannot: in threads, and without descriptors.
  ///   - onCancel: called when nobody waits for the call any more, and the pool of the worker gives it some grace.
  func suspend(_ resumption: DispatchSemaphore, onCancel: @escaping @Sendable () -> Void) {
    let box = CancelCallback(body: onCancel)
    withExtendedLifetime(box) {
      pebble_call_on_cancel(
        call, { Unmanaged<CancelCallback>.fromOpaque($0!).takeUnretainedValue().body() },
        Unmanaged.passUnretained(box).toOpaque())
      if pebble_call_suspend(call) < 0 { resumption.wait() }
      pebble_call_on_cancel(call, nil, nil)
    }
  }

  func resume(_ resumption: DispatchSemaphore) {
    pebble_call_resume(call)
    resumption.signal()
  }

  /// Whether this process is a worker.
  static var isInWorker: Bool { pebble_in_worker() }
}

private final class CancelCallback: Sendable {
  let body: @Sendable () -> Void

  init(body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}
