// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// A backtrace of the C library.
///
/// `@unchecked Sendable`: it never changes, and the library guards what it finds out when it is asked.
final class BacktraceHandle: @unchecked Sendable {
  private let backtrace: OpaquePointer
  /// Whose outcome it belongs to; nil: it is this object's own.
  private let future: FutureHandle?

  init(_ backtrace: OpaquePointer, of future: FutureHandle) {
    self.backtrace = backtrace
    self.future = future
  }

  /// The one in bytes that a worker has sent; nil when there is none in them.
  init?(decoding bytes: [UInt8]) {
    var decoded: OpaquePointer?
    guard pebble_backtrace_decode(bytes, bytes.count, &decoded) == 0, let decoded else { return nil }
    backtrace = decoded
    future = nil
  }

  deinit {
    if future == nil { pebble_backtrace_free(backtrace) }
  }

  var isTruncated: Bool { pebble_backtrace_truncated(backtrace) }

  /// A frame as the C library knows it.
  struct Frame: Equatable {
    /// It is where a signal came, and not a return address.
    let isInterrupted: Bool
    let function: String?
    let place: Place
    /// The image lies elsewhere than it was linked for, as all do but executables with fixed addresses.
    let isRelocated: Bool
    /// It is of Pebble itself.
    let isMachinery: Bool

    struct Place: Hashable {
      let image: String
      let offset: UInt64
    }
  }

  /// The innermost first. Reads symbol tables when asked for the first time.
  var frames: [Frame] {
    (0..<pebble_backtrace_length(backtrace)).map { number in
      withUnsafeTemporaryAllocation(of: pebble_frame.self, capacity: 1) { place in
        let status = pebble_backtrace_frame(backtrace, number, place.baseAddress!)
        precondition(status == 0)  // it is one of those that there are
        return Frame(place[0])
      }
    }
  }
}

extension BacktraceHandle.Frame {
  fileprivate init(_ frame: pebble_frame) {
    isInterrupted = frame.interrupted
    function = frame.function.map { String(cString: $0) }
    place = Place(image: String(cString: frame.image), offset: frame.offset)
    isRelocated = frame.address.map { UInt64(UInt(bitPattern: $0)) != frame.offset } ?? false
    isMachinery = frame.machinery
  }
}

extension BacktraceHandle: Equatable {
  static func == (left: BacktraceHandle, right: BacktraceHandle) -> Bool { left.backtrace == right.backtrace }
}
