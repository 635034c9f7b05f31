// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// Implements `@ConcurrentThread`: the body becomes a local function, which is given to a thread.
  ///
  /// ```swift
  /// @Sendable func fetch__body() throws -> Page { … }
  /// return try await Pebble._Decorated.callInThread(Pebble._ThreadOptions(…), "fetch", fetch__body)
  /// ```
  struct ConcurrentThreadMacro: BodyMacro {
    /// Formatting would move the body off the lines it was written on.
    static var formatMode: FormatMode { .disabled }

    static func expansion(
      of attribute: AttributeSyntax,
      providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
      in context: some MacroExpansionContext
    ) throws -> [CodeBlockItemSyntax] {
      guard let function = declaration.as(FunctionDeclSyntax.self) else {
        context.diagnose([.notAFunction(declaration, attribute)])
        return ["Swift.fatalError()"]
      }
      let problems = function.problemsInThread(attribute, in: context.lexicalContext)
      context.diagnose(problems)
      guard problems.isEmpty, let body = function.body else { return ["Swift.fatalError()"] }

      let type = function.signature.returnClause?.type
      let result = type.map { $0.futureValue ?? $0.trimmedDescription } ?? "Void"
      let name = "\(function.plainName)__body"
      let local = name.isValidSwiftIdentifier(for: .variableName) ? name : "`\(name)`"
      let start =
        type?.futureValue == nil ? "try await Pebble._Decorated.callInThread" : "Pebble._Decorated.startInThread"
      let options = attribute.arguments?.trimmedDescription ?? ""
      return [
        """
        @Sendable func \(raw: local)() throws -> \(raw: result) {
        \(raw: context.inPlace(body.statements))
        }
        """,
        """
        return \(raw: start)(Pebble._ThreadOptions(\(raw: options)), \(literal: function.plainName), \(raw: local))
        """,
      ]
    }
  }
#endif
