// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("@ConcurrentProcess")
  struct ConcurrentProcessMacroTests {
    @Test("moves the body into a local function on its own lines")
    func asynchronous() {
      expect(
        """
        @ConcurrentProcess(timeout: .seconds(10), pool: pool)
        func scale(_ image: Image, by factor: Double = 2) async throws -> Image {
          // A comment.
          let size = image.size * factor
          return try image.resized(to: size)
        }
        """,
        expandsTo: """
          func scale(_ image: Image, by factor: Double = 2) async throws -> Image {
          func scale__body(_ image: Image, by factor: Double) async throws -> Image {
          #sourceLocation(file: "test.swift", line: 4)
            let size = image.size * factor
            return try image.resized(to: size)
          #sourceLocation()
          }
          if Pebble._Decorated.runsInPlace {
            return try await scale__body(image, by: factor)
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { (image: Image, factor: Double) async throws -> Image in \
          try await scale(image, by: factor) } },
            "scale", Pebble._DecoratorOptions(timeout: .seconds(10), pool: pool), image, factor)
          }
          """)
    }

    @Test("returns nothing as Void")
    func noResult() {
      expect(
        "@ConcurrentProcess func ping() async throws { }",
        expandsTo: """
          func ping() async throws {
          func ping__body() async throws -> Void {

          }
          if Pebble._Decorated.runsInPlace {
            return try await ping__body()
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { () async throws -> Void in try await ping() } },
            "ping", Pebble._DecoratorOptions())
          }
          """)
    }

    @Test("starts a function that returns a future")
    func future() {
      expect(
        "@ConcurrentProcess func square(_ n: Int) -> ProcessFuture<Int> { n * n }",
        expandsTo: """
          func square(_ n: Int) -> ProcessFuture<Int> {
          func square__body(_ n: Int) throws -> Int {
          #sourceLocation(file: "test.swift", line: 1)
          \(spaces: 65)n * n
          #sourceLocation()
          }
          if Pebble._Decorated.runsInPlace {
            return Pebble._Decorated.inPlace { try square__body(n) }
          }
          return Pebble._Decorated.start(
            { Pebble.ProcessCall($0).run { (n: Int) async throws -> Int in try await square(n).value } },
            "square", Pebble._DecoratorOptions(), n)
          }
          """)
    }

    @Test(
      "lets the body of a future await",
      arguments: ["await g(n)", "for await x in g(n) {}", "async let x = g(n)", "if true { _ = [await g(n)] }"])
    func suspendingFuture(body: String) {
      expect(
        "@ConcurrentProcess @MainActor func f(_ n: Int) -> Pebble.ProcessFuture<Void> { \(body) }",
        expandsTo: """
          @MainActor func f(_ n: Int) -> Pebble.ProcessFuture<Void> {
          @Sendable @MainActor func f__body(_ n: Int) async throws -> Void {
          #sourceLocation(file: "test.swift", line: 1)
          \(spaces: 79)\(body)
          #sourceLocation()
          }
          if Pebble._Decorated.runsInPlace {
            return Pebble._Decorated.inPlaceAsync { try await f__body(n) }
          }
          return Pebble._Decorated.start(
            { Pebble.ProcessCall($0).run { (n: Int) async throws -> Void in try await f(n).value } },
            "f", Pebble._DecoratorOptions(), n)
          }
          """)
    }

    @Test("leaves the awaits of nested closures and functions to them")
    func nestedAwait() {
      let body = "Task { await g() }; func h() async { await g() }"
      expect(
        "@ConcurrentProcess func f() -> ProcessFuture<Void> { \(body) }",
        expandsTo: """
          func f() -> ProcessFuture<Void> {
          func f__body() throws -> Void {
          #sourceLocation(file: "test.swift", line: 1)
          \(spaces: 53)\(body)
          #sourceLocation()
          }
          if Pebble._Decorated.runsInPlace {
            return Pebble._Decorated.inPlace { try f__body() }
          }
          return Pebble._Decorated.start(
            { Pebble.ProcessCall($0).run { () async throws -> Void in try await f().value } },
            "f", Pebble._DecoratorOptions())
          }
          """)
    }

    @Test("quotes keywords, and leaves what an entry does not share with its function")
    func parameters() {
      expect(
        "@ConcurrentProcess func `repeat`(in: Int!, `class` c: sending [Int]) async throws { }",
        expandsTo: """
          func `repeat`(in: Int!, `class` c: sending [Int]) async throws {
          func repeat__body(in: Int!, `class` c: sending [Int]) async throws -> Void {

          }
          if Pebble._Decorated.runsInPlace {
            return try await repeat__body(in: `in`, class: c)
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { (`in`: Int?, c: [Int]) async throws -> Void in \
          try await `repeat`(in: `in`, class: c) } },
            "repeat", Pebble._DecoratorOptions(), `in`, c)
          }
          """)
    }

    @Test(
      "calls a member of a type by way of the type or of its instance",
      arguments: [
        (
          outer: "struct A", inner: "struct B", modifier: "", parameters: "_self: A.B", callee: "_self.f",
          values: ", self"
        ),
        (
          outer: "extension A", inner: "final class B", modifier: "", parameters: "_self: A.B", callee: "_self.f",
          values: ", self"
        ),
        (outer: "extension A.B", inner: "enum C", modifier: "static ", parameters: "", callee: "A.B.C.f", values: ""),
        (outer: "enum A", inner: "class B", modifier: "class ", parameters: "", callee: "A.B.f", values: ""),
        (outer: "enum A", inner: "actor B", modifier: "private static ", parameters: "", callee: "A.B.f", values: ""),
      ])
    func member(
      outer: String, inner: String, modifier: String, parameters: String, callee: String, values: String
    ) {
      expect(
        "\(outer) {\n\(inner) {\n@ConcurrentProcess \(modifier)func f() async throws { }\n}\n}",
        expandsTo: """
          \(outer) {
          \(inner) {
          \(modifier)func f() async throws {
          func f__body() async throws -> Void {

          }
          if Pebble._Decorated.runsInPlace {
            return try await f__body()
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { (\(parameters)) async throws -> Void in try await \(callee)() } },
            "f", Pebble._DecoratorOptions()\(values))
          }
          }
          }
          """)
    }

    @Test("finds another name for the instance if a parameter has it")
    func instanceName() {
      expect(
        "extension S {\n@ConcurrentProcess func f(_self: Int) async throws { }\n}",
        expandsTo: """
          extension S {
          func f(_self: Int) async throws {
          func f__body(_self: Int) async throws -> Void {

          }
          if Pebble._Decorated.runsInPlace {
            return try await f__body(_self: _self)
          }
          return try await Pebble._Decorated.call(
            { Pebble.ProcessCall($0).run { (__self: S, _self: Int) async throws -> Void in \
          try await __self.f(_self: _self) } },
            "f", Pebble._DecoratorOptions(), self, _self)
          }
          }
          """)
    }
  }

  extension DefaultStringInterpolation {
    /// The column that a body keeps.
    fileprivate mutating func appendInterpolation(spaces count: Int) {
      appendLiteral(String(repeating: " ", count: count))
    }
  }
#endif
