// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// What tells errors apart that may be equal: the box that each is in from its throw on.
struct ErrorBox: Equatable {
  private let error: any Error

  init(_ error: any Error) {
    self.error = error
  }

  /// An `any Error` is one pointer, to its box.
  fileprivate var address: UnsafeRawPointer { unsafeBitCast(self, to: UnsafeRawPointer.self) }

  /// Where its error was thrown in this worker, as bytes for `BacktraceHandle`; empty when that is not known.
  var throwSite: [UInt8] {
    let type = unsafeBitCast(type(of: error) as Any.Type, to: UnsafeRawPointer.self)
    let size = Int(PEBBLE_BACKTRACE_SIZE)
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = withExtendedLifetime(error) { pebble_thrown(address, type, buffer.baseAddress!, size) }
    }
  }

  static func == (left: ErrorBox, right: ErrorBox) -> Bool { left.address == right.address }
}
