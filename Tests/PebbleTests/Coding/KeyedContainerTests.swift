// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct KeyedContainerTests {
  struct Mixed: Codable, Equatable {
    var id: Int
    var name: String
    var score: Double
    var tags: [String]
    var isActive: Bool
    var parent: Int?
  }

  @Test func `structs round-trip`() throws {
    try expectRoundTrip(Mixed(id: 1, name: "n", score: .pi, tags: ["a", ""], isActive: true, parent: nil))
    try expectRoundTrip(
      Array(repeating: Mixed(id: 1, name: "", score: 0, tags: [], isActive: false, parent: 3), count: 50))
  }

  @Test func `keys are found in any order`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      for number in 0..<100 { try container.encode(number, forKey: AnyKey("key \(number)")) }
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      for number in (0..<100).reversed() {
        let value = try container.decode(Int.self, forKey: AnyKey("key \(number)"))
        #expect(value == number)
      }
    }
  }

  @Test func `long, empty and odd keys work`() throws {
    let keys = [
      "", "\0", "ü", String(repeating: "k", count: 63), String(repeating: "k", count: 64), "ü\0ü", "12345678",
    ]
    try expectRoundTrip(Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) }))
  }

  @Test func `allKeys lists the keys in writing order, without those the key type does not know`() throws {
    enum Known: String, CodingKey { case b, a }
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      for name in ["a", "x", "b"] { try container.encodeNil(forKey: AnyKey(name)) }
    }
    try Scripted.decode(bytes) { decoder in
      let any = try decoder.container(keyedBy: AnyKey.self)
      let known = try decoder.container(keyedBy: Known.self)
      #expect(any.allKeys.map(\.stringValue) == ["a", "x", "b"])
      #expect(known.allKeys == [.a, .b])
      #expect(any.contains(AnyKey("x")))
      #expect(!any.contains(AnyKey("y")))
    }
  }

  @Test func `nil is present, absent is not, and decodeIfPresent treats them alike`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encodeNil(forKey: AnyKey("nil"))
      try container.encode(5, forKey: AnyKey("five"))
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      #expect(container.contains(AnyKey("nil")))
      let isNil = try container.decodeNil(forKey: AnyKey("nil"))
      let isFiveNil = try container.decodeNil(forKey: AnyKey("five"))
      #expect(isNil)
      #expect(!isFiveNil)
      for name in ["nil", "absent"] {
        let number = try container.decodeIfPresent(Int.self, forKey: AnyKey(name))
        let string = try container.decodeIfPresent(String.self, forKey: AnyKey(name))
        let array = try container.decodeIfPresent([Int].self, forKey: AnyKey(name))
        #expect(number == nil && string == nil && array == nil)
      }
      let five = try container.decodeIfPresent(Int.self, forKey: AnyKey("five"))
      #expect(five == 5)
      #expect(throws: DecodingError.self) { try container.decodeNil(forKey: AnyKey("absent")) }
    }
  }

  @Test func `of two values for one key the later one counts`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encode(1, forKey: AnyKey("a"))
      try container.encode("b", forKey: AnyKey("b"))
      try container.encode([2.5], forKey: AnyKey("a"))
      try container.encode(3, forKey: AnyKey(""))
      try container.encode(4, forKey: AnyKey(""))
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let a = try container.decode([Double].self, forKey: AnyKey("a"))
      let empty = try container.decode(Int.self, forKey: AnyKey(""))
      #expect(a == [2.5])
      #expect(empty == 4)
      #expect(container.allKeys.map(\.stringValue) == ["b", "a", ""])
    }
  }

  @Test func `a repeated key is noticed among hundreds`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      for number in 0..<300 { try container.encode(number, forKey: AnyKey("\(number)")) }
      for number in stride(from: 0, to: 300, by: 7) { try container.encode(-number, forKey: AnyKey("\(number)")) }
    }
    let values = try decoded([String: Int].self, from: bytes)
    #expect(values == Dictionary(uniqueKeysWithValues: (0..<300).map { ("\($0)", $0 % 7 == 0 ? -$0 : $0) }))
  }

  @Test func `two requests for a keyed container give the same one`() throws {
    let bytes = try Scripted.encoded { encoder in
      var first = encoder.container(keyedBy: AnyKey.self)
      var second = encoder.container(keyedBy: AnyKey.self)
      try first.encode(1, forKey: AnyKey("a"))
      try second.encode(2, forKey: AnyKey("b"))
      try first.encode(3, forKey: AnyKey("c"))
    }
    #expect(try decoded([String: Int].self, from: bytes) == ["a": 1, "b": 2, "c": 3])
  }

  @Test func `nested containers of one key are one container`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      var first = container.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("k"))
      try first.encode(1, forKey: AnyKey("a"))
      var second = container.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("k"))
      try second.encode(2, forKey: AnyKey("b"))
      try second.encode(3, forKey: AnyKey("a"))
      try first.encode(4, forKey: AnyKey("c"))
      var list = container.nestedUnkeyedContainer(forKey: AnyKey("other"))
      try list.encode(1)
      list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      try list.encode(1)
      list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      #expect(list.count == 1)
      try list.encode(2)
      #expect(list.count == 2)
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let nested = try container.decode([String: Int].self, forKey: AnyKey("k"))
      let list = try container.decode([Int].self, forKey: AnyKey("list"))
      #expect(nested == ["a": 3, "b": 2, "c": 4])
      #expect(list == [1, 2])
    }
  }

  @Test func `an error caught inside encode leaves the container as it was`() throws {
    struct Failing: Encodable {
      struct Failure: Error {}
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(1, forKey: AnyKey("partial"))
        var nested = container.nestedUnkeyedContainer(forKey: AnyKey("nested"))
        try nested.encode(2)
        throw Failure()
      }
    }
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encode(0, forKey: AnyKey("kept"))
      #expect(throws: Failing.Failure.self) { try container.encode(Failing(), forKey: AnyKey("kept")) }
      var list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      #expect(throws: Failing.Failure.self) { try list.encode(Failing()) }
      try list.encode(7)
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let kept = try container.decode(Int.self, forKey: AnyKey("kept"))
      let list = try container.decode([Int].self, forKey: AnyKey("list"))
      #expect(kept == 0)
      #expect(list == [7])
    }
  }
}
