// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("@Synchronized")
  struct SynchronizedMacroTests {
    @Test("takes a lock of the function's own around the body")
    func ownLock() {
      expect(
        """
        @Synchronized
        func log(_ line: String) {
          print(line)
          count += 1
        }
        """,
        expandsTo: """
          func log(_ line: String) {
          enum __macro_local_3OwnfMu_ { static let lock = Pebble.Lock() 
          }
          let __macro_local_4lockfMu_ = __macro_local_3OwnfMu_.lock
          __macro_local_4lockfMu_.lock()
          defer { __macro_local_4lockfMu_.unlock() }
          #sourceLocation(file: "test.swift", line: 3)
            print(line)
            count += 1
          #sourceLocation()
          }
          """)
    }

    @Test("takes the lock it is given, and keeps implicit results")
    func givenLock() {
      expect(
        """
        @Synchronized(\\Store.files)
        func size(_ name: String) throws(FileError) -> Int {
          try sizes[name].orThrow()
        }
        """,
        expandsTo: """
          func size(_ name: String) throws(FileError) -> Int {
          let __macro_local_4lockfMu_: any Pebble.Lockable = self[keyPath: \\Store.files]
          __macro_local_4lockfMu_.lock()
          defer { __macro_local_4lockfMu_.unlock() }
          #sourceLocation(file: "test.swift", line: 3)
          return try sizes[name].orThrow()
          #sourceLocation()
          }
          """)
    }

    @Test(
      "adds no return where there is one, or no result",
      arguments: ["func f() -> Int { return 1 }", "func f() { g() }", "func f() -> Int { fatalError() }"])
    func noReturn(function: String) {
      let body = function.drop { $0 != "{" }.dropFirst(2).dropLast(2)
      let column = "@Synchronized(l) ".count + function.count - body.count - 2
      expect(
        "@Synchronized(l) \(function)",
        expandsTo: """
          \(function.prefix { $0 != "{" }){
          let __macro_local_4lockfMu_: any Pebble.Lockable = l
          __macro_local_4lockfMu_.lock()
          defer { __macro_local_4lockfMu_.unlock() }
          #sourceLocation(file: "test.swift", line: 1)
          \(String(repeating: " ", count: column))\(body)
          #sourceLocation()
          }
          """)
    }

    private func expectRefusal(_ source: String, _ rest: String, _ message: String, line: Int = 1, column: Int = 1) {
      expect(
        source, expandsTo: rest, diagnostics: [DiagnosticSpec(message: message, line: line, column: column)])
    }

    @Test("refuses async functions")
    func async() {
      expectRefusal(
        "@Synchronized func f() async { }", "func f() async {\nSwift.fatalError()\n}",
        "'@Synchronized' would hold the lock of an 'async' function while others run on its thread; use an actor",
        column: 24)
    }

    @Test("refuses generic functions without a lock")
    func generic() {
      expectRefusal(
        "@Synchronized func f<T>(_ t: T) { }", "func f<T>(_ t: T) {\nSwift.fatalError()\n}",
        "a generic function or type has no place for a lock of its own; give one: '@Synchronized(lock)'")
    }

    @Test("refuses methods of generic types without a lock")
    func genericOwner() {
      expectRefusal(
        "struct S<T> {\n  @Synchronized func f() { }\n}", "struct S<T> {\n  func f() {\n  Swift.fatalError()\n  }\n}",
        "a generic function or type has no place for a lock of its own; give one: '@Synchronized(lock)'", line: 2,
        column: 3)
    }
  }
#endif
