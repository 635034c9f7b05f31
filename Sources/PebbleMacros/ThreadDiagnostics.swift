// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftDiagnostics
  import SwiftSyntax

  extension FunctionDeclSyntax {
    /// Everything that keeps a thread from running this function.
    func problemsInThread(_ attribute: AttributeSyntax, in lexicalContext: [Syntax]) -> [DiagnosticMessage] {
      guard let body else { return [.noBody(self, attribute)] }
      var problems = signature.parameterClause.parameters.compactMap(\.problemInThread)
      let names = modifiers.map(\.name.text)
      if let actor = lexicalContext.first?.as(ActorDeclSyntax.self), !isStatic, !names.contains("nonisolated") {
        problems.append(.actorMethodInThread(self, of: actor))
      }
      if let mutating = modifiers.first(where: { $0.name.tokenKind == .keyword(.mutating) }) {
        problems.append(.mutatingInThread(mutating, self))
      }
      problems += problemsOfEffectsInThread(attribute)
      if body.statements.suspends { problems.append(.awaitsInThread(self)) }
      return problems
    }

    private func problemsOfEffectsInThread(_ attribute: AttributeSyntax) -> [DiagnosticMessage] {
      let effects = signature.effectSpecifiers
      if signature.returnClause?.type.futureValue != nil {
        return effects.map { [.effectsOfThreadFuture($0, self)] } ?? []
      }
      if let clause = effects?.throwsClause {
        let isTyped = clause.type.map { $0.trimmedDescription != "any Error" } ?? false
        if isTyped || clause.throwsSpecifier.tokenKind == .keyword(.rethrows) {
          return [.throwsLessInThread(clause, self)]
        }
      }
      if effects?.asyncSpecifier == nil || effects?.throwsClause == nil {
        return [.notAsyncThrows(self, attribute)]
      }
      return []
    }
  }

  extension FunctionParameterSyntax {
    /// What keeps the argument for this parameter from being used by a thread.
    fileprivate var problemInThread: DiagnosticMessage? {
      let attributed = type.as(AttributedTypeSyntax.self)
      if attributed?.specifiers.contains(where: { $0.trimmedDescription == "inout" }) == true {
        return .inoutOfThread(self)
      }
      guard (attributed?.baseType ?? type).is(FunctionTypeSyntax.self) else { return nil }
      let attributes = attributed?.attributes.compactMap { $0.as(AttributeSyntax.self)?.attributeName } ?? []
      let names = attributes.map(\.trimmedDescription)
      let missing = ["escaping", "Sendable"].filter { !names.contains($0) }
      return missing.isEmpty ? nil : .closureInThread(self, lacking: missing.map { "@\($0)" }.joined(separator: " "))
    }
  }

  extension DiagnosticMessage {
    static func inoutOfThread(_ parameter: FunctionParameterSyntax) -> Self {
      Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is 'inout', but the thread runs while the caller goes on; return the value")
    }

    static func closureInThread(_ parameter: FunctionParameterSyntax, lacking attributes: String) -> Self {
      var marked = parameter
      marked.type = TypeSyntax(
        IdentifierTypeSyntax(name: .identifier("\(attributes) \(parameter.type.trimmedDescription)")))
      return Self(
        parameter.type,
        "parameter '\(parameter.plainName)' is a closure that another thread calls; mark it '\(attributes)'",
        fixIts: FixIt.replacing(parameter, by: marked, "add '\(attributes)'"))
    }

    static func actorMethodInThread(_ function: FunctionDeclSyntax, of actor: ActorDeclSyntax) -> Self {
      var free = function
      free.modifiers.append(DeclModifierSyntax(name: .keyword(.nonisolated, trailingTrivia: .space)))
      return Self(
        function.name,
        "'\(function.plainName)' is a method of the actor '\(actor.name.text)', whose state a thread cannot use; "
          + "make it 'nonisolated', and pass it the values it needs",
        fixIts: FixIt.replacing(function.modifiers, by: free.modifiers, "add 'nonisolated'"))
    }

    static func mutatingInThread(_ modifier: DeclModifierSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        modifier,
        "'\(function.plainName)' is 'mutating', but the thread runs while the caller goes on; "
          + "return the new value instead")
    }

    static func effectsOfThreadFuture(_ effects: FunctionEffectSpecifiersSyntax, _ function: FunctionDeclSyntax) -> Self
    {
      let text = effects.trimmedDescription
      return Self(
        effects,
        "'\(function.plainName)' returns its 'Future' at once and cannot be '\(text)'; its body may throw all the same",
        fixIts: function.offer("remove '\(text)'", effects: nil))
    }

    static func throwsLessInThread(_ clause: ThrowsClauseSyntax, _ function: FunctionDeclSyntax) -> Self {
      Self(
        clause, "a call of '\(function.plainName)' can also time out or be cancelled; use 'throws'",
        fixIts: function.offer("use 'throws'", effects: .asyncThrows))
    }

    static func awaitsInThread(_ function: FunctionDeclSyntax) -> Self {
      Self(function.name, "'\(function.plainName)' runs in a thread, where nothing can be awaited; use a task instead")
    }
  }
#endif
