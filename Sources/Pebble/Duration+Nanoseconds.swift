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
