// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Pebble

/// Bytes from a worker that went mad, each with one particular lie.
@Suite struct HostileInputTests {
  /// A container header with a length and perhaps a count, and what follows.
  private func header(_ tag: WireTag, _ numbers: UInt64..., then rest: [UInt8] = []) -> [UInt8] {
    [tag.rawValue] + numbers.flatMap { withUnsafeBytes(of: $0, Array.init) } + rest
  }

  private func run(_ element: WireTag, _ count: UInt64, _ bytes: [UInt8] = []) -> [UInt8] {
    [WireTag.run.rawValue, element.rawValue] + withUnsafeBytes(of: count, Array.init) + bytes
  }

  @Test(arguments: [1 << 32, 1 << 60, 1 << 61, 1 << 63, UInt64.max, UInt64.max / 16 + 2])
  func `a count or length that the bytes do not justify is refused before anything is allocated`(_ huge: UInt64) {
    let ten = [UInt8](repeating: 0, count: 10)
    let messages = [
      header(.unkeyed, huge, 3, then: ten), header(.unkeyed, 10, huge, then: ten),
      header(.unkeyed, huge, huge, then: ten),
      header(.keyed, huge, then: ten), header(.slot, huge, then: ten),
      header(.unkeyed, 20, 10, then: run(.uint8, huge, ten)), header(.unkeyed, 20, 10, then: run(.int128, huge, ten)),
      header(.unkeyed, 20, huge, then: run(.uint8, huge, ten)),
      [WireTag.string.rawValue] + [UInt8](repeating: 0xFF, count: 9) + [0x01] + ten,
      [WireTag.string.rawValue] + [UInt8](repeating: 0xFF, count: 20),
    ]
    for message in messages {
      message.withUnsafeBytes { bytes in
        for target in FuzzTarget.all where target.name != "Optional<Optional<Optional<Int>>>" {
          #expect(!target.decode(bytes), "\(target.name)")
        }
      }
    }
  }

  @Test func `a run longer than its container is refused`() {
    for count in 3...40 as ClosedRange<UInt64> {
      let message = header(.unkeyed, 50, count, then: run(.int128, count, [UInt8](repeating: 0, count: 40)))
      #expect(throws: DecodingError.self) { try decoded([Int128].self, from: message) }
      #expect(throws: DecodingError.self) { try decoded(ContiguousArray<Int128>.self, from: message) }
    }
  }

  @Test func `an empty run gives no element`() {
    let message = header(.unkeyed, 10, 1, then: run(.int128, 0))
    #expect(throws: DecodingError.self) { try decoded([Int128].self, from: message) }
    #expect(throws: DecodingError.self) { try decoded(ContiguousArray<Int128>.self, from: message) }
  }

  @Test func `a count that does not end is refused`() {
    let message = [WireTag.string.rawValue] + [UInt8](repeating: 0x80, count: 20)
    #expect(throws: DecodingError.self) { try decoded(String.self, from: message) }
  }

