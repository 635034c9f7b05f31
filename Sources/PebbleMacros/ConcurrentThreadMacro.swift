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
      let problems = problems(of: function, attribute)
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

    private static func problems(of function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> [DiagnosticMessage] {
      guard let body = function.body else { return [.noBody(function, attribute)] }
      var problems = function.signature.parameterClause.parameters.compactMap { parameter -> DiagnosticMessage? in
        let specifiers = parameter.type.as(AttributedTypeSyntax.self)?.specifiers.map(\.trimmedDescription) ?? []
        return specifiers.contains("inout") ? .inoutOfThread(parameter) : nil
      }
      let effects = function.signature.effectSpecifiers
      if function.signature.returnClause?.type.futureValue != nil {
        if let effects { problems.append(.effectsOfThreadFuture(effects, function)) }
      } else if let clause = effects?.throwsClause, let type = clause.type, type.trimmedDescription != "any Error" {
        problems.append(.typedThrowsOfThread(clause, function))
      } else if effects?.asyncSpecifier == nil || effects?.throwsClause == nil {
        problems.append(.notAsyncThrows(function, attribute))
      }
      if body.statements.suspends { problems.append(.awaitsInThread(function)) }
      return problems
    }
  }

  extension DiagnosticMessage {
    static func inoutOfThread(_ parameter: FunctionParameterSyntax) -> Self {
      Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is 'inout', but the thread runs while the caller goes on; return the value")
    }

    static func effectsOfThreadFuture(_ effects: FunctionEffectSpecifiersSyntax, _ function: FunctionDeclSyntax) -> Self
    {
      Self(
        effects,
        "'\(function.plainName)' returns its 'Future' at once and cannot be '\(effects.trimmedDescription)'; "
          + "its body may throw all the same")
    }

    static func typedThrowsOfThread(_ clause: ThrowsClauseSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(clause, "a call of '\(function.plainName)' can also time out or be cancelled; use 'throws'")
    }

    static func awaitsInThread(_ function: FunctionDeclSyntax) -> Self {
      Self(function.name, "'\(function.plainName)' runs in a thread, where nothing can be awaited; use a task instead")
    }
  }
#endif
