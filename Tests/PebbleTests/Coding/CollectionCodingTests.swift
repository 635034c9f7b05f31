// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct CollectionCodingTests {
  @Test func `arrays of every number type round-trip`() throws {
    try expectRoundTrip([Int](-5...5), [], [.min, .max])
    try expectRoundTrip([Int8](-5...5), [])
    try expectRoundTrip([Int16](-5...5), [])
    try expectRoundTrip([Int32](-5...5), [])
    try expectRoundTrip([Int64](-5...5), [])
    try expectRoundTrip([Int128](-5...5), [])
    try expectRoundTrip([UInt](0...5), [])
    try expectRoundTrip([UInt8](0...255), [])
    try expectRoundTrip([UInt16](0...5), [])
    try expectRoundTrip([UInt32](0...5), [])
    try expectRoundTrip([UInt64](0...5), [])
    try expectRoundTrip([UInt128](0...5), [])
    try expectRoundTrip([Float16](arrayLiteral: 1.5, -2), [])
    try expectRoundTrip([Float](arrayLiteral: 1.5, -2), [])
    try expectRoundTrip([1.5, -2], [Double]())
  }

  @Test func `arrays of booleans and strings round-trip`() throws {
    try expectRoundTrip([true, false, true], [], [false])
    try expectRoundTrip(["", "a", "\0", String(repeating: "long ", count: 100)], [])
  }

  @Test func `an array of numbers takes little more than its bytes`() throws {
    #expect(try encoded([Double](repeating: 1, count: 1000)).count < 8000 + 32)
    #expect(try encoded([Bool](repeating: true, count: 1000)).count < 1000 + 32)
  }

  @Test func `other sequences of numbers read what an array wrote`() throws {
    #expect(try decoded(ContiguousArray<Int>.self, from: encoded([1, 2, 3])) == [1, 2, 3])
    #expect(try decoded(Set<Double>.self, from: encoded([1.5, 2.5])) == [1.5, 2.5])
    #expect(try decoded([Int].self, from: encoded(ContiguousArray([1, 2, 3]))) == [1, 2, 3])
    #expect(try decoded([Bool].self, from: encoded(ContiguousArray([true, false]))) == [true, false])
    #expect(try decoded(ContiguousArray<Bool>.self, from: encoded([true, false])) == [true, false])
    #expect(try decoded([String].self, from: encoded(ContiguousArray(["a", "b"]))) == ["a", "b"])
  }

  @Test func `elements of an array of numbers may be read as wider numbers and by wrappers`() throws {
    struct Wrapper: Codable, Equatable {
      var value: Int
      init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Int.self) }
    }
    #expect(try decoded([Int].self, from: encoded([1, 2] as [UInt8])) == [1, 2])
    #expect(try decoded([Wrapper].self, from: encoded([1, 2])).map(\.value) == [1, 2])
    #expect(try decoded([Int?].self, from: encoded([1, 2])) == [1, 2])
    #expect(throws: DecodingError.self) { try decoded([UInt8].self, from: encoded([1, 256])) }
  }

  @Test func `arrays nest`() throws {
    try expectRoundTrip([[1.5], [], [2, 3]], [])
    try expectRoundTrip([[["a"], []], []])
    try expectRoundTrip([[[UInt8]]](repeating: [[1, 2], [], [3]], count: 3))
  }

  @Test func `contiguous arrays round-trip`() throws {
    try expectRoundTrip(ContiguousArray([1, 2]))
    try expectRoundTrip(ContiguousArray(["a", "b"]))
  }

  @Test func `dictionaries with string, integer and other keys round-trip`() throws {
    struct Point: Codable, Hashable { var x: Int, y: Int }
    enum Color: String, Codable, Hashable, CodingKeyRepresentable { case red, blue }
    try expectRoundTrip(["": 1, "a": 2, "nul\0": 3], [:])
    try expectRoundTrip([1: "a", -7: "b", .max: "c"], [:])
    try expectRoundTrip([Point(x: 1, y: 2): [1], Point(x: 3, y: 4): []], [:])
    try expectRoundTrip([Color.red: 1.5])
    try expectRoundTrip([1.5: "x", 2.5: "y"])
  }

  @Test func `a dictionary of ten thousand keys round-trips`() throws {
    try expectRoundTrip(Dictionary(uniqueKeysWithValues: (0..<10_000).map { ("key \($0)", $0) }))
  }

  @Test func `sets round-trip`() throws {
    try expectRoundTrip(Set(0..<100), [])
    try expectRoundTrip(Set(["a", "b"]))
  }

  @Test func `ranges round-trip`() throws {
    try expectRoundTrip(1..<5, 7..<7)
    try expectRoundTrip(1...5)
    try expectRoundTrip("a"..<"b")
    #expect(try roundTrip(3...).lowerBound == 3)
  }

  @Test func `an upside-down range is refused, in an array too`() throws {
    #expect(throws: DecodingError.self) { try decoded(Range<Int>.self, from: encoded([5, 1])) }
    #expect(throws: DecodingError.self) { try decoded([Range<Int>].self, from: encoded([[5, 1]])) }
  }

  @Test func `vectors, durations and other standard types round-trip`() throws {
    try expectRoundTrip(SIMD3<Float>(1, 2, 3))
    try expectRoundTrip(SIMD4<Double>(1, 2, 3, 4))
    try expectRoundTrip(Duration.seconds(5) + .nanoseconds(3))
  }

  @Test func `values that encode nothing round-trip wherever they are`() throws {
    struct Empty: Codable, Equatable {}
    struct Silent: Codable, Equatable {
      init() {}
      init(from _: any Decoder) {}
      func encode(to _: any Encoder) {}
    }
    struct Both: Codable, Equatable { var a = Empty(), b = Silent(), c = 5 }
    try expectRoundTrip(Empty())
    try expectRoundTrip(Silent())
    try expectRoundTrip([Silent(), Silent()])
    try expectRoundTrip([Both(), Both()])
    try expectRoundTrip(["a": Silent()])
  }

  @Test func `a value that encoded nothing may be read as an empty container of either kind`() throws {
    try Scripted.decode(Scripted.encoded { _ in }) { decoder in
      let unkeyed = try decoder.unkeyedContainer()
      let keyed = try decoder.container(keyedBy: AnyKey.self)
      #expect(unkeyed.isAtEnd)
      #expect(keyed.allKeys.isEmpty)
    }
  }
}
