// SPDX-License-Identifier: Apache-2.0

/// What became of a document.
enum Verdict: String, CaseIterable {
  case parsed
  case invalid
  case timedOut = "timed out"
  case crashed
}

/// The table at the end: the counts, and each document that was not parsed with its reason.
struct Report {
  private var counts: [Verdict: Int] = [:]
  private var total = Summary(lines: 0, checksum: 0)
  private var rejected: [(verdict: Verdict, file: String, reason: String)] = []

  mutating func add(_ summary: Summary) {
    counts[.parsed, default: 0] += 1
    total.lines += summary.lines
    total.checksum += summary.checksum
  }

  mutating func reject(_ file: String, _ verdict: Verdict, reason: String) {
    counts[verdict, default: 0] += 1
    rejected.append((verdict, file, reason))
  }

  func print() {
    for verdict in Verdict.allCases {
      let count = String(counts[verdict, default: 0])
      Swift.print(verdict.rawValue.padded(to: 9), String(repeating: " ", count: max(0, 7 - count.count)), count)
    }
    Swift.print("\n\(total.lines) lines in the parsed ones, checksum \(total.checksum)")

    guard let width = rejected.map(\.file.count).max() else { return }
    Swift.print()
    for (verdict, file, reason) in rejected {
      Swift.print(verdict.rawValue.padded(to: 9), file.padded(to: width), reason, separator: "  ")
    }
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
