// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntaxMacroExpansion
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @testable import PebbleMacros

  /// Expects `source` to expand to `expansion`, and records every difference as an issue of the running test.
  func expect(
    _ source: String, expandsTo expansion: String, diagnostics: [DiagnosticSpec] = [], applying fixIts: [String]? = nil,
    resultsIn fixedSource: String? = nil, in file: String = "test.swift",
    at location: Testing.SourceLocation = #_sourceLocation
  ) {
    assertMacroExpansion(
      source, expandedSource: expansion, diagnostics: diagnostics,
      macroSpecs: [
        "process": MacroSpec(type: ProcessMacro.self),
        "ConcurrentProcess": MacroSpec(type: ConcurrentProcessMacro.self),
        "ConcurrentThread": MacroSpec(type: ConcurrentThreadMacro.self),
        "SignalHandler": MacroSpec(type: SignalHandlerMacro.self),
        "Synchronized": MacroSpec(type: SynchronizedMacro.self),
      ],
      applyFixIts: fixIts, fixedSource: fixedSource, testFileName: file, indentationWidth: .spaces(2),
      failureHandler: { Issue.record(Comment(rawValue: $0.message), sourceLocation: location) })
  }

  /// A function that cannot run in a worker process, or in a thread.
  struct Refusal: Sendable, CustomTestStringConvertible {
    /// The function without attribute and body.
    var function: String
    /// What the error points to.
    var culprit: String
    var message: String
    /// The function as the fix-it leaves it.
    var fixed: String?
    var fixIt: String?
    var attribute = "@ConcurrentProcess"

    init(_ function: String, at culprit: String, _ message: String, fixIt: String? = nil, to fixed: String? = nil) {
      self.function = function
      self.culprit = culprit
      self.message = message
      self.fixIt = fixIt
      self.fixed = fixed
    }

    var testDescription: String { function }

    /// Expects one error and, in place of the body, code that gives no others.
    func check(within scope: String? = nil) throws {
      let (open, close) = (scope.map { "\($0) {\n" } ?? "", scope == nil ? "" : "\n}")
      let line = "\(attribute) \(function) { 1 }"
      let range = try #require(line.firstRange(of: culprit))
      expect(
        open + line + close,
        expandsTo: "\(open)\(function) {\nSwift.fatalError()\n}\(close)",
        diagnostics: [
          DiagnosticSpec(
            message: message, line: scope == nil ? 1 : 2,
            column: line.utf8.distance(from: line.startIndex, to: range.lowerBound) + 1,
            fixIts: fixIt.map { [FixItSpec(message: $0)] } ?? [])
        ],
        applying: fixIt.map { [$0] },
        resultsIn: fixed.map { "\(open)\(attribute) \($0) { 1 }\(close)" })
    }
  }
#endif
