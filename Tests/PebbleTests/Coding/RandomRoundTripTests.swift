// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

/// Random values, encoded and decoded. The seed is printed with every failure; put it into `seed` to see it again.
@Suite struct RandomRoundTripTests {
  static let seed = UInt64.random(in: 0 ... .max)

  @Test func `random values round-trip`() throws {
    var random = SplitMix64(seed: Self.seed)
    for round in 0..<2000 {
      let value = Sample.random(depth: Int.random(in: 0...5, using: &random), using: &random)
      let copy = try roundTrip(value)
      try #require(copy == value, "seed \(Self.seed), round \(round)")
    }
  }

  @Test func `random values in a row round-trip`() throws {
    var random = SplitMix64(seed: Self.seed)
    for round in 0..<100 {
      let values = (0..<10).map { _ in Sample.random(depth: 3, using: &random) }
      var writer = ByteWriter()
      for value in values { try BinaryEncoder().encode(value, into: &writer) }
      try writer.withBytes { bytes throws in
        let decoder = BinaryDecoder(bytes)
        for value in values {
          let copy = try decoder.decode(Sample.self)
          try #require(copy == value, "seed \(Self.seed), round \(round)")
        }
        #expect(decoder.isAtEnd)
      }
    }
  }

  @Test func `containers written in random order round-trip`() throws {
    var random = SplitMix64(seed: Self.seed)
    for round in 0..<1000 {
      let outline = Outline.random(depth: 5, using: &random)
      let scramble = random.next()
      let bytes = try Scripted.encoded { encoder in try outline.write(to: encoder, seed: scramble) }
      let copy = try decoded(Outline.self, from: bytes)
      try #require(copy == outline, "seed \(Self.seed), round \(round)")
    }
  }
}

/// A bit of everything that synthesized conformances encode.
indirect enum Sample: Codable, Equatable {
  case nothing
  case scalars(Int, UInt8, Int32, Bits, Bool, UInt128)
  case text(String, String?)
  case optionals(Int??, [Bool?], String???)
  case arrays([Int], [Double], [UInt8], [Bool], [String], [[Int16]])
  case dictionaries([String: Int], [Int: String], [String: Sample])
  case record(Record)
  case many([Sample])
  case wrapped(Sample?)

  /// Equal by its bits, NaN included.
  struct Bits: Codable, Equatable {
    var value: Double
    static func == (left: Self, right: Self) -> Bool { left.value.bitPattern == right.value.bitPattern }
  }

  struct Record: Codable, Equatable {
    var id: Int
    var name: String?
    var range: Range<Int>
    var set: Set<Int>
    var children: [Record]
    var bits: Bits?
  }

  static func random(depth: Int, using random: inout SplitMix64) -> Sample {
    func few<T>(_ make: (inout SplitMix64) -> T) -> [T] {
      (0..<Int.random(in: 0...4, using: &random)).map { _ in make(&random) }
    }
    func maybe<T>(_ make: (inout SplitMix64) -> T) -> T? { Bool.random(using: &random) ? make(&random) : nil }
    switch depth == 0 ? Int.random(in: 0...4, using: &random) : Int.random(in: 0...8, using: &random) {
    case 0: return .nothing
    case 1:
      return .scalars(
        .random(using: &random), .random(using: &random), .random(using: &random),
        Bits(value: Double(bitPattern: random.next())), .random(using: &random), .random(using: &random))
    case 2: return .text(.random(using: &random), maybe { .random(using: &$0) })
    case 3:
      return .optionals(
        maybe { random in Bool.random(using: &random) ? Int.random(using: &random) : nil },
        few { random in Bool.random(using: &random) ? Bool.random(using: &random) : nil },
        maybe { random in Bool.random(using: &random) ? .some(.random(using: &random)) : .some(nil) })
    case 4:
      return .arrays(
        few { .random(using: &$0) }, few { .random(in: -1...1, using: &$0) }, few { .random(using: &$0) },
        few { .random(using: &$0) }, few { .random(using: &$0) }, few { random in [.random(using: &random)] })
    case 5:
      return .dictionaries(
        Dictionary(few { (.random(using: &$0), .random(using: &$0)) }) { first, _ in first },
        Dictionary(few { (.random(using: &$0), .random(using: &$0)) }) { first, _ in first },
        Dictionary(few { (.random(using: &$0), .random(depth: depth - 1, using: &$0)) }) { first, _ in first })
    case 6: return .record(.random(depth: depth - 1, using: &random))
    case 7: return .many(few { .random(depth: depth - 1, using: &$0) })
    default: return .wrapped(maybe { .random(depth: depth - 1, using: &$0) })
    }
  }
}