  @Test func `a key as long as the address space is refused`() {
    for last in [0x00, 0x01, 0x7F] as [UInt8] {
      let key = [UInt8](repeating: 0xFF, count: 9) + [last]
      let message = header(.keyed, UInt64(key.count + 2), then: key + [0, 0])
      #expect(throws: DecodingError.self) { try decoded(KeyedContainerTests.Mixed.self, from: message) }
      #expect(throws: Never.self) {
        try Scripted.decode(message) { decoder in _ = try decoder.container(keyedBy: AnyKey.self).allKeys }
      }
    }
  }

  @Test func `the announced count never exceeds the bytes`() throws {
    let bytes = header(.unkeyed, 5, 6, then: [0, 0, 0, 0, 0])
    #expect(throws: DecodingError.self) { try decoded([Int?].self, from: bytes) }
    let honest = header(.unkeyed, 5, 5, then: [0, 0, 0, 0, 0])
    #expect(try decoded([Int?].self, from: honest) == [nil, nil, nil, nil, nil])
  }

  @Test func `a key that comes twice is listed once`() throws {
    let twice = [UInt8]([1 << 1, 0x61]) + [WireTag.yes.rawValue] + [1 << 1, 0x61] + [WireTag.no.rawValue]
    try Scripted.decode(header(.keyed, 6, then: twice)) { decoder in
      let container = try decoder.container(keyedBy: AnyKey.self)
      #expect(container.allKeys.map(\.stringValue) == ["a"])
    }
  }

  @Test func `a Bool that is neither true nor false is refused`() {
    let two = header(.unkeyed, 13, 3, then: run(.bool, 3, [0, 1, 2]))
    #expect(throws: DecodingError.self) { try decoded([Bool].self, from: two) }
    #expect(throws: DecodingError.self) { try decoded(ContiguousArray<Bool>.self, from: two) }
  }

  @Test func `ill-formed UTF-8 becomes well-formed`() throws {
    let bytes: [UInt8] = [WireTag.string.rawValue, 4, 0x61, 0xFF, 0xC0, 0x62]
    let string = try decoded(String.self, from: bytes)
    #expect(string.first == "a" && string.last == "b")
    #expect(string.unicodeScalars.contains("\u{FFFD}"))
  }

  @Test func `nesting is bounded, whatever nests`() throws {
    struct Wrapper: Decodable {
      init(from decoder: any Decoder) throws { _ = try decoder.singleValueContainer().decode(Wrapper.self) }
    }
    final class Chain: Decodable {
      let next: Chain?
      init(from decoder: any Decoder) throws { next = try decoder.singleValueContainer().decode(Chain?.self) }
    }
    let count = 100_000
    let lists = (0..<count).flatMap { header(.unkeyed, UInt64(count - 1 - $0) * 17, 1) }
    #expect(throws: DecodingError.self) { try decoded(EnumCodingTests.JSON.self, from: lists) }
    #expect(throws: DecodingError.self) { try decoded(Wrapper.self, from: encoded(1)) }
    #expect(throws: DecodingError.self) { try decoded(Chain.self, from: encoded(1)) }
    let somes = [UInt8](repeating: WireTag.some.rawValue, count: 100_000) + [0]
    #expect(throws: DecodingError.self) { try decoded(Chain.self, from: somes) }
    #expect(throws: DecodingError.self) { try decoded(Int.self, from: somes) }
    let slots = header(.slot, 9, then: header(.slot, 0))
    #expect(throws: DecodingError.self) { try decoded(Int.self, from: slots) }
  }

  @Test func `the deepest nesting fits on a stack of the usual size`() throws {
    var lists = try encoded([Int]())
    for _ in 0..<codingDepthLimit * 2 { lists = header(.unkeyed, UInt64(lists.count), 1) + lists }
    let message = lists
    let finished = DispatchSemaphore(value: 0)
    let thread = Thread {
      #expect(throws: DecodingError.self) { try decoded(EnumCodingTests.JSON.self, from: message) }
      #expect(throws: DecodingError.self) { try decoded(Outline.self, from: message) }
      finished.signal()
    }
    thread.stackSize = 8 << 20
    thread.start()
    finished.wait()
  }

  @Test func `bytes that change while they are read do no harm`() throws {
    var random = SplitMix64(seed: 5)
    let message = try encoded((0..<20).map { _ in Sample.random(depth: 3, using: &random) })
    // One file mapped twice, as in two processes.
    let file = try #require(tmpfile())
    defer { fclose(file) }
    #expect(fwrite(message, 1, message.count, file) == message.count && fflush(file) == 0)
    func map() throws -> UnsafeMutableRawBufferPointer {
      let address = mmap(nil, message.count, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0)
      try #require(address != MAP_FAILED)
      return UnsafeMutableRawBufferPointer(start: address, count: message.count)
    }
    let ours = try map()
    nonisolated(unsafe) let theirs = try map()  // Used by the other thread only.
    defer { [ours, theirs].forEach { munmap($0.baseAddress, $0.count) } }
    let group = DispatchGroup()
    DispatchQueue.global().async(group: group) {
      var random = SplitMix64(seed: 6)
      for _ in 0..<300_000 {
        let place = Int.random(in: 0..<message.count, using: &random)
        theirs[place] = UInt8(truncatingIfNeeded: random.next())
        theirs[place] = message[place]
      }
    }
    for _ in 0..<200 { _ = try? BinaryDecoder(UnsafeRawBufferPointer(ours)).decode([Sample].self) }
    group.wait()
  }
}
