// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

/// The input could not be read.
struct UnreadableInput: Error, CustomStringConvertible {
  let name: String
  let reason: String
  var description: String { "\(name): \(reason)" }
}

/// Puts the lines of a file into a queue, from a thread of its own, no further ahead than the queue has room for.
final class LineReader: Sendable {
  let lines: Queue<Result<String, UnreadableInput>>
  private let name: String
  private let delimiter: Int32

  /// - Parameter path: nil for standard input.
  init(path: String?, nullSeparated: Bool) throws {
    lines = try Queue(capacity: 256)
    name = path ?? "standard input"
    delimiter = nullSeparated ? 0 : 10
    guard let opened = path.map({ fopen($0, "re") }) ?? fdopen(STDIN_FILENO, "r") else { throw UnreadableInput(name: name, reason: String(cString: strerror(errno))) }
    nonisolated(unsafe) let file = opened  // the thread's alone from here on
    _ = try startThread(name: "reader") { [self] in
      // A closed queue takes no more: then nobody wants the rest.
      try? read(file)
      lines.close()
    }
  }

  private func read(_ file: UnsafeMutablePointer<FILE>) throws {
    var buffer: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(buffer) }
    while true {
      errno = 0
      let length = getdelim(&buffer, &capacity, delimiter, file)
      guard length >= 0 else { break }
      var bytes = UnsafeRawBufferPointer(start: buffer, count: length)
      if let last = bytes.last, Int32(last) == delimiter { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
      try lines.put(.success(String(decoding: bytes, as: UTF8.self)))
    }
    if ferror(file) != 0 { try lines.put(.failure(UnreadableInput(name: name, reason: String(cString: strerror(errno))))) }
  }
}
