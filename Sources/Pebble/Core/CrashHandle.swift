// SPDX-License-Identifier: Apache-2.0
internal import CPebble

/// What a worker recorded of its crash, in the C library.
///
/// `@unchecked Sendable`: it never changes, and the library guards what it finds out when it is asked.
final class CrashHandle: @unchecked Sendable {
  private let crash: UnsafePointer<pebble_crash>
  /// Whose outcome it belongs to.
  private let future: FutureHandle

  init(_ crash: UnsafePointer<pebble_crash>, of future: FutureHandle) {
    self.crash = crash
    self.future = future
  }

  var isStackOverflow: Bool { crash.pointee.stack_overflow }
  var isTruncated: Bool { crash.pointee.truncated }

  /// What the runtime said; nil when nothing.
  var message: String? {
    let message = String(cString: crash.pointee.message)
    return message.isEmpty ? nil : message
  }

  /// What it comes down to; nil when the signal says it all.
  var summary: String? {
    let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
      pebble_crash_describe(crash, buffer.baseAddress, buffer.count)
      return String(cString: buffer.baseAddress!)
    }
    return text.isEmpty ? nil : text
  }

  /// A frame as the C library knows it.
  struct Frame {
    /// It is where the signal came, and not a return address.
    let isInnermost: Bool
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
    (0..<crash.pointee.frame_count).map { number in
      withUnsafeTemporaryAllocation(of: pebble_frame.self, capacity: 1) { place in
        let status = pebble_crash_frame(crash, number, place.baseAddress!)
        precondition(status == 0)  // it is one of those that there are
        return Frame(place[0], isInnermost: number == 0)
      }
    }
  }
}

extension CrashHandle.Frame {
  fileprivate init(_ frame: pebble_frame, isInnermost: Bool) {
    self.isInnermost = isInnermost
    function = frame.function.map { String(cString: $0) }
    place = Place(image: String(cString: frame.image), offset: frame.offset)
    isRelocated = frame.address.map { UInt64(UInt(bitPattern: $0)) != frame.offset } ?? false
    isMachinery = frame.machinery
  }
}

extension CrashHandle: Equatable {
  static func == (left: CrashHandle, right: CrashHandle) -> Bool { left.crash == right.crash }
}
