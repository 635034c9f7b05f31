// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @Suite("@SignalHandler")
  struct SignalHandlerMacroTests {
    @Test("adds a record that the loader calls")
    func global() {
      expect(
        "@SignalHandler(SIGTERM, SIGHUP)\nfunc reload(_ signal: Int32) { }",
        expandsTo: """
          func reload(_ signal: Int32) { }

          @section(".init_array") @used
          private let __pebble_signals_reload: @convention(c) @Sendable () -> Void = {
            Pebble._SignalHandlers.declare(SIGTERM) { signal, _ in
              reload(signal)
            }
            Pebble._SignalHandlers.declare(SIGHUP) { signal, _ in
              reload(signal)
            }
          }
          """)
    }

    @Test("names the type of a static method")
    func method() {
      expect(
        "enum Server {\n  @SignalHandler(SIGTERM)\n  static func stop() { }\n}",
        expandsTo: """
          enum Server {
            static func stop() { }

            @section(".init_array") @used
            private static let __pebble_signals_stop: @convention(c) @Sendable () -> Void = {
              Pebble._SignalHandlers.declare(SIGTERM) { _, _ in
                Server.stop()
              }
            }
          }
          """)
    }

    @Test(
      "refuses what cannot be a handler",
      arguments: [
        (
          "SIGTERM", "func f(_ n: Int)", "func f".count,
          "a signal handler gets the signal's number and nothing else; 'f' must take one 'Int32', or nothing"
        ),
        (
          "SIGTERM", "func f() async", "func f() ".count,
          "nobody waits for a signal handler or catches what it throws; 'f' cannot be 'async'"
        ),
        (
          "SIGTERM", "func f() throws", "func f() ".count,
          "nobody waits for a signal handler or catches what it throws; 'f' cannot be 'throws'"
        ),
        (
          "SIGTERM", "func f() -> Int", "func f() -> ".count,
          "nobody takes the result of a signal handler; 'f' must return nothing"
        ),
        (
          "SIGTERM", "func f<T>(_ t: T)", "func f".count,
          "'f' is generic, and a signal does not say for which type to call it"
        ),
      ])
    func function(_ signals: String, _ function: String, _ offset: Int, _ message: String) {
      let attribute = "@SignalHandler(\(signals)) "
      expect(
        "\(attribute)\(function) { }", expandsTo: "\(function) { }",
        diagnostics: [DiagnosticSpec(message: message, line: 1, column: attribute.count + offset + 1)])
    }

    @Test(
      "refuses signals that cannot be handled",
      arguments: [
        ("SIGKILL", "'SIGKILL' cannot be handled by any process"),
        ("SIGSEGV", "'SIGSEGV' tells of a fault in the thread that gets it and cannot be handled on another"),
      ])
    func signal(_ signal: String, _ message: String) {
      expect(
        "@SignalHandler(\(signal)) func f() { }", expandsTo: "func f() { }",
        diagnostics: [DiagnosticSpec(message: message, line: 1, column: 16)])
    }

    @Test("refuses a list without signals")
    func noSignals() {
      expect(
        "@SignalHandler() func f() { }", expandsTo: "func f() { }",
        diagnostics: [
          DiagnosticSpec(
            message: "'@SignalHandler' needs the signals to handle, as in '@SignalHandler(SIGTERM)'", line: 1,
            column: 1)
        ])
    }

    @Test("refuses methods of instances")
    func instance() {
      expect(
        "struct S {\n  @SignalHandler(SIGTERM) func f() { }\n}", expandsTo: "struct S {\n  func f() { }\n}",
        diagnostics: [
          DiagnosticSpec(
            message: "'@SignalHandler' has no instance to call 'f' on; make it 'static'", line: 2, column: 3)
        ])
    }

    @Test("refuses main.swift")
    func mainFile() {
      expect(
        "@SignalHandler(SIGTERM) func f() { }", expandsTo: "func f() { }",
        diagnostics: [
          DiagnosticSpec(
            message: "'@SignalHandler' does not work in main.swift; move 'f' to another file", line: 1, column: 1)
        ], in: "main.swift")
    }
  }
#endif
