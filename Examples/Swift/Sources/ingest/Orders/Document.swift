// SPDX-License-Identifier: Apache-2.0

/// What is kept of a valid document.
struct Summary: Codable, Sendable {
  var lines: Int
  var checksum: Int
}

/// Why a document is turned down.
struct InvalidDocument: Error, Codable, Sendable {
  let reason: String

  init(_ reason: String) {
    self.reason = reason
  }
}

/// Parses and checks one document.
func summary(of bytes: [UInt8]) throws -> Summary {
  guard !bytes.isEmpty else { throw InvalidDocument("empty") }
  guard String(validating: bytes, as: UTF8.self) != nil else { throw InvalidDocument("not UTF-8") }
  return try Order(JSONParser.parse(bytes)).summary
}
