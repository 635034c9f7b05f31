// SPDX-License-Identifier: Apache-2.0
#if Macros
  import SwiftSyntax

  extension FunctionDeclSyntax {
    /// Everything that keeps a worker process from running this function.
    ///
    /// - Parameters:
    ///   - attribute: The attribute that asks for a worker process.
    ///   - lexicalContext: The declarations around this function, innermost first.
    func problems(for attribute: AttributeSyntax, in lexicalContext: [Syntax]) -> [DiagnosticMessage] {
      problemsOfDeclaration(attribute) + problems(with: lexicalContext, attribute)
        + signature.parameterClause.parameters.enumerated().compactMap { $1.problem(at: $0 + 1) }
        + problemsOfEffects(attribute)
    }

    private func problemsOfDeclaration(_ attribute: AttributeSyntax) -> [DiagnosticMessage] {
      var problems: [DiagnosticMessage] = []
      if let genericParameterClause {
        problems.append(.generic(genericParameterClause, self, within: nil))
      } else if let genericWhereClause {
        problems.append(.generic(genericWhereClause, self, within: nil))
      }
      switch name.tokenKind {
      case .binaryOperator, .prefixOperator, .postfixOperator: problems.append(.isOperator(self, attribute))
      default: break
      }
      for modifier in modifiers {
        switch modifier.name.tokenKind {
        case .keyword(.mutating): problems.append(.mutating(modifier, self))
        case .keyword(.consuming), .keyword(.borrowing): problems.append(.ownership(modifier, of: self))
        default: break
        }
      }
      if let type = signature.returnClause?.type, let opaque = type.firstOpaqueType {
        problems.append(.opaqueResult(opaque, self))
      }
      return problems
    }

    private func problems(with lexicalContext: [Syntax], _ attribute: AttributeSyntax) -> [DiagnosticMessage] {
      if lexicalContext.first?.is(ProtocolDeclSyntax.self) == true {
        return [.requirement(self, attribute)]
      }
      if body == nil {
        return [.noBody(self, attribute)]
      }
      if let actor = lexicalContext.first?.as(ActorDeclSyntax.self), !isStatic {
        return [.actorMethod(self, of: actor)]
      }
      if let scope = lexicalContext.first, !scope.isProtocol((any DeclGroupSyntax).self), !isSendable {
        return [.notSendable(self)]
      }
      for scope in lexicalContext {
        let isGeneric =
          if let declaration = scope.asProtocol((any WithGenericParametersSyntax).self) {
            declaration.genericParameterClause != nil || declaration.genericWhereClause != nil
          } else {
            scope.as(ExtensionDeclSyntax.self)?.genericWhereClause != nil
          }
        if isGeneric {
          return [.generic(name, self, within: scope)]
        }
      }
      return []
    }

    private func problemsOfEffects(_ attribute: AttributeSyntax) -> [DiagnosticMessage] {
      let effects = signature.effectSpecifiers
      let throwsClause = effects?.throwsClause
      if let throwsClause, throwsClause.throwsSpecifier.tokenKind == .keyword(.rethrows) {
        return [.rethrowing(throwsClause, self)]
      }
      if signature.returnClause?.type.futureValue != nil {
        return effects.map { [.effectsOfFuture($0, self)] } ?? []
      }
      if let throwsClause, let type = throwsClause.type, type.trimmedDescription != "any Error" {
        return [.typedThrows(throwsClause, type, self)]
      }
      if effects?.asyncSpecifier == nil || throwsClause == nil {
        return [.notAsyncThrows(self, attribute)]
      }
      return []
    }
  }

  extension FunctionDeclSyntax {
    /// The name without backticks.
    var plainName: String {
      name.text.filter { $0 != "`" }
    }

    private var isSendable: Bool {
      attributes.contains { $0.as(AttributeSyntax.self)?.attributeName.trimmedDescription == "Sendable" }
    }

    /// Whether this function needs no instance.
    var isStatic: Bool {
      modifiers.contains { [.keyword(.static), .keyword(.class)].contains($0.name.tokenKind) }
    }
  }

  extension FunctionParameterSyntax {
    /// The name in the body.
    var plainName: String {
      (secondName ?? firstName).text
    }

    /// What keeps the argument for this parameter from being sent to a worker process.
    fileprivate func problem(at position: Int) -> DiagnosticMessage? {
      let specifiers = type.as(AttributedTypeSyntax.self)?.specifiers.map(\.trimmedDescription) ?? []
      if specifiers.contains("inout") { return .isInout(self) }
      if specifiers.contains("isolated") { return .isolated(self) }
      if let ownership = specifiers.first(where: ["consuming", "borrowing"].contains) {
        return .ownership(self, ownership)
      }
      if ellipsis != nil { return .variadic(self) }
      if type.containsFunctionType { return .closure(self) }
      if let opaque = type.firstOpaqueType { return .opaque(self, opaque) }
      if (secondName ?? firstName).tokenKind == .wildcard { return .unnamed(self, at: position) }
      return nil
    }
  }

  extension Syntax {
    /// The name of a declaration, the type that an extension extends, or nothing.
    var declaredName: String {
      self.as(ExtensionDeclSyntax.self)?.extendedType.trimmedDescription
        ?? asProtocol((any NamedDeclSyntax).self)?.name.trimmedDescription ?? ""
    }
  }

  extension SyntaxProtocol {
    /// Whether this is a function type or has one within, as in `[() -> Void]?`.
    fileprivate var containsFunctionType: Bool {
      self.is(FunctionTypeSyntax.self) || children(viewMode: .sourceAccurate).contains(where: \.containsFunctionType)
    }

    /// The first `some P` in a type.
    fileprivate var firstOpaqueType: SomeOrAnyTypeSyntax? {
      if let type = self.as(SomeOrAnyTypeSyntax.self), type.someOrAnySpecifier.tokenKind == .keyword(.some) {
        return type
      }
      return children(viewMode: .sourceAccurate).lazy.compactMap(\.firstOpaqueType).first
    }
  }
#endif
