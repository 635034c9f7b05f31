// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// Implements `@SignalHandler`: a record beside the function, which the loader calls before `main`.
  ///
  /// ```swift
  /// @section(".init_array") @used
  /// private let __pebble_signals_reload: @convention(c) @Sendable () -> Void = {
  ///   Pebble._SignalHandlers.declare(SIGTERM) { signal, _ in reload(signal) }
  /// }
  /// ```
  struct SignalHandlerMacro: PeerMacro {
    static func expansion(
      of attribute: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
      in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
      guard let function = declaration.as(FunctionDeclSyntax.self) else {
        context.diagnose([.notAFunction(declaration, attribute)])
        return []
      }
      let signals = attribute.arguments?.as(LabeledExprListSyntax.self)?.map(\.expression) ?? []
      var problems = function.problemsOfHandler(attribute, in: context.lexicalContext)
      problems += signals.isEmpty ? [.noSignals(attribute)] : signals.compactMap { .unusable($0) }
      if context.isInMainFile(attribute) { problems.append(.handlerInMainFile(function, attribute)) }
      context.diagnose(problems)
      guard problems.isEmpty else { return [] }

      let owner = context.lexicalContext.typeName
      let callee = owner.map { "\($0).\(function.name.trimmedDescription)" } ?? function.name.trimmedDescription
      let label = function.signature.parameterClause.parameters.first?.firstName
      let argument = label.map { $0.tokenKind == .wildcard ? "signal" : "\($0.text): signal" } ?? ""
      let declarations = signals.map {
        "Pebble._SignalHandlers.declare(\($0.trimmed)) { \(label == nil ? "_" : "signal"), _ in \(callee)(\(argument)) }"
      }
      return [
        """
        @section(".init_array") @used
        private \(raw: owner == nil ? "" : "static ")let __pebble_signals_\(raw: function.plainName): \
        @convention(c) @Sendable () -> Void = {
          \(raw: declarations.joined(separator: "\n  "))
        }
        """
      ]
    }
  }

  extension FunctionDeclSyntax {
    /// Everything that keeps this function from being called for a signal.
    fileprivate func problemsOfHandler(_ attribute: AttributeSyntax, in context: [Syntax]) -> [DiagnosticMessage] {
      if let scope = context.first {
        if !scope.isProtocol((any DeclGroupSyntax).self) { return [.localHandler(self, attribute)] }
        if !isStatic { return [.instanceHandler(self, attribute)] }
      }
      let scopes = context.compactMap { $0.asProtocol((any WithGenericParametersSyntax).self)?.genericParameterClause }
      if let generic = genericParameterClause ?? scopes.first { return [.genericHandler(generic, self)] }
      if let effects = signature.effectSpecifiers { return [.effectsOfHandler(effects, self)] }
      if let type = signature.returnClause?.type, !["Void", "()"].contains(type.trimmedDescription) {
        return [.resultOfHandler(type, self)]
      }
      let parameters = signature.parameterClause.parameters
      let types = parameters.map(\.type.trimmedDescription)
      if types.count > 1 || !types.allSatisfy({ ["Int32", "CInt", "Swift.Int32"].contains($0) }) {
        return [.parametersOfHandler(signature.parameterClause, self)]
      }
      return []
    }
  }

  extension DiagnosticMessage {
    static func noSignals(_ attribute: AttributeSyntax) -> Self {
      Self(attribute, "'\(attribute.name)' needs the signals to handle, as in '\(attribute.name)(SIGTERM)'")
    }

    /// An error about a signal that nobody can handle, or that is of no use to another thread.
    static func unusable(_ signal: ExprSyntax) -> Self? {
      switch signal.trimmedDescription {
      case "SIGKILL", "SIGSTOP":
        Self(signal, "'\(signal.trimmed)' cannot be handled by any process")
      case "SIGSEGV", "SIGBUS", "SIGILL", "SIGTRAP", "SIGSYS", "SIGABRT":
        Self(signal, "'\(signal.trimmed)' tells of a fault in the thread that gets it and cannot be handled on another")
      default: nil
      }
    }

    static func handlerInMainFile(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute, "'\(attribute.name)' does not work in main.swift; move '\(function.plainName)' to another file")
    }

    static func localHandler(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute,
        "'\(attribute.name)' needs a function that is there before 'main'; make "
          + "'\(function.plainName)' a global function or a static method")
    }

    static func instanceHandler(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute, "'\(attribute.name)' has no instance to call '\(function.plainName)' on; make it 'static'")
    }

    static func genericHandler(_ generic: some SyntaxProtocol, _ function: FunctionDeclSyntax) -> Self {
      Self(generic, "'\(function.plainName)' is generic, and a signal does not say for which type to call it")
    }

    static func effectsOfHandler(_ effects: some SyntaxProtocol, _ function: FunctionDeclSyntax) -> Self {
      Self(
        effects,
        "nobody waits for a signal handler or catches what it throws; '\(function.plainName)' cannot be "
          + "'\(effects.trimmedDescription)'")
    }

    static func resultOfHandler(_ type: some SyntaxProtocol, _ function: FunctionDeclSyntax) -> Self {
      Self(type, "nobody takes the result of a signal handler; '\(function.plainName)' must return nothing")
    }

    static func parametersOfHandler(_ clause: some SyntaxProtocol, _ function: FunctionDeclSyntax) -> Self {
      Self(
        clause,
        "a signal handler gets the signal's number and nothing else; '\(function.plainName)' must take one "
          + "'Int32', or nothing")
    }
  }
#endif
