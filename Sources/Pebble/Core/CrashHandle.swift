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

  var backtrace: BacktraceHandle { BacktraceHandle(crash.pointee.backtrace, of: future) }
}
