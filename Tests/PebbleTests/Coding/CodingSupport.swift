// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Pebble

/// The bytes of `value`.
func encoded<T: Encodable>(_ value: T) throws -> [UInt8] {
  var writer = ByteWriter()
  try BinaryEncoder().encode(value, into: &writer)
  return writer.withBytes { Array($0) }
}

/// The value in `bytes`, which must be all of them. They are gone when this returns.
func decoded<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
  // A copy of exactly that size, so that the address sanitizer sees reads past the end.
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { copy.deallocate() }
  copy.copyBytes(from: bytes)
  let decoder = BinaryDecoder(UnsafeRawBufferPointer(copy))
  let value = try decoder.decode(type)
  #expect(decoder.isAtEnd)
  copy.initializeMemory(as: UInt8.self, repeating: 0xAA)
  return value
}

func roundTrip<T: Codable>(_ value: T) throws -> T {
  try decoded(T.self, from: encoded(value))
}

func expectRoundTrip<T: Codable & Equatable>(_ values: T..., sourceLocation: SourceLocation = #_sourceLocation) throws {
  for value in values {
    #expect(try roundTrip(value) == value, sourceLocation: sourceLocation)
  }
}

/// A key of any name.
struct AnyKey: CodingKey, Hashable {
  var stringValue: String
  var intValue: Int?

  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.init(stringValue) }
  init?(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }
}

/// Encodes and decodes whatever the test says.
struct Scripted: Codable {
  private var write: (any Encoder) throws -> Void = { _ in }

  /// `init(from:)` has no other way to learn what to do than a variable, and tests run on several threads.
  private final class Reading {
    static let key = "Scripted.Reading"
    let read: (any Decoder) throws -> Void
    init(_ read: @escaping (any Decoder) throws -> Void) { self.read = read }
  }

  private init(_ write: @escaping (any Encoder) throws -> Void) { self.write = write }

  init(from decoder: any Decoder) throws {
    try (Thread.current.threadDictionary[Reading.key] as? Reading)?.read(decoder)
  }

  func encode(to encoder: any Encoder) throws { try write(encoder) }

  static func encoded(_ write: @escaping (any Encoder) throws -> Void) throws -> [UInt8] {
    try PebbleTests.encoded(Scripted(write))
  }

  static func decode(_ bytes: [UInt8], _ read: @escaping (any Decoder) throws -> Void) throws {
    Thread.current.threadDictionary[Reading.key] = Reading(read)
    defer { Thread.current.threadDictionary[Reading.key] = nil }
    _ = try decoded(Scripted.self, from: bytes)
  }
}

/// A reproducible source of randomness.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
