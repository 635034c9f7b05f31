// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Pebble

/// Bytes from a worker that went mad. Whatever they are, decoding them must throw or return, and never trap.
@Suite struct HostileInputTests {
  /// Decodes `bytes` as one type and uses the result a little. Returns whether that worked.
  private struct Target: Sendable {
    let name: String
    let decode: @Sendable (UnsafeRawBufferPointer) -> Bool

    init<T: Decodable & SendableMetatype>(_: T.Type, use: @escaping @Sendable (T) -> Void = { _ in }) {
      name = "\(T.self)"
      decode = { bytes in
        let decoder = BinaryDecoder(bytes)
        guard let value = try? decoder.decode(T.self) else { return false }
        use(value)
        return true
      }
    }
  }

  private static let targets = [
    Target(Int.self), Target(UInt8.self), Target(Float16.self), Target(Double.self), Target(Int128.self),
    Target(Bool.self) { #expect([true, false].contains($0)) },
    Target(String.self) { _ = $0.count + $0.unicodeScalars.count + $0.utf16.count },
    Target([Int].self), Target([UInt8].self), Target([Double].self), Target([UInt128].self),
    Target([Bool].self) { #expect($0.allSatisfy { unsafeBitCast($0, to: UInt8.self) <= 1 }) },
    Target([String].self) { _ = $0.joined().count },
    Target([[Int16]].self), Target(ContiguousArray<Float>.self), Target(Set<String>.self),
    Target([String: Int].self) { _ = $0.keys.sorted() }, Target([Int: Bool].self), Target([Double: String].self),
    Target(Range<Int>.self) { _ = $0.upperBound >= $0.lowerBound }, Target(ClosedRange<String>.self),
    Target(Int???.self), Target([Int??].self), Target(SIMD4<Float>.self), Target(Duration.self),
    Target(Sample.self) { _ = $0 == $0 }, Target([Sample].self), Target(Sample.Record.self),
    Target(Outline.self), Target(EnumCodingTests.JSON.self) { _ = $0 == $0 }, Target(EnumCodingTests.Tree.self),
    Target(KeyedContainerTests.Mixed.self), Target(InterleavedContainerTests.Dog.self) { _ = $0.name.count },
    Target(CodingErrorTests.Link.self), Target(Data.self) { _ = $0.reduce(0, ^) }, Target(Date.self),
    Target(URL.self) { _ = $0.path }, Target(UUID.self), Target(Decimal.self), Target(DateComponents.self),
    // Not `IndexSet`: its own `init(from:)` traps when a range overflows, whatever the decoder.
  ]

  private static func corpus(_ random: inout SplitMix64) throws -> [[UInt8]] {
    var corpus = [
      try encoded(-1), try encoded(1.5), try encoded("a string of some length"), try encoded([1, 2, 3]),
      try encoded([true, false]), try encoded(["", "ab", "cd"]), try encoded([[1, 2], [3]] as [[Int16]]),
      try encoded(["a": 1, "b": 2]), try encoded([1: true]), try encoded([1.5: "x"]), try encoded(3..<9),
      try encoded(Int???.some(.some(nil))), try encoded(SIMD4<Float>(1, 2, 3, 4)), try encoded(Duration.seconds(1)),
      try encoded(InterleavedContainerTests.Dog(name: "Rex", age: 3)), try encoded(Data([1, 2, 3])),
      try encoded(Date()), try encoded(URL(string: "https://a.b/c")!), try encoded(UUID()), try encoded(Decimal(1.5)),
      try encoded(DateComponents(year: 1, month: 2)),
      try encoded(KeyedContainerTests.Mixed(id: 1, name: "n", score: 2, tags: ["t"], isActive: true, parent: 4)),
    ]
    for _ in 0..<40 { corpus.append(try encoded(Sample.random(depth: 2, using: &random))) }
    for _ in 0..<10 {
      let outline = Outline.random(depth: 5, using: &random)
      let seed = random.next()
      corpus.append(try Scripted.encoded { try outline.write(to: $0, seed: seed) })
    }
    return corpus.filter { $0.count < 2000 }
  }

  private static func mutate(_ bytes: inout [UInt8], _ other: [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch random.next() % 9 {
      case 0: bytes[place] ^= 1 << (random.next() % 8)
      case 1: bytes[place] = UInt8(random.next() % 26)
      case 2: bytes[place] = .random(in: 0...255, using: &random)
      case 3: bytes.removeLast(place)
      case 4: bytes.remove(at: place)
      case 5: bytes.insert(UInt8(random.next() % 26), at: place)
      case 6:
        let odd: [UInt64] = [0, 1, 1 << 31, 1 << 60, 1 << 61, 1 << 63, .max, .max - 8, .max >> 1, .max >> 4]
        let number = odd.randomElement(using: &random)! &+ UInt64(random.next() % 3)
        for (index, byte) in withUnsafeBytes(of: number, Array.init).enumerated() where place + index < bytes.count {
          bytes[place + index] = byte
        }
      case 7:
        let start = Int.random(in: 0...other.count, using: &random)
        bytes.replaceSubrange(place..., with: other[start...])
      default:
        let end = Int.random(in: place..<bytes.count, using: &random)
        bytes.insert(contentsOf: bytes[place...end], at: place)
      }
    }
  }

  @Test func `two hundred thousand damaged messages are decoded or refused`() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    let corpus = try Self.corpus(&random)
    var accepted = 0
    for _ in 0..<200_000 {
      var bytes = corpus.randomElement(using: &random)!
      Self.mutate(&bytes, corpus.randomElement(using: &random)!, &random)
      bytes.withUnsafeBytes { bytes in
        if Self.targets.randomElement(using: &random)!.decode(bytes) { accepted += 1 }
      }
    }
    // Or the damage is too small, or too great, to test anything.
    #expect(1000..<100_000 ~= accepted, "seed \(seed)")
  }

  @Test func `messages damaged in one place are decoded as their own type or refused`() throws {
    var random = SplitMix64(seed: 1)
    let sample = try encoded(Sample.random(depth: 3, using: &random))
    for place in sample.indices {
      for byte in [0, 1, 2, 4, 6, 7, 8, 9, 10, 0x7F, 0x80, 0xFF] as [UInt8] {
        var bytes = sample
        bytes[place] = byte
        bytes.withUnsafeBytes { bytes in _ = try? BinaryDecoder(bytes).decode(Sample.self) }
      }
      sample[..<place].withUnsafeBytes { bytes in _ = try? BinaryDecoder(bytes).decode(Sample.self) }
    }
  }

  @Test func `random bytes are decoded or refused`() {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SplitMix64(seed: seed)
    for round in 0..<50_000 {
      // Uniform bytes are mostly no tags at all.
      let bound: ClosedRange<UInt8> = round % 2 == 0 ? 0...255 : 0...25
      let bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in UInt8.random(in: bound, using: &random) }
      bytes.withUnsafeBytes { bytes in
        _ = Self.targets.randomElement(using: &random)!.decode(bytes)
      }
    }
  }

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
        for target in Self.targets where target.name != "Optional<Optional<Optional<Int>>>" {
          #expect(!target.decode(bytes), "\(target.name)")
        }
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
