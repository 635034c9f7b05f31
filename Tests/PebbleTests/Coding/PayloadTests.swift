// SPDX-License-Identifier: Apache-2.0
@testable import Pebble
import Testing

@Suite("A payload", .timeLimit(.minutes(5)))
struct PayloadTests {
  @Test("that leaves large arrays where they are has the same bytes", arguments: 0..<200)
  func parts(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let lending = Payload(lends: true)
    let copying = Payload()
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let count = Bool.random(using: &random) ? Int.random(in: 0..<100, using: &random) : 70_000
      switch Int.random(in: 0..<6, using: &random) {
      case 0: try append([UInt8](repeating: 7, count: count), lending, copying)
      case 1: try append((0..<count).map(Double.init), lending, copying)
      case 2: try append((0..<count).map { $0 }, lending, copying)
      case 3: try append([[UInt8](repeating: 3, count: count)], lending, copying)
      case 4: try append(String(repeating: "x", count: count), lending, copying)
      default: try append(count, lending, copying)
      }
    }
    let whole = copying.withBytes { Array($0) }
    #expect(copying.isWhole)
    #expect(lending.withParts { Array($0.joined()) } == whole)
    #expect(lending.withBytes { Array($0) } == whole)
    #expect(lending.isWhole && lending.count == whole.count)
  }

  @Test("can be changed after it has left an array where it is")
  func changes() throws {
    let payload = Payload(lends: true)
    payload.append(raw: UInt64(0))
    let begin = payload.count
    try payload.append([UInt8](repeating: 7, count: 100_000))
    #expect(!payload.isWhole)
    payload.patch(raw: UInt64(5), at: 0)
    #expect(payload.withBytes { $0.loadUnaligned(as: UInt64.self) } == 5)
    try payload.append([UInt8](repeating: 8, count: 100_000))
    payload.truncate(to: begin)
    #expect(payload.count == begin)
  }

  private func append(_ value: some Encodable, _ payloads: Payload...) throws {
    for payload in payloads { try payload.append(value) }
  }
}
