// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct BinaryDecoderTests {
  @Test func `values come back one after the other`() throws {
    struct Point: Codable, Equatable { var x: Int, y: Double }
    struct Empty: Codable, Equatable {}
    var writer = ByteWriter()
    let encoder = BinaryEncoder()
    try encoder.encode(5, into: &writer)
    try encoder.encode(Point(x: 1, y: 2), into: &writer)
    try encoder.encode(Empty(), into: &writer)
    try encoder.encode(String?.none, into: &writer)
    try encoder.encode([1.5], into: &writer)
    try encoder.encode("end", into: &writer)
    try writer.withBytes { bytes throws in
      let decoder = BinaryDecoder(bytes)
      #expect(try decoder.decode(Int.self) == 5)
      #expect(try decoder.decode(Point.self) == Point(x: 1, y: 2))
      #expect(try decoder.decode(Empty.self) == Empty())
      #expect(try decoder.decode(String?.self) == nil)
      #expect(try decoder.decode([Double].self) == [1.5])
      #expect(!decoder.isAtEnd)
      #expect(try decoder.decode(String.self) == "end")
      #expect(decoder.isAtEnd)
      #expect(throws: DecodingError.self) { try decoder.decode(Int.self) }
    }
  }

  @Test func `a value that failed stays the next one`() throws {
    let bytes = try encoded("text") + encoded(["a": 1])
    try bytes.withUnsafeBytes { bytes throws in
      let decoder = BinaryDecoder(bytes)
      #expect(throws: DecodingError.self) { try decoder.decode(Int.self) }
      #expect(throws: DecodingError.self) { try decoder.decode([String: Int].self) }
      #expect(try decoder.decode(String.self) == "text")
      #expect(throws: DecodingError.self) { try decoder.decode([Int].self) }
      #expect(try decoder.decode([String: Int].self) == ["a": 1])
    }
  }

  @Test func `nothing is at its end at once`() {
    let decoder = BinaryDecoder(UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(decoder.isAtEnd)
    #expect(throws: DecodingError.self) { try decoder.decode(Int.self) }
    #expect(throws: DecodingError.self) { try decoder.decode([String: Int].self) }
  }

  /// Decodes when asked, from a container it has kept.
  final class Lazy: Codable {
    private let decoder: any Decoder
    private var container: any UnkeyedDecodingContainer
    init(from decoder: any Decoder) throws {
      self.decoder = decoder
      container = try decoder.unkeyedContainer()
      _ = try container.decode(String.self)
    }
    func encode(to _: any Encoder) {}
    func rest() throws -> (String, [String]) {
      (try container.decode(String.self), try decoder.singleValueContainer().decode([String].self))
    }
  }

  @Test func `a decoder that somebody keeps outlives the bytes`() throws {
    let lazy = try decoded([Lazy].self, from: encoded([["first", "a rather long second string", "third"]]))
    let (second, all) = try lazy[0].rest()
    #expect(second == "a rather long second string")
    #expect(all == ["first", "a rather long second string", "third"])
  }

  @Test func `coders leave nothing behind, whether they were used well, badly or in vain`() throws {
    struct Failure: Error {}
    final class Witness: @unchecked Sendable {  // Used by one thread.
      weak var node: AnyObject?
    }
    let witness = Witness()
    let scripts: [@Sendable (any Encoder) throws -> Void] = [
      { encoder in
        var root = encoder.unkeyedContainer()
        var a = root.nestedUnkeyedContainer()
        var aa = a.nestedUnkeyedContainer()
        _ = root.superEncoder()
        try aa.encode(1)
        try a.encode(1)
        try aa.encode(2)
      },
      { encoder in
        _ = encoder.container(keyedBy: AnyKey.self)
        var wrong = encoder.unkeyedContainer()
        _ = wrong.nestedUnkeyedContainer()
      },
      { encoder in
        var root = encoder.unkeyedContainer()
        var a = root.nestedUnkeyedContainer()
        try root.encode(1)
        try a.encode(2)
        throw Failure()
      },
    ]
    for script in scripts {
      let bytes = try? Scripted.encoded { encoder in
        witness.node = encoder as AnyObject
        try script(encoder)
      }
      #expect(witness.node == nil)
      if let bytes {
        try Scripted.decode(bytes) { decoder in witness.node = decoder as AnyObject }
        #expect(witness.node == nil)
      }
    }
  }

  @Test func `an encoder that somebody keeps is harmless`() throws {
    final class Kept: @unchecked Sendable {  // Used by one thread.
      var encoder: (any Encoder)?
      var container: KeyedEncodingContainer<AnyKey>?
      var list: (any UnkeyedEncodingContainer)?
    }
    let kept = Kept()
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.container(keyedBy: AnyKey.self)
      try container.encode(1, forKey: AnyKey("a"))
      kept.list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      kept.container = container
      kept.encoder = encoder
    }
    try kept.container?.encode(2, forKey: AnyKey("b"))
    try kept.container?.encode(2, forKey: AnyKey("a"))
    try kept.list?.encode("x")
    try kept.list?.encode([["y"]])
    var again = kept.encoder?.container(keyedBy: AnyKey.self)
    try again?.encode(3, forKey: AnyKey("c"))
    _ = kept.encoder?.unkeyedContainer()
    #expect(throws: DecodingError.self) { try decoded([String: Int].self, from: bytes) }
    #expect(bytes.count < 100)
  }
}
