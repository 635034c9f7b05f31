// SPDX-License-Identifier: Apache-2.0

extension Duration {
  /// In nanoseconds, as far as 64 bits reach: some 292 years.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? .max : sum
  }
}

extension Duration? {
  /// How long to wait: for ever when nil, not at all when negative.
  var nanosecondsToWait: Int64 {
    map { Swift.max($0.nanoseconds, 0) } ?? .max
  }
}

extension Duration {
  /// For people: three digits, and the unit that suits them.
  var short: String {
    let nanoseconds = Double(nanoseconds)
    return switch abs(nanoseconds) {
    case ..<1e6: "\(rounded(nanoseconds / 1e3)) us"
    case ..<1e9: "\(rounded(nanoseconds / 1e6)) ms"
    default: "\(rounded(nanoseconds / 1e9)) s"
    }
  }

  private func rounded(_ value: Double) -> String {
    let scale = abs(value) < 10 ? 100.0 : abs(value) < 100 ? 10.0 : 1.0
    let text = "\((value * scale).rounded() / scale)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}
