// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

/// Containers that are written to after others have been begun.
@Suite struct InterleavedContainerTests {
  @Test func `two nested containers may be written in turns`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      var left = container.nestedUnkeyedContainer(forKey: AnyKey("left"))
      var right = container.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("right"))
      for number in 0..<100 {
        try left.encode(number)
        try right.encode(number, forKey: AnyKey("\(number % 80)"))
        try container.encode(number, forKey: AnyKey("direct \(number)"))
        #expect(left.count == number + 1)
      }
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let left = try container.decode([Int].self, forKey: AnyKey("left"))
      let right = try container.decode([String: Int].self, forKey: AnyKey("right"))
      #expect(left == Array(0..<100))
      #expect(right == Dictionary(uniqueKeysWithValues: (0..<80).map { ("\($0)", $0 < 20 ? $0 + 80 : $0) }))
      #expect(container.allKeys.count == 102)
    }
  }

  @Test func `interleaving works at every depth, with values and runs inside`() throws {
    let bytes = try Scripted.encoded { encoder in
      var root = encoder.unkeyedContainer()
      var a = root.nestedUnkeyedContainer()
      var aa = a.nestedUnkeyedContainer()
      var b = root.nestedUnkeyedContainer()
      try aa.encode(contentsOf: [1, 2])
      try b.encode([[3]])
      var ab = a.nestedUnkeyedContainer()
      try aa.encode(4)
      try ab.encode(5)
      try b.encode([[6]])
      try aa.encode(contentsOf: [7])
      var c = root.nestedUnkeyedContainer()
      try ab.encode(8)
      try c.encode([[Int]]())
    }
    // a = [aa, ab], b = [[[3]], [[6]]], c = [[]]
    try Scripted.decode(bytes) { decoder in
      var root = try decoder.unkeyedContainer()
      let a = try root.decode([[Int]].self)
      let b = try root.decode([[[Int]]].self)
      let c = try root.decode([[[Int]]].self)
      #expect(a == [[1, 2, 4, 7], [5, 8]])
      #expect(b == [[[3]], [[6]]])
      #expect(c == [[]])
      #expect(root.isAtEnd)
    }
  }

  class Animal: Codable {
    var name: String
    init(name: String) { self.name = name }
    enum CodingKeys: CodingKey { case name }
    required init(from decoder: any Decoder) throws {
      name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
    }
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
    }
  }

  /// Hands a super encoder on, before or after its own values.
  final class Dog: Animal {
    var age: Int
    var isSuperFirst = false
    init(name: String, age: Int) {
      self.age = age
      super.init(name: name)
    }
    enum DogKeys: CodingKey { case age, name }
    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: DogKeys.self)
      age = try container.decode(Int.self, forKey: .age)
      try super.init(from: container.superDecoder())
    }
    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: DogKeys.self)
      let superEncoder = container.superEncoder()
      if isSuperFirst { try super.encode(to: superEncoder) }
      try container.encode(age, forKey: .age)
      if !isSuperFirst { try super.encode(to: superEncoder) }
    }
  }

  /// Shares its superclass's container.
  final class Cat: Animal {
    var lives: Int
    init(name: String, lives: Int) {
      self.lives = lives
      super.init(name: name)
    }
    enum CatKeys: CodingKey { case lives }
    required init(from decoder: any Decoder) throws {
      lives = try decoder.container(keyedBy: CatKeys.self).decode(Int.self, forKey: .lives)
      try super.init(from: decoder)
    }
    override func encode(to encoder: any Encoder) throws {
      try super.encode(to: encoder)
      var container = encoder.container(keyedBy: CatKeys.self)
      try container.encode(lives, forKey: .lives)
    }
  }

  @Test(arguments: [true, false])
  func `superclasses may be encoded before and after their subclass`(isSuperFirst: Bool) throws {
    let dog = Dog(name: "Rex", age: 3)
    dog.isSuperFirst = isSuperFirst
    let copies = try roundTrip([dog, dog])
    #expect(copies.map(\.name) == ["Rex", "Rex"])
    #expect(copies.map(\.age) == [3, 3])
  }

  @Test func `superclasses may share the container of their subclass`() throws {
    let cat = try roundTrip(Cat(name: "Tom", lives: 9))
    #expect(cat.name == "Tom")
    #expect(cat.lives == 9)
  }

  @Test func `super encoders work in unkeyed containers, under keys, with single values and unused`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      let unused = container.superEncoder()
      let named = container.superEncoder(forKey: AnyKey("named"))
      var null = container.superEncoder(forKey: AnyKey("null")).singleValueContainer()
      try null.encodeNil()
      var list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      let element = list.superEncoder()
      try list.encode(2)
      var value = named.singleValueContainer()
      try value.encode([1, 2])
      var one = element.singleValueContainer()
      try one.encode("one")
      withExtendedLifetime(unused) {}
    }
    try Scripted.decode(bytes) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let named = try container.superDecoder(forKey: AnyKey("named")).singleValueContainer().decode([Int].self)
      let direct = try container.decode([Int].self, forKey: AnyKey("named"))
      #expect(named == [1, 2])
      #expect(direct == [1, 2])
      let isNull = try container.decodeNil(forKey: AnyKey("null"))
      let null = try container.decodeIfPresent(Int.self, forKey: AnyKey("null"))
      #expect(isNull && null == nil)
      var list = try container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      let first = try list.superDecoder().singleValueContainer().decode(String.self)
      let second = try list.decode(Int.self)
      #expect(first == "one")
      #expect(second == 2)
      let unused = try container.superDecoder().container(keyedBy: AnyKey.self)
      #expect(unused.allKeys.isEmpty)
    }
  }

  @Test func `a missing superclass is decoded from nil`() throws {
    try Scripted.decode(encoded(["a": 1])) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      let missing = try container.superDecoder().singleValueContainer()
      #expect(missing.decodeNil())
      #expect(throws: DecodingError.self) { try missing.decode(Int.self) }
    }
  }

  @Test func `a hundred thousand interleaved elements take no quadratic time`() throws {
    let count = 100_000
    let bytes = try Scripted.encoded { encoder in
      var root = encoder.unkeyedContainer()
      var a = root.nestedUnkeyedContainer()
      var b = root.nestedUnkeyedContainer()
      for number in 0..<count {
        try a.encode(number)
        try b.encode(-number)
      }
    }
    let lists = try decoded([[Int]].self, from: bytes)
    #expect(lists == [Array(0..<count), (0..<count).map { -$0 }])
  }
}
