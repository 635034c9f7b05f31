// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A length of time as an argument: "2", "1.5s", "500ms", "3m", "1h"; above zero.
struct Length: ExpressibleByArgument, Equatable {
  let duration: Duration

  init?(argument: String) {
    let units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)]
    guard let seconds = number(argument, units: units), seconds <= 1e9 else { return nil }
    duration = .seconds(seconds)
  }

  var defaultValueDescription: String {
    let seconds = duration / .seconds(1)
    return seconds == seconds.rounded() ? "\(Int(seconds))s" : "\(seconds)s"
  }
}

/// A number of bytes as an argument: "4096", "64K", "512M", "2G", in powers of 1024; above zero.
struct Size: ExpressibleByArgument, Equatable {
  let bytes: Int

  init?(argument: String) {
    let units = [("K", 1024.0), ("M", 1_048_576), ("G", 1_073_741_824)]
    guard let bytes = number(argument, units: units), (1...1e18).contains(bytes) else { return nil }
    self.bytes = Int(bytes)
  }
}

private func number(_ text: String, units: [(suffix: String, factor: Double)]) -> Double? {
  let unit = units.first { text.hasSuffix($0.suffix) }
  let digits = text.dropLast(unit?.suffix.count ?? 0)
  guard digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits), number > 0 else {
    return nil
  }
  return number * (unit?.factor ?? 1)
}
