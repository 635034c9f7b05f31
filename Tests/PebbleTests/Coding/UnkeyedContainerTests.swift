// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct UnkeyedContainerTests {
  @Test func `elements of different types follow one another`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      try container.encode(1)
      try container.encodeNil()
      try container.encode("two")
      try container.encode([3.5])
      try container.encode(contentsOf: [4, 5])
      try container.encode(contentsOf: stride(from: 6, to: 8, by: 1))
      try container.encode(contentsOf: ["8", "9"])
      try container.encode(contentsOf: [true, false])
      try container.encode(contentsOf: [Int]())
      #expect(container.count == 12)
    }
    try Scripted.decode(bytes) { decoder in
      var container = try decoder.unkeyedContainer()
      #expect(container.count == 12)
      let one = try container.decode(Int.self)
      let isOneNil = try container.decodeNil()
      let isTwoNil = try container.decodeNil()
      let two = try container.decode(String.self)
      let three = try container.decode([Double].self)
      #expect(one == 1 && isOneNil && !isTwoNil && two == "two" && three == [3.5])
      #expect(container.currentIndex == 4)
      for number in 4...7 {
        let value = try container.decode(Int.self)
        #expect(value == number)
      }
      let eight = try container.decodeIfPresent(String.self)
      let nine = try container.decode(String.self)
      let yes = try container.decode(Bool.self)
      let no = try container.decodeIfPresent(Bool.self)
      #expect(eight == "8" && nine == "9" && yes && no == false)
      #expect(container.isAtEnd)
      let beyond = try container.decodeIfPresent(Int.self)
      #expect(beyond == nil)
      #expect(throws: DecodingError.self) { try container.decode(Int.self) }
    }
  }

  @Test func `an element that was not understood can be tried again`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      try container.encode("text")
      try container.encode(contentsOf: [1, 2])
    }
    try Scripted.decode(bytes) { decoder in
      var container = try decoder.unkeyedContainer()
      #expect(throws: DecodingError.self) { try container.decode(Int.self) }
      #expect(throws: DecodingError.self) { try container.decode([Int].self) }
      #expect(throws: DecodingError.self) { try container.nestedUnkeyedContainer() }
      let text = try container.decode(String.self)
      #expect(throws: DecodingError.self) { try container.decode(String.self) }
      let one = try container.decode(Int.self)
      #expect(throws: DecodingError.self) { try container.decode(String.self) }
      let two = try container.decode(Int.self)
      #expect(text == "text" && one == 1 && two == 2)
    }
  }

  @Test func `a nested container need not be read to its end`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      try container.encode([[1, 2], [3, 4]])
      try container.encode(["a": 1])
      try container.encode(5)
    }
    try Scripted.decode(bytes) { decoder in
      var container = try decoder.unkeyedContainer()
      var nested = try container.nestedUnkeyedContainer()
      _ = try nested.nestedUnkeyedContainer()
      _ = try container.nestedContainer(keyedBy: AnyKey.self)
      let five = try container.decode(Int.self)
      let second = try nested.decode([Int].self)
      #expect(five == 5)
      #expect(second == [3, 4])
    }
  }

  @Test func `two requests for an unkeyed container append to one and read it twice`() throws {
    let bytes = try Scripted.encoded { encoder in
      var first = encoder.unkeyedContainer()
      try first.encode(1)
      var second = encoder.unkeyedContainer()
      #expect(second.count == 1)
      try second.encode(2)
      try first.encode(3)
    }
    try Scripted.decode(bytes) { decoder in
      var first = try decoder.unkeyedContainer()
      var second = try decoder.unkeyedContainer()
      let one = try first.decode(Int.self)
      let again = try second.decode([Int].self, orElse: Int.self)
      #expect(one == again)
    }
    #expect(try decoded([Int].self, from: bytes) == [1, 2, 3])
  }

  @Test func `types decoded by one single-value container after another see the same value`() throws {
    try Scripted.decode(encoded(5)) { decoder in
      let container = try decoder.singleValueContainer()
      #expect(!container.decodeNil())
      #expect(throws: DecodingError.self) { try container.decode(String.self) }
      let first = try container.decode(Int.self)
      let second = try decoder.singleValueContainer().decode(Int?.self)
      #expect(first == 5)
      #expect(second == 5)
    }
  }
}

extension UnkeyedDecodingContainer {
  fileprivate mutating func decode<T: Decodable, U: Decodable>(_: T.Type, orElse type: U.Type) throws -> U {
    #expect(throws: DecodingError.self) { try decode(T.self) }
    return try decode(type)
  }
}
