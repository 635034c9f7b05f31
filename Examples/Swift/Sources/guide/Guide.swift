// SPDX-License-Identifier: Apache-2.0

/// The code that the articles of the documentation quote, run from one to the next. `make docs` sees to it that what
/// they quote stands here.
@main
struct Guide {
  static func main() async throws {
    for (name, part) in [
      ("pools", pools), ("timeouts", timeouts), ("errors", errors), ("decorators", decorators), ("map", map),
      ("threads", threads), ("queues", queues), ("server", server), ("jobs", jobs),
      ("clusters", clusters),
    ] as [(String, @Sendable () async throws -> Void)] {
      print("-- \(name)")
      try await part()
    }
  }
}
