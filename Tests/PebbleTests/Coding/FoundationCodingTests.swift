// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Pebble

@Suite struct FoundationCodingTests {
  @Test func `data round-trips at every size`() throws {
    for size in [0, 1, 13, 14, 15, 64, 4096, 1 << 20] {
      try expectRoundTrip(Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
    }
  }

  @Test func `data is recognized without importing Foundation`() {
    #expect(foundationData == Data.self)
  }

  @Test func `data takes little more than its bytes`() throws {
    #expect(try encoded(Data(count: 1000)).count < 1000 + 32)
  }

  @Test func `data and byte arrays read each other`() throws {
    #expect(try decoded([UInt8].self, from: encoded(Data([1, 2, 3]))) == [1, 2, 3])
    #expect(try decoded(Data.self, from: encoded([1, 2, 3] as [UInt8])) == Data([1, 2, 3]))
    #expect(try decoded(Data.self, from: encoded(ContiguousArray<UInt8>([1, 2]))) == Data([1, 2]))
  }

  @Test func `a slice of data keeps its bytes and nothing else`() throws {
    let slice = Data(0..<100)[40..<60]
    #expect(try Array(roundTrip(slice)) == Array(40..<60))
    #expect(try encoded(slice).count < 60)
  }

  @Test func `data in structs, arrays and dictionaries round-trips`() throws {
    struct File: Codable, Equatable { var name: String, content: Data, thumbnail: Data? }
    try expectRoundTrip(File(name: "a", content: Data(0..<200), thumbnail: nil))
    try expectRoundTrip([Data([1]), Data()], [])
    try expectRoundTrip(["a": Data([1])])
  }

  @Test func `dates, URLs, UUIDs and decimals round-trip`() throws {
    try expectRoundTrip(Date(timeIntervalSinceReferenceDate: 1.25), .distantPast, .distantFuture)
    try expectRoundTrip(URL(string: "https://example.com/a?b=c#d")!, URL(fileURLWithPath: "/tmp/ü"))
    try expectRoundTrip(UUID())
    try expectRoundTrip(Decimal(string: "-123456789.987654321")!, .nan, .greatestFiniteMagnitude, 0)
  }

  @Test func `other Foundation types round-trip`() throws {
    try expectRoundTrip(DateComponents(year: 2024, month: 2, day: 29))
    try expectRoundTrip(DateInterval(start: Date(timeIntervalSince1970: 0), duration: 5))
    try expectRoundTrip(IndexSet([1, 2, 3, 100]))
    try expectRoundTrip(IndexPath(indexes: [1, 2, 3]))
    try expectRoundTrip(Measurement(value: 5, unit: UnitLength.meters))
    try expectRoundTrip(TimeZone(identifier: "UTC")!)
    try expectRoundTrip(Locale(identifier: "de_DE"))
    try expectRoundTrip(CharacterSet.alphanumerics)
    try expectRoundTrip(CGRect(x: 1, y: 2, width: 3, height: 4))
    try expectRoundTrip(URLComponents(string: "https://example.com")!)
    try expectRoundTrip(Calendar(identifier: .gregorian))
  }
}
