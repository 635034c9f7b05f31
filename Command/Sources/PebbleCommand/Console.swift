// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Standard output and error, and on the latter's last line the progress, where that is wanted.
final class Console: Sendable {
  private struct State {
    var status = ""
    var shownAt: ContinuousClock.Instant?
  }

  private let state = Mutex(State())

  func write(_ bytes: [UInt8], to descriptor: Int32) {
    guard !bytes.isEmpty else { return }
    state.withLock { state in
      erase(state)
      writeAll(bytes, to: descriptor)
      if !state.status.isEmpty { writeAll(Array(state.status.utf8), to: STDERR_FILENO) }
    }
  }

  func complain(_ text: String) {
    write(Array("pebble: \(text)\n".utf8), to: STDERR_FILENO)
  }

  /// Replaces the progress; ten times a second at most, unless it must be shown.
  func show(status: @autoclosure () -> String, always: Bool = false) {
    state.withLock { state in
      let now = ContinuousClock.now
      if !always, let shownAt = state.shownAt, now - shownAt < .milliseconds(100) { return }
      erase(state)
      state = State(status: status(), shownAt: now)
      writeAll(Array(state.status.utf8), to: STDERR_FILENO)
    }
  }

  private func erase(_ state: State) {
    if !state.status.isEmpty { writeAll(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO) }
  }

  static var width: Int {
    var window = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else { return 80 }
    return Int(window.ws_col)
  }
}

/// Writes all of it, or ends the program with EX_IOERR: what is lost here cannot be made good.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
  bytes.withUnsafeBytes { bytes in
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        perror("pebble: output")
        exit(EX_IOERR)
      }
    }
  }
}