extension Sample.Record {
  static func random(depth: Int, using random: inout SplitMix64) -> Self {
    Self(
      id: .random(using: &random), name: Bool.random(using: &random) ? .random(using: &random) : nil,
      range: Int.random(in: -9...0, using: &random)..<Int.random(in: 0...9, using: &random),
      set: Set((0..<3).map { _ in Int.random(in: 0...5, using: &random) }),
      children: depth <= 0 ? [] : (0..<2).map { _ in child(depth: depth - 1, using: &random) },
      bits: Bool.random(using: &random) ? .init(value: Double(bitPattern: random.next())) : nil)
  }

  private static func child(depth: Int, using generator: inout SplitMix64) -> Self {
    random(depth: depth, using: &generator)
  }
}

extension FixedWidthInteger {
  static func random(using random: inout SplitMix64) -> Self {
    Self.random(in: .min ... .max, using: &random)
  }
}

extension String {
  static func random(using random: inout SplitMix64) -> String {
    let alphabet = Array("ab\0 é👩‍👧𝄞\n\u{301}")
    return String((0..<Int.random(in: 0...20, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
  }
}

/// Lists and objects of numbers, which encode themselves in an order of their own.
indirect enum Outline: Decodable, Equatable, Sendable {
  case leaf(Int)
  case list([Outline])
  case object([String: Outline])

  static func random(depth: Int, using random: inout SplitMix64) -> Outline {
    let kind = depth == 5 ? 1 + random.next() % 2 : depth == 0 ? 0 : random.next() % 3
    let count = Int.random(in: 0...6, using: &random)
    switch kind {
    case 0: return .leaf(.random(in: -100...100, using: &random))
    case 1: return .list((0..<count).map { _ in .random(depth: depth - 1, using: &random) })
    default:
      return .object(
        Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)", .random(depth: depth - 1, using: &random)) }))
    }
  }

  init(from decoder: any Decoder) throws {
    if let value = try? decoder.singleValueContainer().decode(Int.self) {
      self = .leaf(value)
    } else if var list = try? decoder.unkeyedContainer() {
      var outlines: [Outline] = []
      while !list.isAtEnd { outlines.append(try list.decode(Outline.self)) }
      self = .list(outlines)
    } else {
      let object = try decoder.container(keyedBy: AnyKey.self)
      self = .object(
        Dictionary(
          uniqueKeysWithValues: try object.allKeys.map { key in
            (key.stringValue, try object.decode(Outline.self, forKey: key))
          }))
    }
  }

  /// A container that still has to be filled.
  private enum Open {
    case list(any UnkeyedEncodingContainer, [Outline])
    case object(KeyedEncodingContainer<AnyKey>, [(String, Outline)])

    var isFull: Bool {
      switch self {
      case .list(_, let rest): rest.isEmpty
      case .object(_, let rest): rest.isEmpty
      }
    }
  }

  /// Writes one element after the other, each to any of the containers begun so far.
  func write(to encoder: any Encoder, seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var open = [Self.open(self, in: encoder)]
    while !open.isEmpty {
      let index = Int.random(in: 0..<open.count, using: &random)
      if open[index].isFull {
        open.remove(at: index)
      } else {
        try Self.writeOne(to: index, of: &open, usingSuper: Int.random(in: 0..<4, using: &random) == 0)
      }
    }
  }

  private static func open(_ outline: Outline, in encoder: any Encoder) -> Open {
    switch outline {
    case .object(let members): .object(encoder.container(keyedBy: AnyKey.self), members.map { ($0, $1) })
    case .list(let elements): .list(encoder.unkeyedContainer(), elements)
    case .leaf: preconditionFailure("a leaf is no container")
    }
  }

  private static func writeOne(to index: Int, of open: inout [Open], usingSuper: Bool) throws {
    switch open[index] {
    case .list(var container, var rest):
      switch rest.removeFirst() {
      case .leaf(let value): try container.encode(value)
      case let nested where usingSuper: open.append(Self.open(nested, in: container.superEncoder()))
      case .list(let elements): open.append(.list(container.nestedUnkeyedContainer(), elements))
      case .object(let members):
        open.append(.object(container.nestedContainer(keyedBy: AnyKey.self), members.map { ($0, $1) }))
      }
      open[index] = .list(container, rest)
    case .object(var container, var rest):
      let (name, next) = rest.removeFirst()
      let key = AnyKey(name)
      switch next {
      case .leaf(let value): try container.encode(value, forKey: key)
      case let nested where usingSuper: open.append(Self.open(nested, in: container.superEncoder(forKey: key)))
      case .list(let elements): open.append(.list(container.nestedUnkeyedContainer(forKey: key), elements))
      case .object(let members):
        open.append(.object(container.nestedContainer(keyedBy: AnyKey.self, forKey: key), members.map { ($0, $1) }))
      }
      open[index] = .object(container, rest)
    }
  }
}
