// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct OptionalCodingTests {
  @Test func `optionals round-trip`() throws {
    try expectRoundTrip(Int?.none, 5)
    try expectRoundTrip([1, nil, 3], [nil], [])
    try expectRoundTrip(["a": 1, "b": nil])
    try expectRoundTrip(String?.none, "")
  }

  @Test func `nil is told from a wrapped nil at every depth`() throws {
    try expectRoundTrip(Int??.none, .some(nil), 5)
    try expectRoundTrip(Int???.none, .some(nil), .some(.some(nil)), 5)
    try expectRoundTrip([Int???.none, .some(nil), .some(.some(nil)), 5])
    try expectRoundTrip(["a": Int??.none, "b": .some(nil), "c": 5])
  }

  @Test func `nil is told from a wrapped nil in stored properties`() throws {
    struct Deep: Codable, Equatable { var a: Int??, b: Int???, c: [Int??]? }
    try expectRoundTrip(Deep(a: nil, b: nil, c: nil))
    try expectRoundTrip(Deep(a: .some(nil), b: .some(nil), c: .some([nil, .some(nil), 1])))
    try expectRoundTrip(Deep(a: 5, b: .some(.some(nil)), c: []))
    try expectRoundTrip(Deep(a: 5, b: 6, c: [.some(nil)]))
  }

  @Test func `decodeIfPresent tells nil from a wrapped nil`() throws {
    try Scripted.decode(encoded([Int??.none, .some(nil), 5])) { decoder in
      var container = try decoder.unkeyedContainer()
      let values = [
        try container.decodeIfPresent(Int?.self), try container.decodeIfPresent(Int?.self),
        try container.decodeIfPresent(Int?.self), try container.decodeIfPresent(Int?.self),
      ]
      #expect(values == [nil, .some(nil), 5, nil])
    }
    try Scripted.decode(encoded(["none": Int??.none, "nil": .some(nil), "five": 5])) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let values = try ["none", "nil", "five", "absent"].map {
        try container.decodeIfPresent(Int?.self, forKey: AnyKey($0))
      }
      #expect(values == [nil, .some(nil), 5, nil])
    }
  }

  @Test func `an optional of something that encodes nil is told from nil`() throws {
    struct Box: Codable, Equatable {
      var value: Int?
      init(_ value: Int?) { self.value = value }
      init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Int?.self) }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
      }
    }
    struct Holder: Codable, Equatable { var box: Box? }
    try expectRoundTrip(Box?.none, Box(nil), Box(3))
    try expectRoundTrip(Holder(box: nil), Holder(box: Box(nil)), Holder(box: Box(3)))
  }

  @Test func `a wrapped nil survives around containers that were continued`() throws {
    struct Odd: Codable, Equatable {
      var left: [Int], right: [Int]
      enum Key: CodingKey { case left, right }
      init(left: [Int], right: [Int]) { (self.left, self.right) = (left, right) }
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        left = try container.decode([Int].self, forKey: .left)
        right = try container.decode([Int].self, forKey: .right)
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var first = container.nestedUnkeyedContainer(forKey: .left)
        var second = container.nestedUnkeyedContainer(forKey: .right)
        for (a, b) in zip(left, right) {
          try first.encode(a)
          try second.encode(b)
        }
      }
    }
    let odd = Odd(left: [1, 2, 3], right: [4, 5, 6])
    try expectRoundTrip(Odd???.some(odd), .some(.some(nil)), .some(nil), nil)
    try expectRoundTrip([[Odd??.some(odd), .some(nil), nil, odd]])
  }

  @Test func `a wrapper may test for nil by itself`() throws {
    struct Maybe: Codable, Equatable {
      var value: Int?
      init(value: Int?) { self.value = value }
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        value = container.decodeNil() ? nil : try container.decode(Int.self)
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
      }
    }
    try expectRoundTrip([Maybe(value: nil), Maybe(value: 1)])
    try expectRoundTrip(Maybe?.none, Maybe(value: nil), Maybe(value: 1))
  }
}
