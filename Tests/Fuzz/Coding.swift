// SPDX-License-Identifier: Apache-2.0
// The decoder of what functions throw and return, as one type after the other. Built together with Sources/Pebble/Coding.

indirect enum Tree: Codable {
  case leaf(Int?)
  case node(left: Tree, right: Tree, name: String)
}

struct Record: Codable {
  var id: Int
  var name: String?
  var scores: [Double]
  var tags: [String: [Int16]]
  var flags: Set<Bool>
  var inner: [Record]
  var tree: Tree
}

enum Keyed: Codable {
  case nothing
  case one(UInt8)
  case many([String], count: Int)
}

func decode<T: Codable>(_ type: T.Type, _ bytes: UnsafeRawBufferPointer) {
  guard let value = try? BinaryDecoder(bytes).decode(type) else { return }
  // What was accepted is a value like any other: it can be encoded, and comes back.
  do {
    var again = ByteWriter()
    try BinaryEncoder().encode(value, into: &again)
    _ = try again.withBytes { try BinaryDecoder($0).decode(type) }
  } catch {
    fatalError("\(value): \(error)")
  }
}

@_cdecl("LLVMFuzzerTestOneInput") public func fuzz(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size > 0 else { return 0 }
  let bytes = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
  switch data[0] % 14 {
  case 0: decode(Int.self, bytes)
  case 1: decode(String.self, bytes)
  case 2: decode([UInt8].self, bytes)
  case 3: decode([Double?].self, bytes)
  case 4: decode([String: Int].self, bytes)
  case 5: decode([[Bool]].self, bytes)
  case 6: decode(Record.self, bytes)
  case 7: decode(Tree.self, bytes)
  case 8: decode([Keyed].self, bytes)
  case 9: decode(Set<String>.self, bytes)
  case 10: decode(SIMD4<Float>.self, bytes)
  case 11: decode(Range<Int>.self, bytes)
  case 12: decode([Int: Record].self, bytes)
  default: decode(Int???.self, bytes)
  }
  return 0
}
