// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// A handler of signals of the C library; dropping it ends it.
///
/// `@unchecked Sendable`: the C object is only given back, once.
final class SignalHandle: @unchecked Sendable {
  private let handler: OpaquePointer
  private let body: Unmanaged<Body>

  /// - Parameter body: called on the C library's thread for signals, of which there is one: it must not block.
  init(_ signals: [Int32], _ body: @escaping @Sendable (Int32) -> Void) throws(PebbleError) {
    let box = Unmanaged.passRetained(Body(call: body))
    var handler: OpaquePointer?
    let status = pebble_signal_handle(
      signals, signals.count, { signal, body in Unmanaged<Body>.fromOpaque(body!).takeUnretainedValue().call(signal) },
      box.toOpaque(), &handler)
    guard let handler else {
      box.release()
      throw PebbleError(errno: -status, while: "handling signals")
    }
    self.handler = handler
    self.body = box
  }

  deinit {
    pebble_signal_forget(handler)
    body.release()
  }
}

private final class Body: Sendable {
  let call: @Sendable (Int32) -> Void

  init(call: @escaping @Sendable (Int32) -> Void) {
    self.call = call
  }
}
