// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

/// The compiler's own conformances, which name the type of each property.
private struct Numbers: Codable, Equatable {
  var i8 = Int8.min, i16 = Int16.min, i32 = Int32.min, i64 = Int64.min, i128 = Int128.min, i = Int.min
  var u8 = UInt8.max, u16 = UInt16.max, u32 = UInt32.max, u64 = UInt64.max, u128 = UInt128.max, u = UInt.max
  var float = Float.pi, double = Double.pi
}

private struct MaybeNumbers: Codable, Equatable {
  var i8: Int8?, i16: Int16?, i32: Int32?, i64: Int64?, i128: Int128?, i: Int?
  var u8: UInt8?, u16: UInt16?, u32: UInt32?, u64: UInt64?, u128: UInt128?, u: UInt?
  var float: Float?, double: Double?
}

/// An enumeration with raw values is a bare value of their type.
private enum I8: Int8, Codable, CaseIterable { case low = -128, high = 127 }
private enum I16: Int16, Codable, CaseIterable { case low = -32_768, high = 32_767 }
private enum I32: Int32, Codable, CaseIterable { case low = -2_147_483_648, high = 2_147_483_647 }
private enum I64: Int64, Codable, CaseIterable { case low = -0x8000_0000_0000_0000, high = 0x7fff_ffff_ffff_ffff }
private enum U8: UInt8, Codable, CaseIterable { case low = 0, high = 255 }
private enum U16: UInt16, Codable, CaseIterable { case low = 0, high = 65_535 }
private enum U32: UInt32, Codable, CaseIterable { case low = 0, high = 4_294_967_295 }
private enum U64: UInt64, Codable, CaseIterable { case low = 0, high = 18_446_744_073_709_551_615 }
private enum U: UInt, Codable, CaseIterable { case low = 0, high = 18_446_744_073_709_551_615 }
private enum Real: Float, Codable, CaseIterable { case low = -0.5, high = 1e30 }

@Suite struct EveryWidthTests {
  @Test func `properties of every width keep their extremes`() throws {
    try expectRoundTrip(Numbers())
    var maybe = MaybeNumbers()
    try expectRoundTrip(maybe)
    maybe = .init(
      i8: .min, i16: .min, i32: .min, i64: .min, i128: .min, i: .min, u8: .max, u16: .max, u32: .max, u64: .max,
      u128: .max, u: .max, float: -0.5, double: .pi)
    try expectRoundTrip(maybe)
  }

  private func expectCases<T: CaseIterable & Codable & Equatable>(_: T.Type) throws {
    for value in T.allCases {
      try expectRoundTrip(value)
      try expectRoundTrip([value])
    }
  }

  @Test func `raw values of every width keep their extremes`() throws {
    try expectCases(I8.self)
    try expectCases(I16.self)
    try expectCases(I32.self)
    try expectCases(I64.self)
    try expectCases(U8.self)
    try expectCases(U16.self)
    try expectCases(U32.self)
    try expectCases(U64.self)
    try expectCases(U.self)
    try expectCases(Real.self)
  }

  @Test func `elements of every width keep their extremes`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      try container.encode(Int8.min)
      try container.encode(Int16.min)
      try container.encode(Int32.min)
      try container.encode(Int64.min)
      try container.encode(Int128.min)
      try container.encode(UInt8.max)
      try container.encode(UInt16.max)
      try container.encode(UInt32.max)
      try container.encode(UInt64.max)
      try container.encode(UInt128.max)
      try container.encode(UInt.max)
      try container.encode(Float.pi)
      try container.encode(Double.pi)
      try container.encode(true)
    }
    try Scripted.decode(bytes) { decoder in
      var container = try decoder.unkeyedContainer()
      #expect(try container.decode(Int8.self) == .min)
      #expect(try container.decode(Int16.self) == .min)
      #expect(try container.decode(Int32.self) == .min)
      #expect(try container.decode(Int64.self) == .min)
      #expect(try container.decode(Int128.self) == .min)
      #expect(try container.decode(UInt8.self) == .max)
      #expect(try container.decode(UInt16.self) == .max)
      #expect(try container.decode(UInt32.self) == .max)
      #expect(try container.decode(UInt64.self) == .max)
      #expect(try container.decode(UInt128.self) == .max)
      #expect(try container.decode(UInt.self) == .max)
      #expect(try container.decode(Float.self) == .pi)
      #expect(try container.decode(Double.self) == .pi)
      #expect(try container.decode(Bool.self))
      #expect(container.isAtEnd)
    }
  }

  @Test func `sequences of every width are elements one after the other`() throws {
    let bytes = try Scripted.encoded { encoder in
      var container = encoder.unkeyedContainer()
      try container.encode(contentsOf: [Int8.min, .max])
      try container.encode(contentsOf: [Int16.min, .max])
      try container.encode(contentsOf: [Int32.min, .max])
      try container.encode(contentsOf: [Int64.min, .max])
      try container.encode(contentsOf: [Int128.min, .max])
      try container.encode(contentsOf: [UInt8.min, .max])
      try container.encode(contentsOf: [UInt16.min, .max])
      try container.encode(contentsOf: [UInt32.min, .max])
      try container.encode(contentsOf: [UInt64.min, .max])
      try container.encode(contentsOf: [UInt128.min, .max])
      try container.encode(contentsOf: [UInt.min, .max])
      try container.encode(contentsOf: [-Float.infinity, .pi])
      try container.encode(contentsOf: [-Double.infinity, .pi])
    }
    try Scripted.decode(bytes) { decoder in
      var container = try decoder.unkeyedContainer()
      try expectExtremes(of: Int8.self, in: &container)
      try expectExtremes(of: Int16.self, in: &container)
      try expectExtremes(of: Int32.self, in: &container)
      try expectExtremes(of: Int64.self, in: &container)
      try expectExtremes(of: Int128.self, in: &container)
      try expectExtremes(of: UInt8.self, in: &container)
      try expectExtremes(of: UInt16.self, in: &container)
      try expectExtremes(of: UInt32.self, in: &container)
      try expectExtremes(of: UInt64.self, in: &container)
      try expectExtremes(of: UInt128.self, in: &container)
      try expectExtremes(of: UInt.self, in: &container)
      #expect(try container.decode(Float.self) == -.infinity)
      #expect(try container.decode(Float.self) == .pi)
      #expect(try container.decode(Double.self) == -.infinity)
      #expect(try container.decode(Double.self) == .pi)
    }
  }

  private func expectExtremes<T: FixedWidthInteger & Decodable>(
    of type: T.Type, in container: inout any UnkeyedDecodingContainer
  ) throws {
    #expect(try container.decode(type) == .min)
    #expect(try container.decode(type) == .max)
  }
}
