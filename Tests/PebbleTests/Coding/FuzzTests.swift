// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Pebble

/// Random damage: whatever comes in, decoding it throws or returns, and never traps.
@Suite struct FuzzTests {
  private static func corpus(_ random: inout SplitMix64) throws -> [[UInt8]] {
    var corpus = [
      try encoded(-1), try encoded(1.5), try encoded("a string of some length"), try encoded([1, 2, 3]),
      try encoded([true, false]), try encoded(["", "ab", "cd"]), try encoded([[1, 2], [3]] as [[Int16]]),
      try encoded(["a": 1, "b": 2]), try encoded([1: true]), try encoded([1.5: "x"]), try encoded(3..<9),
      try encoded(Int???.some(.some(nil))), try encoded(SIMD4<Float>(1, 2, 3, 4)), try encoded(Duration.seconds(1)),
      try encoded(InterleavedContainerTests.Dog(name: "Rex", age: 3)), try encoded(Data([1, 2, 3])),
      try encoded(Date()), try encoded(URL(string: "https://a.b/c")!), try encoded(UUID()), try encoded(Decimal(1.5)),
      try encoded(DateComponents(year: 1, month: 2)),
      try encoded(KeyedContainerTests.Mixed(id: 1, name: "n", score: 2, tags: ["t"], isActive: true, parent: 4)),
    ]
    for _ in 0..<40 { corpus.append(try encoded(Sample.random(depth: 2, using: &random))) }
    for _ in 0..<10 {
      let outline = Outline.random(depth: 5, using: &random)
      let seed = random.next()
      corpus.append(try Scripted.encoded { try outline.write(to: $0, seed: seed) })
    }
    return corpus.filter { $0.count < 2000 }
  }

  private static func mutate(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch random.next() % 10 {
      case 0: bytes[place] ^= 1 << (random.next() % 8)
      case 1: bytes[place] = UInt8(random.next() % 26)
      case 2: bytes[place] = .random(in: 0...255, using: &random)
      case 3: bytes.removeLast(place)
      case 4: bytes.remove(at: place)
      case 5: bytes.insert(UInt8(random.next() % 26), at: place)
      case 6:
        let odd: [UInt64] = [0, 1, 1 << 31, 1 << 60, 1 << 61, 1 << 63, .max, .max - 8, .max >> 1, .max >> 4]
        let number = odd.randomElement(using: &random)! &+ UInt64(random.next() % 3)
        for (index, byte) in withUnsafeBytes(of: number, Array.init).enumerated() where place + index < bytes.count {
          bytes[place + index] = byte
        }
      case 7:
        let varint = [UInt8](repeating: 0xFF, count: Int.random(in: 1...9, using: &random)) + [1]
        bytes.replaceSubrange(place...place, with: varint)
      case 8:
        let start = Int.random(in: 0...other.count, using: &random)
        bytes.replaceSubrange(place..., with: other[start...])
      default:
        let end = Int.random(in: place..<bytes.count, using: &random)
        bytes.insert(contentsOf: bytes[place...end], at: place)
      }
    }
  }

  @Test func `two hundred thousand damaged messages are decoded or refused`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let corpus = try Self.corpus(&random)
    var accepted = 0
    for _ in 0..<200_000 {
      var bytes = corpus.randomElement(using: &random)!
      Self.mutate(&bytes, corpus.randomElement(using: &random)!, &random)
      bytes.withUnsafeBytes { bytes in
        if FuzzTarget.all.randomElement(using: &random)!.decode(bytes) { accepted += 1 }
      }
    }
    // Or the damage is too small, or too great, to test anything.
    #expect(1000..<100_000 ~= accepted, "seed \(seed)")
  }

  @Test func `messages damaged in one place are decoded as their own type or refused`() throws {
    var random = SplitMix64(seed: 1)
    let sample = try encoded(Sample.random(depth: 3, using: &random))
    for place in sample.indices {
      for byte in [0, 1, 2, 4, 6, 7, 8, 9, 10, 0x7F, 0x80, 0xFF] as [UInt8] {
        var bytes = sample
        bytes[place] = byte
        bytes.withUnsafeBytes { bytes in _ = try? BinaryDecoder(bytes).decode(Sample.self) }
      }
      sample[..<place].withUnsafeBytes { bytes in _ = try? BinaryDecoder(bytes).decode(Sample.self) }
    }
  }

  @Test func `random bytes are decoded or refused`() {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for round in 0..<50_000 {
      // Uniform bytes are mostly no tags at all.
      let bound: ClosedRange<UInt8> = round % 2 == 0 ? 0...255 : 0...25
      let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: bound, using: &random) }
      bytes.withUnsafeBytes { bytes in
        _ = FuzzTarget.all.randomElement(using: &random)!.decode(bytes)
      }
    }
  }
}

/// Decodes `bytes` as one type and uses the result a little. Returns whether that worked.
struct FuzzTarget: Sendable {
  let name: String
  let decode: @Sendable (UnsafeRawBufferPointer) -> Bool

  init<T: Decodable & SendableMetatype>(_: T.Type, use: @escaping @Sendable (T) -> Void = { _ in }) {
    name = "\(T.self)"
    decode = { bytes in
      let decoder = BinaryDecoder(bytes)
      guard let value = try? decoder.decode(T.self) else { return false }
      use(value)
      return true
    }
  }

  static let all = [
    FuzzTarget(Int.self), FuzzTarget(UInt8.self), FuzzTarget(Float16.self), FuzzTarget(Double.self),
    FuzzTarget(Int128.self),
    FuzzTarget(Bool.self) { #expect([true, false].contains($0)) },
    FuzzTarget(String.self) { _ = $0.count + $0.unicodeScalars.count + $0.utf16.count },
    FuzzTarget([Int].self), FuzzTarget([UInt8].self), FuzzTarget([Double].self), FuzzTarget([UInt128].self),
    FuzzTarget([Bool].self) { #expect($0.allSatisfy { unsafeBitCast($0, to: UInt8.self) <= 1 }) },
    FuzzTarget([String].self) { _ = $0.joined().count },
    FuzzTarget([[Int16]].self), FuzzTarget(ContiguousArray<Float>.self), FuzzTarget(Set<String>.self),
    FuzzTarget([String: Int].self) { _ = $0.keys.sorted() }, FuzzTarget([Int: Bool].self),
    FuzzTarget([Double: String].self),
    FuzzTarget(Range<Int>.self) { _ = $0.upperBound >= $0.lowerBound }, FuzzTarget(ClosedRange<String>.self),
    FuzzTarget(Int???.self), FuzzTarget([Int??].self), FuzzTarget(SIMD4<Float>.self), FuzzTarget(Duration.self),
    FuzzTarget(Sample.self) { _ = $0 == $0 }, FuzzTarget([Sample].self), FuzzTarget(Sample.Record.self),
    FuzzTarget(Outline.self), FuzzTarget(EnumCodingTests.JSON.self) { _ = $0 == $0 },
    FuzzTarget(EnumCodingTests.Tree.self),
    FuzzTarget(KeyedContainerTests.Mixed.self), FuzzTarget(InterleavedContainerTests.Dog.self) { _ = $0.name.count },
    FuzzTarget(CodingErrorTests.Link.self), FuzzTarget(Data.self) { _ = $0.reduce(0, ^) }, FuzzTarget(Date.self),
    FuzzTarget(URL.self) { _ = $0.path }, FuzzTarget(UUID.self), FuzzTarget(Decimal.self),
    FuzzTarget(DateComponents.self),
    // Not `IndexSet`: its own `init(from:)` traps when a range overflows, whatever the decoder.
  ]
}
