// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct EnumCodingTests {
  enum Shape: Codable, Equatable {
    case empty
    case circle(radius: Double)
    case rectangle(Double, height: Double)
    case tagged(String?, [Int])
  }

  indirect enum Tree: Codable, Equatable {
    case leaf(Int)
    case node(Tree, Tree)
  }

  @Test func `cases with payloads round-trip`() throws {
    try expectRoundTrip(
      Shape.empty, .circle(radius: .infinity), .rectangle(1, height: 2), .tagged(nil, [1]), .tagged("x", []))
    try expectRoundTrip([Shape.empty, .tagged("a", [2])])
    try expectRoundTrip(["k": Shape.circle(radius: 1)])
  }

  @Test func `raw values round-trip`() throws {
    enum Color: String, Codable { case red, green }
    enum Level: UInt8, Codable { case low = 1, high = 200 }
    try expectRoundTrip(Color.red, .green)
    try expectRoundTrip(Level.low, .high)
    #expect(throws: DecodingError.self) { try decoded(Color.self, from: encoded("blue")) }
    #expect(throws: DecodingError.self) { try decoded(Level.self, from: encoded(UInt8(7))) }
  }

  @Test func `recursive enumerations round-trip`() throws {
    var tree = Tree.leaf(0)
    for value in 1...50 { tree = .node(tree, .leaf(value)) }
    try expectRoundTrip(tree)
  }

  /// The usual enumeration of JSON values, which tries one type after the other.
  enum JSON: Codable, Equatable {
    case null, bool(Bool), int(Int), double(Double), string(String), array([JSON]), object([String: JSON])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let value = try? container.decode(Bool.self) {
        self = .bool(value)
      } else if let value = try? container.decode(Int.self) {
        self = .int(value)
      } else if let value = try? container.decode(Double.self) {
        self = .double(value)
      } else if let value = try? container.decode(String.self) {
        self = .string(value)
      } else if let value = try? container.decode([JSON].self) {
        self = .array(value)
      } else {
        self = .object(try container.decode([String: JSON].self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .null: try container.encodeNil()
      case .bool(let value): try container.encode(value)
      case .int(let value): try container.encode(value)
      case .double(let value): try container.encode(value)
      case .string(let value): try container.encode(value)
      case .array(let value): try container.encode(value)
      case .object(let value): try container.encode(value)
      }
    }
  }

  @Test func `untagged enumerations find their case again, whole doubles included`() throws {
    try expectRoundTrip(
      JSON.null, .bool(true), .int(1), .double(1), .double(.infinity), .string(""), .array([]), .object([:]),
      .array([.int(0), .null, .object(["a": .array([.bool(false)])])]))
  }
}
