// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct CodingErrorTests {
  private func failure<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> DecodingError {
    try #require(throws: DecodingError.self) { try decoded(type, from: bytes) }
  }

  private func context(_ error: DecodingError) -> DecodingError.Context {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
      .dataCorrupted(let context):
      context
    @unknown default:
      .init(codingPath: [], debugDescription: "unknown")
    }
  }

  private func path(_ error: DecodingError) -> String {
    context(error).codingPath.map(\.stringValue).joined(separator: "/")
  }

  struct Outer: Codable {
    var items: [Inner]
  }
  struct Inner: Codable {
    var values: [String: Int?]
  }
  struct LooseOuter: Codable {
    var items: [LooseInner]
  }
  struct LooseInner: Codable {
    var values: [String: String]
  }

  @Test func `a type mismatch names the path, the expected type and what was found`() throws {
    let error = try failure(Outer.self, encoded(LooseOuter(items: [.init(values: [:]), .init(values: ["k": "text"])])))
    guard case .typeMismatch(let type, let context) = error else { throw error }
    #expect(type is Int.Type)
    #expect(path(error) == "items/Index 1/values/k")
    #expect(context.debugDescription.contains("Int"))
    #expect(context.debugDescription.contains("string"))
  }

  @Test func `a missing key is named, with the path to its container`() throws {
    struct Item: Codable { var a: Int }
    struct Bigger: Codable { var a: Int, missing: Int }
    let error = try failure([Bigger].self, encoded([Item(a: 1)]))
    guard case .keyNotFound(let key, let context) = error else { throw error }
    #expect(key.stringValue == "missing")
    #expect(path(error) == "Index 0")
    #expect(context.debugDescription.contains("missing"))
  }

  @Test func `nil instead of a value is a value not found`() throws {
    let error = try failure([String: Int].self, encoded(["k": Int?.none]))
    guard case .valueNotFound = error else { throw error }
    #expect(path(error) == "k")
  }

  @Test func `an element of an array of strings or numbers is named by its index`() throws {
    #expect(try path(failure([String].self, encoded([["a"], ["b"]]))) == "Index 0")
    #expect(try path(failure([Int8].self, encoded([1, 2, 300]))) == "Index 2")
    #expect(try path(failure([[String]].self, encoded([["a"], nil]))) == "Index 1")
    #expect(try path(failure([String].self, encoded(["a", nil]))) == "Index 1")
  }

  @Test func `the keys of a path are the type's own`() throws {
    let error = try failure(Outer.self, encoded(["items": [["values": 5]]]))
    let keys = context(error).codingPath
    #expect(keys.count == 3)
    #expect(keys[1].intValue == 0)
    #expect(String(describing: type(of: keys[0])).contains("CodingKeys"))
  }

  @Test func `containers and coders know their path while coding`() throws {
    let bytes = try Scripted.encoded { encoder in
      #expect(encoder.codingPath.isEmpty)
      #expect(encoder.userInfo.isEmpty)
      var container = encoder.container(keyedBy: AnyKey.self)
      var list = container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      try list.encode(0)
      var nested = list.nestedContainer(keyedBy: AnyKey.self)
      try nested.encode(5, forKey: AnyKey("x"))
      #expect(nested.codingPath.map(\.stringValue) == ["list", "Index 1"])
      let superEncoder = nested.superEncoder()
      #expect(superEncoder.codingPath.map(\.stringValue) == ["list", "Index 1", "super"])
      #expect(superEncoder.unkeyedContainer().codingPath.map(\.stringValue) == ["list", "Index 1", "super"])
      try container.encode(0, forKey: AnyKey("later"))
      try nested.encode(6, forKey: AnyKey("y"))
      #expect(nested.codingPath.map(\.stringValue) == ["list", "Index 1"])
    }
    try Scripted.decode(bytes) { decoder in
      #expect(decoder.codingPath.isEmpty)
      #expect(decoder.userInfo.isEmpty)
      let container = try decoder.container(keyedBy: AnyKey.self)
      var list = try container.nestedUnkeyedContainer(forKey: AnyKey("list"))
      _ = try list.decode(Int.self)
      let nested = try list.nestedContainer(keyedBy: AnyKey.self)
      #expect(nested.codingPath.map(\.stringValue) == ["list", "Index 1"])
      let superDecoder = try nested.superDecoder()
      #expect(superDecoder.codingPath.map(\.stringValue) == ["list", "Index 1", "super"])
      #expect(throws: DecodingError.self) { try nested.decode(String.self, forKey: AnyKey("x")) }
    }
  }

  @Test func `an error of a type's own passes unchanged`() throws {
    struct Picky: Codable {
      struct Failure: Error, Equatable { var side: String }
      init() {}
      init(from _: any Decoder) throws { throw Failure(side: "decoding") }
      func encode(to _: any Encoder) throws { throw Failure(side: "encoding") }
    }
    #expect(throws: Picky.Failure(side: "encoding")) { try encoded(["a": [Picky()]]) }
    #expect(throws: Picky.Failure(side: "decoding")) { try decoded([String: [Picky]].self, from: encoded(["a": [1]])) }
  }

  @Test func `a value that throws appends nothing`() throws {
    struct Failing: Encodable {
      struct Failure: Error {}
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode("something")
        throw Failure()
      }
    }
    var writer = ByteWriter()
    let encoder = BinaryEncoder()
    try encoder.encode([1], into: &writer)
    let count = writer.count
    #expect(throws: Failing.Failure.self) { try encoder.encode(["a": Failing()], into: &writer) }
    #expect(writer.count == count)
    try encoder.encode("next", into: &writer)
    try writer.withBytes { bytes throws in
      let decoder = BinaryDecoder(bytes)
      #expect(try decoder.decode([Int].self) == [1])
      #expect(try decoder.decode(String.self) == "next")
    }
  }

  @Test func `two kinds of containers for one value are an error and no crash`() throws {
    #expect(throws: EncodingError.self) {
      try Scripted.encoded { encoder in
        var keyed = encoder.container(keyedBy: AnyKey.self)
        try keyed.encode(1, forKey: AnyKey("a"))
        var unkeyed = encoder.unkeyedContainer()
        try unkeyed.encode(2)
        try keyed.encode(3, forKey: AnyKey("b"))
      }
    }
    #expect(throws: EncodingError.self) {
      try Scripted.encoded { encoder in
        var single = encoder.singleValueContainer()
        try single.encode(1)
        try single.encode(2)
      }
    }
    #expect(throws: EncodingError.self) {
      try Scripted.encoded { encoder in
        _ = encoder.unkeyedContainer()
        var single = encoder.singleValueContainer()
        try single.encode(2)
      }
    }
  }

  final class Link: Codable {
    var next: Link?
  }

  @Test func `an object that refers to itself is an error and no endless recursion`() throws {
    let link = Link()
    link.next = link
    defer { link.next = nil }
    let error = try #require(throws: EncodingError.self) { try encoded(link) }
    guard case .invalidValue(_, let context) = error else { throw error }
    #expect(context.debugDescription.contains("nested"))
    #expect(context.codingPath.last?.stringValue == "next")
  }

  @Test func `nested containers end at the same depth as values`() throws {
    #expect(throws: EncodingError.self) {
      try Scripted.encoded { encoder in
        var container = encoder.unkeyedContainer()
        for _ in 0..<codingDepthLimit { container = container.nestedUnkeyedContainer() }
        try container.encode(1)
      }
    }
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      for _ in 0..<codingDepthLimit - 2 { container = container.nestedUnkeyedContainer() }
      try container.encode(1)
    }
    #expect(throws: Never.self) { try Scripted.decode(bytes) { _ in } }
  }

  @Test func `what can be encoded is not too deep to be decoded`() throws {
    func chain(_ count: Int) -> Link {
      let link = Link()
      var last = link
      for _ in 1..<count {
        last.next = Link()
        last = last.next!
      }
      return link
    }
    func length(_ link: Link) -> Int { sequence(first: link, next: \.next).reduce(0) { count, _ in count + 1 } }
    var count = 1
    while let bytes = try? encoded(chain(count)) {
      #expect(length(try decoded(Link.self, from: bytes)) == count)
      count += 1
    }
    #expect(count > codingDepthLimit / 2)
  }
}
