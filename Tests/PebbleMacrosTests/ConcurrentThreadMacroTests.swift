// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("@ConcurrentThread")
  struct ConcurrentThreadMacroTests {
    @Test("gives the body to a thread and waits")
    func asynchronous() {
      expect(
        """
        @ConcurrentThread(timeout: .seconds(10), pool: pool)
        func fetch(_ id: Int = 1) async throws -> Page {
          let page = try load(id)
          return page
        }
        """,
        expandsTo: """
          func fetch(_ id: Int = 1) async throws -> Page {
          @Sendable func fetch__body() throws -> Page {
          #sourceLocation(file: "test.swift", line: 3)
            let page = try load(id)
            return page
          #sourceLocation()
          }
          return try await Pebble._Decorated.callInThread(Pebble._ThreadOptions(timeout: .seconds(10), pool: pool), "fetch", fetch__body)
          }
          """)
    }

    @Test("starts a function that returns a future", arguments: ["Future", "ProcessFuture", "Pebble.Future"])
    func future(type: String) {
      expect(
        "@ConcurrentThread func square(_ n: Int) -> \(type)<Int> { n * n }",
        expandsTo: """
          func square(_ n: Int) -> \(type)<Int> {
          @Sendable func square__body() throws -> Int {
          #sourceLocation(file: "test.swift", line: 1)
          \(String(repeating: " ", count: 51 + type.count))n * n
          #sourceLocation()
          }
          return Pebble._Decorated.startInThread(Pebble._ThreadOptions(), "square", square__body)
          }
          """)
    }

    @Test(
      "refuses what a thread cannot run",
      arguments: [
        (
          "func f() async throws -> Int { await g() }", 24,
          "'f' runs in a thread, where nothing can be awaited; use a task instead"
        ),
        (
          "func f(_ n: inout Int) async throws { n = 1 }", 31,
          "parameter 'n' is 'inout', but the thread runs while the caller goes on; return the value"
        ),
        (
          "func f() async throws(E) { g() }", 34, "a call of 'f' can also time out or be cancelled; use 'throws'"
        ),
        (
          "func f() throws -> Future<Int> { 1 }", 28,
          "'f' returns its 'Future' at once and cannot be 'throws'; its body may throw all the same"
        ),
      ])
    func refused(function: String, column: Int, message: String) {
      let signature = function.prefix { $0 != "{" }
      expect(
        "@ConcurrentThread \(function)", expandsTo: "\(signature){\nSwift.fatalError()\n}",
        diagnostics: [DiagnosticSpec(message: message, line: 1, column: column)])
    }
  }
#endif
