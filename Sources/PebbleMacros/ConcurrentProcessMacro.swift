// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// Implements `@ConcurrentProcess`.
  ///
  /// The decorated function keeps its signature and gets a new body, which either runs the old one, now a local
  /// function, or asks a worker process to call the decorated function itself:
  ///
  /// ```swift
  /// func scale__body(_ image: Image, by factor: Double) async throws -> Image { … }
  /// if Pebble._Decorated.runsInPlace { return try await scale__body(image, by: factor) }
  /// return try await Pebble._Decorated.call({ Pebble.ProcessCall($0).run { … } }, "scale", …, image, factor)
  /// ```
  ///
  /// In a worker process the call runs in place, so the function that is named by the entry is the decorated one: the
  /// entry can reach it wherever it is declared, and needs no second declaration beside it.
  struct ConcurrentProcessMacro: BodyMacro {
    /// Formatting would move the body off the lines it was written on.
    static var formatMode: FormatMode { .disabled }

    static func expansion(
      of attribute: AttributeSyntax,
      providingBodyFor declaration: some DeclSyntaxProtocol & WithOptionalCodeBlockSyntax,
      in context: some MacroExpansionContext
    ) throws -> [CodeBlockItemSyntax] {
      guard let function = DecoratedFunction(declaration, decoratedBy: attribute, in: context) else {
        return ["Swift.fatalError()"]
      }
      if context.isInMainFile(attribute) {
        context.diagnose([.decoratedInMainFile(function.declaration, attribute)])
      }
      let options = attribute.arguments?.trimmedDescription ?? ""
      let values = function.values.map { ", \($0)" }.joined()
      return [
        localBody(of: function, in: context),
        """
        if Pebble._Decorated.runsInPlace {
          return \(callInPlace(of: function))
        }
        """,
        """
        return \(raw: function.form == .future ? "Pebble._Decorated.start" : "try await Pebble._Decorated.call")(
          \(entry(for: function)),
          \(literal: function.declaration.plainName), Pebble._DecoratorOptions(\(raw: options))\(raw: values))
        """,
      ]
    }

    /// The original body as a local function.
    private static func localBody(
      of function: DecoratedFunction, in context: some MacroExpansionContext
    ) -> CodeBlockItemSyntax {
      // Without `@Sendable` a local function shares the isolation of the one around it. Only a body that continues
      // after the decorated function has returned cannot.
      let attributes = function.form == .future && function.suspends ? "@Sendable \(function.globalActor)" : ""
      return """
        \(raw: attributes)func \(raw: function.bodyName)\(raw: function.bodySignature) {
        \(raw: context.inPlace(function.body.statements))
        }
        """
    }

    private static func callInPlace(of function: DecoratedFunction) -> ExprSyntax {
      let call = "\(function.bodyName)(\(function.forwardedArguments))"
      return switch (function.form, function.suspends) {
      case (.asynchronous, _): "try await \(raw: call)"
      case (.future, false): "Pebble._Decorated.inPlace { try \(raw: call) }"
      case (.future, true): "Pebble._Decorated.inPlaceAsync { try await \(raw: call) }"
      }
    }

    /// The closure that a worker process finds by its address and calls.
    private static func entry(for function: DecoratedFunction) -> ExprSyntax {
      let call = "\(function.callee)(\(function.forwardedArguments))"
      let value = function.form == .future ? "\(call).value" : call
      return """
        { Pebble.ProcessCall($0).run { (\(raw: function.closureParameters)) async throws -> \(raw: function.result) in \
        try await \(raw: value) } }
        """
    }
  }
#endif
