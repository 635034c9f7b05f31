// SPDX-License-Identifier: Apache-2.0

extension Order {
  /// The number of lines and a checksum over all numbers of the order.
  var summary: Summary {
    var checksum = year * 10_000 + month * 100 + day
    for line in lines {
      let gross = line.quantity * line.cents * (100 + Self.vatPercent[line.vatClass])
      checksum = (checksum * 31 + gross) % 2_147_483_647
    }
    return Summary(lines: lines.count, checksum: checksum)
  }

  private static let vatPercent = [0, 7, 19, 21]
}
