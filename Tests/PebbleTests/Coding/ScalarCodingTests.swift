// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

@Suite struct ScalarCodingTests {
  private func expectExtremes<T: FixedWidthInteger & Codable>(_: T.Type) throws {
    try expectRoundTrip(T.min, T.min + 1, 0, 1, T.max - 1, T.max)
  }

  @Test func `integers of every width keep their extremes`() throws {
    try expectExtremes(Int.self)
    try expectExtremes(Int8.self)
    try expectExtremes(Int16.self)
    try expectExtremes(Int32.self)
    try expectExtremes(Int64.self)
    try expectExtremes(Int128.self)
    try expectExtremes(UInt.self)
    try expectExtremes(UInt8.self)
    try expectExtremes(UInt16.self)
    try expectExtremes(UInt32.self)
    try expectExtremes(UInt64.self)
    try expectExtremes(UInt128.self)
  }

  @Test func `floating-point numbers keep every bit`() throws {
    let doubles = [
      0, -0.0, .pi, .infinity, -.infinity, .leastNonzeroMagnitude, .nan, Double(nan: 0x1234, signaling: false),
    ]
    for value in doubles { #expect(try roundTrip(value).bitPattern == value.bitPattern) }
    let floats = [0, -0.0, .pi, .infinity, -.infinity, .nan, Float(nan: 0x321, signaling: false)]
    for value in floats { #expect(try roundTrip(value).bitPattern == value.bitPattern) }
    let halves = [0, -0.0, .pi, .infinity, .greatestFiniteMagnitude, .nan, Float16(nan: 0x21, signaling: false)]
    for value in halves { #expect(try roundTrip(value).bitPattern == value.bitPattern) }
  }

  @Test func `NaN with a payload survives in arrays and structs`() throws {
    struct Sample: Codable { var value: Double }
    let nan = Double(nan: 77, signaling: false)
    #expect(try roundTrip([nan, 1]).map(\.bitPattern) == [nan, 1].map(\.bitPattern))
    #expect(try roundTrip(Sample(value: nan)).value.bitPattern == nan.bitPattern)
  }

  @Test func `booleans round-trip`() throws {
    try expectRoundTrip(true, false)
  }

  @Test(arguments: [
    "", "a", "fifteen bytes..", "sixteen bytes...", "nul \0 inside\0", "\0", "日本語", "e\u{301}", "\u{e9}",
    "👨‍👩‍👧‍👦 🇪🇺", "\u{FFFD}", "\u{10FFFF}", "line\r\nline",
  ])
  func `strings keep their Unicode scalars`(_ string: String) throws {
    #expect(Array(try roundTrip(string).unicodeScalars) == Array(string.unicodeScalars))
  }

  @Test func `a string of a megabyte round-trips`() throws {
    try expectRoundTrip(String(repeating: "grün ", count: 200_000))
  }

  @Test func `an integer is decoded as any type it fits in`() throws {
    #expect(try decoded(Int8.self, from: encoded(-5)) == -5)
    #expect(try decoded(UInt64.self, from: encoded(Int16(7))) == 7)
    #expect(try decoded(Int.self, from: encoded(UInt8(200))) == 200)
    #expect(try decoded(Int128.self, from: encoded(UInt.max)) == Int128(UInt.max))
    #expect(try decoded(Double.self, from: encoded(3)) == 3)
  }

  @Test func `an integer is not decoded as a type it does not fit in`() throws {
    #expect(throws: DecodingError.self) { try decoded(UInt.self, from: encoded(-1)) }
    #expect(throws: DecodingError.self) { try decoded(Int8.self, from: encoded(128)) }
    #expect(throws: DecodingError.self) { try decoded(Float.self, from: encoded(1 << 24 + 1)) }
  }

  @Test func `a Double is decoded as Float, unless that overflows`() throws {
    #expect(try decoded(Float.self, from: encoded(0.1)) == 0.1)
    #expect(try decoded(Float.self, from: encoded(Double.infinity)) == .infinity)
    #expect(throws: DecodingError.self) { try decoded(Float.self, from: encoded(1e300)) }
  }

  @Test func `kinds of values are never mistaken for one another`() throws {
    #expect(throws: DecodingError.self) { try decoded(Int.self, from: encoded(1.0)) }
    #expect(throws: DecodingError.self) { try decoded(Int.self, from: encoded(true)) }
    #expect(throws: DecodingError.self) { try decoded(Bool.self, from: encoded(1)) }
    #expect(throws: DecodingError.self) { try decoded(String.self, from: encoded(1)) }
    #expect(throws: DecodingError.self) { try decoded(Int.self, from: encoded("1")) }
    #expect(throws: DecodingError.self) { try decoded([Int].self, from: encoded("1")) }
    #expect(throws: DecodingError.self) { try decoded([String: Int].self, from: encoded([1])) }
  }

  @Test func `numbers whose type is known only at run time keep it`() throws {
    func generic<T: Codable & Equatable>(_ value: T) throws {
      #expect(try roundTrip([value, value]) == [value, value])
      #expect(try roundTrip(["key": value]) == ["key": value])
    }
    try generic(Int8(-1))
    try generic(UInt16(1))
    try generic(Int32(-3))
    try generic(UInt32(4))
    try generic(Int64(-5))
    try generic(UInt(6))
    try generic(UInt64(7))
    try generic(UInt128(8))
    try generic(Float16(9.5))
    try generic(Float(10.5))
    try generic(true)
    try generic("text")
  }
}
