// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("Diagnostics of @ConcurrentProcess")
  struct DiagnosticsTests {
    @Test(
      "refuses parameters that cannot be sent",
      arguments: [
        Refusal(
          "func f(_ n: inout Int) async throws", at: "inout Int",
          "parameter 'n' is 'inout', but a worker process changes a copy; return the new value instead"),
        Refusal(
          "func f(_ n: borrowing Image) async throws", at: "borrowing Image",
          "parameter 'n' is 'borrowing', but a worker process always gets a copy; remove 'borrowing'",
          fixIt: "remove 'borrowing'", to: "func f(_ n: Image) async throws"),
        Refusal(
          "func f(_ a: isolated Bank) async throws", at: "isolated Bank",
          "parameter 'a' is 'isolated', but an actor cannot be sent to a worker process; remove it"),
        Refusal(
          "func f(to all: Int..., by n: Int) async throws", at: "Int...",
          "parameter 'all' is variadic and cannot be passed on to a worker process; take an array instead",
          fixIt: "take '[Int]'", to: "func f(to all: [Int], by n: Int) async throws"),
        Refusal(
          "func f(then body: @escaping () -> Void) async throws", at: "@escaping",
          "parameter 'body' is a closure, which cannot be sent to a worker process; pass the values it would use"),
        Refusal(
          "func f(_ n: @autoclosure () -> Int) async throws", at: "@autoclosure",
          "parameter 'n' is a closure, which cannot be sent to a worker process; pass the values it would use"),
        Refusal(
          "func f(_ all: [(Int) -> Int]?) async throws", at: "[(Int)",
          "parameter 'all' is a closure, which cannot be sent to a worker process; pass the values it would use"),
        Refusal(
          "func f(_ all: [some Shape]) async throws", at: "some Shape",
          "parameter 'all' has the opaque type 'some Shape', so a worker process would not know what to decode; "
            + "name a concrete type"),
        Refusal(
          "func f(n: Int, _: String) async throws", at: "_: String",
          "parameter 2 has no name by which it could be passed on to a worker process",
          fixIt: "name it 'argument2'", to: "func f(n: Int, _ argument2: String) async throws"),
      ])
    func parameter(_ refusal: Refusal) throws {
      try refusal.check()
    }

    @Test(
      "refuses effects that a call to a worker process cannot have",
      arguments: [
        Refusal(
          "func f(_ n: Int) -> Int", at: "f(",
          "'@ConcurrentProcess' needs 'f' to be 'async throws', or to return a 'ProcessFuture'",
          fixIt: "add 'async throws'", to: "func f(_ n: Int) async throws -> Int"),
        Refusal(
          "func f() async -> Int", at: "f(",
          "'@ConcurrentProcess' needs 'f' to be 'async throws', or to return a 'ProcessFuture'",
          fixIt: "add 'throws'", to: "func f() async throws -> Int"),
        Refusal(
          "func f() throws", at: "f(",
          "'@ConcurrentProcess' needs 'f' to be 'async throws', or to return a 'ProcessFuture'",
          fixIt: "add 'async'", to: "func f() async throws"),
        Refusal(
          "func f() async throws(ParseError)", at: "throws(ParseError)",
          "'f' throws 'ParseError' only, but a call to a worker process can also time out or find the worker dead; "
            + "use 'throws'",
          fixIt: "use 'throws'", to: "func f() async throws"),
        Refusal(
          "func f(_ n: Int) async rethrows", at: "rethrows",
          "'f' is 'rethrows', but a call to a worker process can always fail; use 'throws'",
          fixIt: "use 'throws'", to: "func f(_ n: Int) async throws"),
        Refusal(
          "func f() async throws -> ProcessFuture<Int>", at: "async throws",
          "'f' returns its 'ProcessFuture' at once and cannot be 'async throws'; its body may throw and await all the same",
          fixIt: "remove 'async throws'", to: "func f() -> ProcessFuture<Int>"),
        Refusal(
          "func f() async throws -> some Shape", at: "some Shape",
          "'f' has the opaque result 'some Shape', so the caller would not know what to decode; name a concrete type"),
      ])
    func effects(_ refusal: Refusal) throws {
      try refusal.check()
    }

    @Test(
      "refuses generic functions",
      arguments: [
        (function: "func f<T>(_ t: T) async throws", culprit: "<T>", scope: nil, place: "generic"),
        (
          function: "func f() async throws", culprit: "f()", scope: "struct Box<T>",
          place: "declared within the generic 'Box'"
        ),
        (
          function: "func f() async throws", culprit: "f()", scope: "extension Array where Element == Int",
          place: "declared within the generic 'Array'"
        ),
        (
          function: "func f() async throws where T == Int", culprit: "where T == Int", scope: "extension Box",
          place: "generic"
        ),
      ])
    func generic(function: String, culprit: String, scope: String?, place: String) throws {
      let refusal = Refusal(
        function, at: culprit,
        "'f' is \(place), so it has no address by which a worker process could find it; "
          + "decorate a function that calls it with concrete types")
      try refusal.check(within: scope)
    }

    @Test(
      "refuses methods that need more than a copy of self",
      arguments: [
        (
          "actor Bank",
          Refusal(
            "func f() async throws", at: "f()",
            "'f' is a method of the actor 'Bank', which cannot be sent to a worker process; "
              + "make it a static method or a global function, and pass it the values it needs")
        ),
        (
          "struct Image",
          Refusal(
            "mutating func f() async throws", at: "mutating",
            "'f' is 'mutating', but a worker process changes a copy of 'self'; return the new value instead")
        ),
        (
          "struct Image",
          Refusal(
            "consuming func f() async throws", at: "consuming",
            "'f' is 'consuming', but a worker process always gets a copy; remove 'consuming'",
            fixIt: "remove 'consuming'", to: "func f() async throws")
        ),
        (
          "struct Image",
          Refusal(
            "static func + (a: Image, b: Image) async throws", at: "+",
            "'@ConcurrentProcess' cannot be applied to an operator; apply it to a function that the operator calls")
        ),
      ])
    func method(scope: String, _ refusal: Refusal) throws {
      try refusal.check(within: scope)
    }

    @Test("reports every problem of a function")
    func several() {
      expect(
        "@ConcurrentProcess func f(_ n: inout Int, g: () -> Void) { }",
        expandsTo: "func f(_ n: inout Int, g: () -> Void) {\nSwift.fatalError()\n}",
        diagnostics: [
          DiagnosticSpec(
            message: "parameter 'n' is 'inout', but a worker process changes a copy; return the new value instead",
            line: 1, column: 32),
          DiagnosticSpec(
            message:
              "parameter 'g' is a closure, which cannot be sent to a worker process; pass the values it would use",
            line: 1, column: 46),
          DiagnosticSpec(
            message: "'@ConcurrentProcess' needs 'f' to be 'async throws', or to return a 'ProcessFuture'", line: 1,
            column: 25, fixIts: [FixItSpec(message: "add 'async throws'")]),
        ])
    }

    @Test("wants local functions to be sendable")
    func localFunction() throws {
      let refusal = Refusal(
        "func f() async throws", at: "f()",
        "'f' is a local function and is also called from a worker process; mark it '@Sendable'",
        fixIt: "add '@Sendable'", to: "@Sendable func f() async throws")
      try refusal.check(within: "func outer()")
    }

    @Test("can only be applied to a function")
    func initializer() {
      expect(
        "struct S {\n@ConcurrentProcess init() { }\n}",
        expandsTo: "struct S {\ninit() {\nSwift.fatalError()\n}\n}",
        diagnostics: [
          DiagnosticSpec(message: "'@ConcurrentProcess' can only be applied to a function", line: 2, column: 1)
        ])
    }

    @Test("cannot be applied to a protocol's requirement")
    func requirement() {
      expect(
        "protocol P {\n@ConcurrentProcess func f() async throws\n}",
        expandsTo: "protocol P {\nfunc f() async throws {\nSwift.fatalError()\n}\n}",
        diagnostics: [
          DiagnosticSpec(
            message:
              "'@ConcurrentProcess' cannot be applied to the protocol requirement 'f'; "
              + "apply it to the methods that implement it",
            line: 2, column: 1)
        ])
    }

    @Test("needs a body")
    func noBody() {
      expect(
        "@ConcurrentProcess func f() async throws",
        expandsTo: "func f() async throws {\nSwift.fatalError()\n}",
        diagnostics: [DiagnosticSpec(message: "'@ConcurrentProcess' needs 'f' to have a body", line: 1, column: 1)])
    }

    @Test("warns of globals in main.swift")
    func mainFile() {
      expect(
        "@ConcurrentProcess func f() async throws { }",
        expandsTo: """
          func f() async throws {
          func f__body() async throws -> Void {

          }
          if Pebble._Decorated.runsInPlace {
            return try await f__body()
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { () async throws -> Void in try await f() } },
            "f", Pebble._DecoratorOptions())
          }
          """,
        diagnostics: [
          DiagnosticSpec(
            message:
              "globals declared in main.swift do not exist in worker processes; "
              + "move 'f' and the globals it uses to another file",
            line: 1, column: 1, severity: .warning)
        ],
        in: "main.swift")
    }
  }
#endif
