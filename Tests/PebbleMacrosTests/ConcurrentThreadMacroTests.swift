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
        Refusal(
          "func f(_ n: inout Int) async throws", at: "inout Int",
          "parameter 'n' is 'inout', but the thread runs while the caller goes on; return the value"),
        Refusal(
          "func f(_ g: (Int) -> Void) async throws", at: "(Int)",
          "parameter 'g' is a closure that another thread calls; mark it '@escaping @Sendable'",
          fixIt: "add '@escaping @Sendable'", to: "func f(_ g: @escaping @Sendable (Int) -> Void) async throws"),
        Refusal(
          "func f(_ g: @escaping (Int) -> Void) async throws", at: "@escaping",
          "parameter 'g' is a closure that another thread calls; mark it '@Sendable'",
          fixIt: "add '@Sendable'", to: "func f(_ g: @Sendable @escaping (Int) -> Void) async throws"),
        Refusal(
          "func f() async throws(E)", at: "throws(E)",
          "a call of 'f' can also time out or be cancelled; use 'throws'", fixIt: "use 'throws'",
          to: "func f() async throws"),
        Refusal(
          "func f() async rethrows", at: "rethrows",
          "a call of 'f' can also time out or be cancelled; use 'throws'", fixIt: "use 'throws'",
          to: "func f() async throws"),
        Refusal(
          "func f() -> Int", at: "f(",
          "'@ConcurrentThread' needs 'f' to be 'async throws', or to return a 'ProcessFuture'",
          fixIt: "add 'async throws'", to: "func f() async throws -> Int"),
        Refusal(
          "func f() throws -> Future<Int>", at: "throws",
          "'f' returns its 'Future' at once and cannot be 'throws'; its body may throw all the same",
          fixIt: "remove 'throws'", to: "func f() -> Future<Int>"),
      ])
    func refused(_ refusal: Refusal) throws {
      try refusal.inThread.check()
    }

    @Test("refuses methods that need more than a copy of self")
    func methods() throws {
      let method = Refusal(
        "func f() async throws", at: "f()",
        "'f' is a method of the actor 'Bank', whose state a thread cannot use; make it 'nonisolated', and pass it the "
          + "values it needs",
        fixIt: "add 'nonisolated'", to: "nonisolated func f() async throws")
      try method.inThread.check(within: "actor Bank")
      let mutating = Refusal(
        "mutating func f() async throws", at: "mutating",
        "'f' is 'mutating', but the thread runs while the caller goes on; return the new value instead")
      try mutating.inThread.check(within: "struct Image")
    }

    @Test("refuses to await")
    func awaiting() {
      expect(
        "@ConcurrentThread func f() async throws -> Int { await g() }",
        expandsTo: "func f() async throws -> Int {\nSwift.fatalError()\n}",
        diagnostics: [
          DiagnosticSpec(
            message: "'f' runs in a thread, where nothing can be awaited; use a task instead", line: 1, column: 24)
        ])
    }
  }

  extension Refusal {
    fileprivate var inThread: Refusal {
      var refusal = self
      refusal.attribute = "@ConcurrentThread"
      return refusal
    }
  }
#endif
