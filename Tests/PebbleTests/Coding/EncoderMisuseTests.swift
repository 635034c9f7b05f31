// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

/// Types that do with their encoder what no type should. They may get an error or nonsense, but nothing traps.
@Suite struct EncoderMisuseTests {
  @Test func `any sequence of calls on any encoder or container is survived`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var succeeded = 0
    for round in 0..<3000 {
      let vandal = Vandal(seed: seed &+ UInt64(round))
      var writer = ByteWriter()
      try BinaryEncoder().encode(round, into: &writer)
      let start = writer.count
      do {
        try BinaryEncoder().encode(vandal, into: &writer)
        succeeded += 1
      } catch {
        try #require(writer.count == start, "seed \(seed), round \(round)")
      }
      try BinaryEncoder().encode("end", into: &writer)
      for _ in 0..<20 { try? vandal.act() }
      try writer.withBytes { bytes throws in
        let decoder = BinaryDecoder(bytes)
        let first = try decoder.decode(Int.self)
        if bytes.count > start + 5 { _ = try? decoder.decode(EnumCodingTests.JSON.self) }
        try #require(first == round, "seed \(seed), round \(round)")
      }
    }
    #expect(50...2950 ~= succeeded, "seed \(seed)")
  }
}

/// Keeps every encoder and container it ever got, and uses one of them at random.
private final class Vandal: Encodable {
  private struct Boredom: Error {}

  private var random: SplitMix64
  private var encoders: [any Encoder] = []
  private var keyed: [KeyedEncodingContainer<AnyKey>] = []
  private var unkeyed: [any UnkeyedEncodingContainer] = []
  private var single: [any SingleValueEncodingContainer] = []
  private var depth = 0

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  func encode(to encoder: any Encoder) throws {
    encoders.append(encoder)
    depth += 1
    defer { depth -= 1 }
    for _ in 0..<below(8) { try act() }
    if below(20) == 0 { throw Boredom() }
  }

  private func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
  private var key: AnyKey { AnyKey("\(below(4))") }

  func act() throws {
    switch below(4) {
    case 0: ask(encoders[below(encoders.count)])
    case 1 where !keyed.isEmpty: try write(to: keyed[below(keyed.count)])
    case 2 where !unkeyed.isEmpty: try write(to: unkeyed[below(unkeyed.count)])
    case 3 where !single.isEmpty: try write(to: single[below(single.count)])
    default: break
    }
  }

  private func ask(_ encoder: any Encoder) {
    switch below(5) {
    case 0: unkeyed.append(encoder.unkeyedContainer())
    case 1: single.append(encoder.singleValueContainer())
    default: keyed.append(encoder.container(keyedBy: AnyKey.self))
    }
  }

  private func attempt(_ encode: () throws -> Void) throws {
    if below(3) == 0 { try? encode() } else { try encode() }
  }

  private func write(to original: KeyedEncodingContainer<AnyKey>) throws {
    var container = original
    let key = key
    switch below(9) {
    case 0: encoders.append(container.superEncoder())
    case 1: encoders.append(container.superEncoder(forKey: key))
    case 2: keyed.append(container.nestedContainer(keyedBy: AnyKey.self, forKey: key))
    case 3: unkeyed.append(container.nestedUnkeyedContainer(forKey: key))
    case 4: try container.encode([1, 2], forKey: key)
    case 5 where depth < 20: try attempt { try container.encode(self, forKey: key) }
    case 6 where depth < 20: try attempt { try container.encodeIfPresent(Vandal???.some(self), forKey: key) }
    default: try container.encode(below(9), forKey: key)
    }
  }

  private func write(to original: any UnkeyedEncodingContainer) throws {
    var container = original
    switch below(9) {
    case 0: encoders.append(container.superEncoder())
    case 1: keyed.append(container.nestedContainer(keyedBy: AnyKey.self))
    case 2: unkeyed.append(container.nestedUnkeyedContainer())
    case 3: try container.encode(contentsOf: [1, 2, 3])
    case 4: _ = container.count + container.codingPath.count
    case 5 where depth < 20: try attempt { try container.encode(self) }
    case 6 where depth < 20: try attempt { try container.encode(Vandal??.some(self)) }
    default: try container.encode("text")
    }
  }

  private func write(to original: any SingleValueEncodingContainer) throws {
    var container = original
    switch below(4) {
    case 0: try attempt { try container.encodeNil() }
    case 1 where depth < 20: try attempt { try container.encode(Vandal?.some(self)) }
    default: try attempt { try container.encode(5) }
    }
  }
}
