// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxMacroExpansion
  import SwiftSyntaxMacrosGenericTestSupport
  import Testing

  @testable import PebbleMacros

  /// Expects `source` to expand to `expansion`, and records every difference as an issue of the running test.
  func expect(
    _ source: String, expandsTo expansion: String, diagnostics: [DiagnosticSpec] = [], applying fixIts: [String]? = nil,
    resultsIn fixedSource: String? = nil, in file: String = "test.swift",
    at location: SourceLocation = #_sourceLocation
  ) {
    assertMacroExpansion(
      source, expandedSource: expansion, diagnostics: diagnostics,
      macroSpecs: [
        "process": MacroSpec(type: ProcessMacro.self),
        "ConcurrentProcess": MacroSpec(type: ConcurrentProcessMacro.self),
      ],
      applyFixIts: fixIts, fixedSource: fixedSource, testFileName: file, indentationWidth: .spaces(2),
      failureHandler: { Issue.record(Comment(rawValue: $0.message), sourceLocation: location) })
  }
#endif
