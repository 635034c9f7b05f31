// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// How far a run has come.
struct Progress {
  var done = 0
  var failed = 0
  /// Lines read so far, and whether these are all.
  var read = 0
  var isComplete = false
  let begin = ContinuousClock.now

  /// A bar with numbers, `width` columns wide at most.
  func line(width: Int, elapsed: Duration) -> String {
    let seconds = elapsed / .seconds(1)
    var numbers = " \(done)/\(read)\(isComplete ? "" : "+")"
    if failed > 0 { numbers += ", \(failed) failed" }
    if done > 0, isComplete, done < read {
      numbers += ", \(Int(seconds / Double(done) * Double(read - done)) + 1) s left"
    } else {
      numbers += ", \(Int(seconds)) s"
    }
    let room = min(40, width - numbers.count - 3)
    guard room >= 4 else { return String(numbers.dropFirst().prefix(max(0, width - 1))) }
    let filled = read == 0 ? 0 : room * done / read
    return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: room - filled) + "]" + numbers
  }
}

/// The progress of a run on the console; silent where it is not wanted.
final class ProgressDisplay: Sendable {
  private let console: Console
  private let isShown: Bool
  private let progress = Mutex(Progress())

  init(console: Console, isShown: Bool) {
    self.console = console
    self.isShown = isShown
  }

  func update(_ change: (inout Progress) -> Void, always: Bool = false) {
    let progress = progress.withLock { progress in
      change(&progress)
      return progress
    }
    guard isShown else { return }
    console.show(
      status: progress.line(width: Console.width, elapsed: ContinuousClock.now - progress.begin), always: always)
  }

  /// Takes the progress away.
  func finish() {
    if isShown { console.show(status: "", always: true) }
  }
}

