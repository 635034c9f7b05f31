// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftDiagnostics
  import SwiftSyntax
  import SwiftSyntaxBuilder
  import SwiftSyntaxMacros

  /// Something that Pebble's macros have to say about the code they are used in.
  struct DiagnosticMessage: SwiftDiagnostics.DiagnosticMessage {
    /// The node that the message is about.
    var syntax: Syntax
    var message: String
    var severity = DiagnosticSeverity.error
    var fixIts: [FixIt] = []
    /// The name of the factory that made the message.
    var id: String

    var diagnosticID: MessageID {
      MessageID(domain: "Pebble", id: id)
    }

    var diagnostic: Diagnostic {
      Diagnostic(node: syntax, message: self, fixIts: fixIts)
    }

    init(
      _ syntax: some SyntaxProtocol, _ message: String, severity: DiagnosticSeverity = .error, fixIts: [FixIt] = [],
      id: String = #function
    ) {
      self.syntax = Syntax(syntax)
      self.message = message
      self.severity = severity
      self.fixIts = fixIts
      self.id = String(id.prefix { $0 != "(" })
    }
  }

  extension MacroExpansionContext {
    /// Emits every message of `messages`.
    func diagnose(_ messages: [DiagnosticMessage]) {
      for message in messages {
        diagnose(message.diagnostic)
      }
    }
  }

  extension FixIt {
    /// The offer to replace `old` by `new`.
    static func replacing(_ old: some SyntaxProtocol, by new: some SyntaxProtocol, _ message: String) -> [FixIt] {
      [FixIt(message: Offer(message: message), changes: [.replace(oldNode: Syntax(old), newNode: Syntax(new))])]
    }

    private struct Offer: FixItMessage {
      var message: String
      var fixItID: MessageID { MessageID(domain: "Pebble", id: "replacement") }
    }
  }

  extension AttributeSyntax {
    /// The attribute as it is spelled, without its arguments.
    var name: String {
      "@\(attributeName.trimmedDescription)"
    }
  }

  // MARK: - Declarations

  extension DiagnosticMessage {
    static func notAFunction(_ declaration: some SyntaxProtocol, _ attribute: AttributeSyntax) -> Self {
      Self(attribute, "'\(attribute.name)' can only be applied to a function")
    }

    static func requirement(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute,
        "'\(attribute.name)' cannot be applied to the protocol requirement '\(function.plainName)'; "
          + "apply it to the methods that implement it")
    }

    static func noBody(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(attribute, "'\(attribute.name)' needs '\(function.plainName)' to have a body")
    }

    static func isOperator(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        function.name,
        "'\(attribute.name)' cannot be applied to an operator; apply it to a function that the operator calls")
    }

    /// - Parameter scope: The generic declaration around `function`, or `nil` if it is generic itself.
    static func generic(_ syntax: some SyntaxProtocol, _ function: FunctionDeclSyntax, within scope: Syntax?) -> Self {
      let place = scope.map { "declared within the generic '\($0.declaredName)'" } ?? "generic"
      return Self(
        syntax,
        "'\(function.plainName)' is \(place), so it has no address by which a worker process could find it; "
          + "decorate a function that calls it with concrete types")
    }

    static func actorMethod(_ function: FunctionDeclSyntax, of actor: ActorDeclSyntax) -> Self {
      Self(
        function.name,
        "'\(function.plainName)' is a method of the actor '\(actor.name.text)', which cannot be sent to a worker "
          + "process; make it a static method or a global function, and pass it the values it needs")
    }

    static func notSendable(_ function: FunctionDeclSyntax) -> Self {
      var sendable = function
      sendable.attributes.insert(
        .attribute(AttributeSyntax("@Sendable").with(\.trailingTrivia, .space)), at: sendable.attributes.endIndex)
      return Self(
        function.name,
        "'\(function.plainName)' is a local function and is also called from a worker process; mark it '@Sendable'",
        fixIts: FixIt.replacing(function.attributes, by: sendable.attributes, "add '@Sendable'"))
    }

    static func mutating(_ modifier: DeclModifierSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        modifier,
        "'\(function.plainName)' is 'mutating', but a worker process changes a copy of 'self'; "
          + "return the new value instead")
    }

    static func ownership(_ modifier: DeclModifierSyntax, of function: FunctionDeclSyntax) -> Self {
      let others = function.modifiers.filter { $0.name.text != modifier.name.text }
      return Self(
        modifier,
        "'\(function.plainName)' is '\(modifier.name.text)', but a worker process always gets a copy; "
          + "remove '\(modifier.name.text)'",
        fixIts: FixIt.replacing(function.modifiers, by: others, "remove '\(modifier.name.text)'"))
    }

    static func decoratedInMainFile(_ function: FunctionDeclSyntax, _ attribute: AttributeSyntax) -> Self {
      Self(
        attribute,
        "globals declared in main.swift do not exist in worker processes; "
          + "move '\(function.plainName)' and the globals it uses to another file",
        severity: .warning)
    }
  }

  // MARK: - Parameters

  extension DiagnosticMessage {
    static func isInout(_ parameter: FunctionParameterSyntax) -> Self {
      Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is 'inout', but a worker process changes a copy; "
          + "return the new value instead")
    }

    static func isolated(_ parameter: FunctionParameterSyntax) -> Self {
      Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is 'isolated', but an actor cannot be sent to a worker process; remove it")
    }

    static func ownership(_ parameter: FunctionParameterSyntax, _ specifier: String) -> Self {
      var plain = parameter
      if var type = parameter.type.as(AttributedTypeSyntax.self) {
        type.specifiers = type.specifiers.filter { $0.trimmedDescription != specifier }
        plain.type = TypeSyntax(type)
      }
      return Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is '\(specifier)', but a worker process always gets a copy; "
          + "remove '\(specifier)'",
        fixIts: FixIt.replacing(parameter, by: plain, "remove '\(specifier)'"))
    }

    static func variadic(_ parameter: FunctionParameterSyntax) -> Self {
      var array = parameter
      array.type = TypeSyntax(ArrayTypeSyntax(element: parameter.type.trimmed))
      array.ellipsis = nil
      return Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is variadic and cannot be passed on to a worker process; "
          + "take an array instead",
        fixIts: FixIt.replacing(parameter, by: array, "take '\(array.type)'"))
    }

    static func closure(_ parameter: FunctionParameterSyntax) -> Self {
      Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is a closure, which cannot be sent to a worker process; "
          + "pass the values it would use")
    }

    static func opaque(_ parameter: FunctionParameterSyntax, _ type: SomeOrAnyTypeSyntax) -> Self {
      Self(
        type,
        "parameter '\(parameter.plainName)' has the opaque type '\(type.trimmedDescription)', "
          + "so a worker process would not know what to decode; name a concrete type")
    }

    static func unnamed(_ parameter: FunctionParameterSyntax, at position: Int) -> Self {
      var named = parameter
      named.firstName = parameter.firstName.with(\.trailingTrivia, .space)
      named.secondName = .identifier("argument\(position)")
      return Self(
        parameter,
        "parameter \(position) has no name by which it could be passed on to a worker process",
        fixIts: FixIt.replacing(parameter, by: named, "name it 'argument\(position)'"))
    }

    /// An error about the first parameter of `closure` whose type is not written, if any.
    static func untypedParameters(of closure: ClosureExprSyntax) -> Self? {
      let hint = "'#process' needs the type of the closure's parameter"
      switch closure.signature?.parameterClause {
      case .simpleInput(let parameters)?:
        return parameters.first.map { Self($0, "\(hint) '\($0.name.text)': write '(\($0.name.text): …) in'") }
      case .parameterClause(let clause)?:
        return clause.parameters.first { $0.type == nil }.map {
          Self($0, "\(hint) '\($0.firstName.text)': write '(\($0.firstName.text): …) in'")
        }
      case nil:
        return closure.statements.firstAnonymousArgument.map {
          Self($0, "\(hint) '\($0.text)': write '{ (value: …) in'")
        }
      }
    }

    static func captured(_ capture: some SyntaxProtocol, _ name: String) -> Self {
      Self(
        capture,
        "'#process' cannot take '\(name)' along to a worker process; make it a parameter of the closure and pass it "
          + "as an argument",
        id: "captured")
    }

    static func mayBeMissingInWorkers(_ reference: DeclReferenceExprSyntax) -> Self {
      Self(
        reference,
        "'\(reference.baseName.text)' does not exist in worker processes if it is declared in main.swift; "
          + "declare it in another file or pass it as an argument",
        severity: .warning)
    }
  }
#endif
