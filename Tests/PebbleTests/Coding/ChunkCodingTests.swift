// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Pebble

struct OddElement: Error, Codable, Equatable {
  let index: Int
}

/// The elements of a chunk and their outcomes, as they travel between processes, without processes.
@Suite("A chunk's coding")
struct ChunkCodingTests {
  /// What a worker replies to a chunk of these.
  private func reply<Input: Codable, Value: Codable>(
    to elements: [Input], _ function: (Int, Input) throws -> Value
  ) throws -> (ChunkOutline, [UInt8]) {
    let (payload, outline) = Payload.chunk(elements) { try $1.append(arguments: $0) }
    let reply = ReplyWriter(to: .chunk)
    payload.withBytes { input in
      let arguments = ArgumentReader(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
      var index = 0
      while arguments.nextElement() {
        reply.answerElement(arguments) { arguments, reply in
          defer { index += 1 }
          try reply.put(function(index, arguments.next(Input.self)))
        }
      }
      #expect(index == elements.count)
    }
    reply.endRun()
    return (outline, reply.bytes.withBytes { Array($0) })
  }

  private func outcomes<Value: Codable>(
    _ type: Value.Type, _ reply: (outline: ChunkOutline, bytes: [UInt8])
  ) throws -> [Result<Value, any Error>] {
    try reply.bytes.withUnsafeBytes { try reply.outline.all(type, $0) }
  }

  /// Each comes back as it went, or with the error of its index.
  private func roundTrip<Value: Codable & Equatable>(_ elements: [Value], failing: Set<Int> = []) throws {
    let reply = try reply(to: elements) { index, element in
      if failing.contains(index) { throw OddElement(index: index) }
      return element
    }
    let outcomes = try outcomes(Value.self, reply)
    #expect(outcomes.count == elements.count)
    for (index, outcome) in outcomes.enumerated() {
      switch outcome {
      case .success(let value): #expect(value == elements[index] && !failing.contains(index))
      case .failure(let error): #expect(error as? OddElement == OddElement(index: index) && failing.contains(index))
      }
    }
  }

  @Test("gives every number back", arguments: [1, 2, 3, 1000])
  func numbers(count: Int) throws {
    let numbers = (0..<count).map { 7 * $0 - 3 }
    try roundTrip(numbers)
    try roundTrip(numbers.map { Double($0) / 3 })
    try roundTrip(numbers.map(Int8.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(Int16.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(Int32.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(Int64.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map { Int128($0) << 70 })
    try roundTrip(numbers.map(UInt8.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(UInt16.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(UInt32.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(UInt64.init(truncatingIfNeeded:)))
    try roundTrip(numbers.map(UInt.init(bitPattern:)))
    try roundTrip(numbers.map { UInt128(truncatingIfNeeded: $0) })
    try roundTrip(numbers.map { Float($0) })
    try roundTrip(numbers.map { Float16($0 % 100) })
  }

  @Test("gives back what is no number")
  func others() throws {
    try roundTrip(["a", "", "bc"])
    try roundTrip([true, false, true])
    try roundTrip([1, nil, 3] as [Int?])
    try roundTrip([[1, 2], [], [3]])
  }

  @Test("keeps every element's own error", arguments: [[0], [9], [0, 1, 2], [3, 5, 9], Array(0..<10)])
  func errors(failing: [Int]) throws {
    try roundTrip(Array(0..<10), failing: Set(failing))
    try roundTrip((0..<10).map(String.init), failing: Set(failing))
  }

  @Test("has results of another kind than its inputs")
  func mixed() throws {
    let texts = try reply(to: Array(0..<100)) { "\($1)" }
    #expect(try outcomes(String.self, texts).map { try $0.get() } == (0..<100).map(String.init))
    let numbers = try reply(to: (0..<100).map(String.init)) { Double($1)! }
    #expect(try outcomes(Double.self, numbers).map { try $0.get() } == (0..<100).map(Double.init))
  }

  @Test("of small numbers takes their own bytes only")
  func size() throws {
    let (payload, _) = Payload.chunk(Array(0..<1000)) { try $1.append(arguments: $0) }
    #expect(payload.count < 8 * 1000 + 100)
    let reply = try reply(to: Array(0..<1000)) { $1 }
    #expect(reply.1.count < 8 * 1000 + 100)
  }

  @Test("finds the wrong number of results, and numbers where there are none")
  func wrongCounts() throws {
    var few = try reply(to: Array(0..<10)) { $1 }
    few.0 = try reply(to: Array(0..<11)) { $1 }.0
    #expect(throws: PebbleError.self) { try outcomes(Int.self, few) }
    let numbers = try reply(to: Array(0..<10)) { $1 }
    #expect(throws: PebbleError.self) { try outcomes(String.self, numbers) }
  }

  @Test("stands every change of a reply's bytes, and every end")
  func hostile() throws {
    let reply = try reply(to: Array(0..<20)) { index, number in
      if index == 9 { throw OddElement(index: index) }
      return number
    }
    for offset in reply.1.indices {
      for byte in [0, 1, 0x7F, 0x80, 0xFF] as [UInt8] {
        var changed = reply
        changed.1[offset] = byte
        if let outcomes = try? outcomes(Int.self, changed) { #expect(outcomes.count == 20) }
      }
      let cut = (reply.0, Array(reply.1[..<offset]))
      #expect(throws: PebbleError.self) { try outcomes(Int.self, cut) }
    }
  }
}
