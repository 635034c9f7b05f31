// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Progress on stderr: a bar on a terminal, else a line for each tenth.
final class ProgressBar: Sendable {
  private let total: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex((done: 0, drawnAt: ContinuousClock.Instant?.none))

  init(total: Int) {
    self.total = total
  }

  /// One more is done. May be called from any thread.
  func advance() {
    state.withLock { state in
      let before = state.done
      state.done += 1
      if isTerminal {
        let now = ContinuousClock.now
        if state.done < total, let drawnAt = state.drawnAt, now - drawnAt < .milliseconds(100) { return }
        state.drawnAt = now
        writeToStandardError("\r\u{1b}[K" + bar(done: state.done) + (state.done == total ? "\n" : ""))
      } else if state.done * 10 / total > before * 10 / total {
        writeToStandardError(numbers(done: state.done) + "\n")
      }
    }
  }

  private func bar(done: Int) -> String {
    let numbers = numbers(done: done)
    let taken = numbers.count + 4  // brackets, a space, and the last column, which stays free
    let width = min(60, max(0, terminalWidth() - taken))
    let filled = width * done / total
    return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled) + "] " + numbers
  }

  private func numbers(done: Int) -> String {
    let percent = String(done * 100 / total)
    return String(repeating: " ", count: 3 - percent.count) + "\(percent) %  \(done) of \(total)"
  }
}

private func terminalWidth() -> Int {
  var window = winsize()
  guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else { return 80 }
  return Int(window.ws_col)
}

func writeToStandardError(_ text: String) {
  var text = text
  text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
